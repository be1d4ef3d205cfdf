internal import DTMSystem
internal import SystemPackage

/// Why a directory of the folder is not entered.
enum DirectoryObstacle: Error {
  case system(Errno)
  /// It has a repository of its own.
  case nested(PathKey)

  var detail: String {
    switch self {
    case .system(.improperLink): "something else is mounted on the way"
    case .system(.tooManySymbolicLinkLevels): "a symbolic link is on the way"
    case .system(let error): error.description
    case .nested(let key): "\(Quoting.path(key.path)) is a folder with a repository of its own"
    }
  }
}

/// Opens directories of the folder one after another, neighbours in key order cheaply: what is open
/// on the way to the last one is kept.
struct DirectoryWalker {
  /// Directories that are kept open; paths may be deeper than a process may have descriptors.
  private static let openLimit = 48

  private let root: FolderRoot
  /// Open directories, each beneath the one before.
  private var chain: [(key: PathKey, directory: OpenEntry)] = []

  init(_ root: FolderRoot) {
    self.root = root
  }

  /// The directory at a key: no link is followed, no mount point crossed, no nested repository
  /// entered.
  mutating func open(_ key: PathKey) throws(DirectoryObstacle) -> OpenEntry {
    while let last = chain.last, last.key != key, !key.isBeneath(last.key) { chain.removeLast() }
    if let last = chain.last, last.key == key { return last.directory }
    let known = chain.last?.key.components.count ?? 0
    var reached = chain.last?.key ?? .root
    var current = chain.last?.directory
    for name in key.components.dropFirst(known) {
      reached = reached.appending(name)
      let next = try enter(name, current, reached)
      if chain.count >= Self.openLimit { chain.remove(at: Self.openLimit / 2) }
      chain.append((reached, next))
      current = next
    }
    if let current { return current }
    do throws(Errno) { return try root.openDirectory(.root) } catch { throw .system(error) }
  }

  private func enter(
    _ name: [UInt8], _ parent: OpenEntry?, _ key: PathKey
  ) throws(DirectoryObstacle) -> OpenEntry {
    do throws(Errno) {
      let directory: OpenEntry
      if let parent { directory = parent } else { directory = try root.openDirectory(.root) }
      let next = try root.openDirectory(name, in: directory)
      if try root.status(of: repositoryName, in: next) == nil { return next }
    } catch { throw .system(error) }
    throw .nested(key)
  }

  /// Forgets what is open, after names have moved.
  mutating func forget() { chain = [] }
}
