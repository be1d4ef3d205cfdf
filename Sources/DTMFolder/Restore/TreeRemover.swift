internal import DTMSystem
internal import SystemPackage

/// Removes what a restore has built, with all beneath it.
struct TreeRemover {
  private let root: FolderRoot
  private var walker: DirectoryWalker

  init(_ root: FolderRoot) {
    self.root = root
    walker = DirectoryWalker(root)
  }

  /// Removes the file or directory at a key; nothing where there is none.
  mutating func remove(_ key: PathKey) throws(Errno) {
    var rest = [key]
    while let next = rest.last {
      guard let parent = try opened(next.parent ?? .root),
        let status = try root.status(of: next.name, in: parent)
      else {
        rest.removeLast()
        continue
      }
      guard status.kind == .directory else {
        try parent.descriptor.remove(next.name)
        rest.removeLast()
        continue
      }
      do throws(Errno) {
        try parent.descriptor.remove(next.name, isDirectory: true)
        rest.removeLast()
        walker.forget()
        continue
      } catch {
        if error != .directoryNotEmpty && error != .fileExists { throw error }
      }
      try empty(next, &rest)
    }
  }

  /// Removes what is in a directory but directories, which are added to `rest`.
  private mutating func empty(_ key: PathKey, _ rest: inout [PathKey]) throws(Errno) {
    guard let directory = try opened(key) else { return }
    let status = try directory.descriptor.status()
    if status.permissions & 0o700 != 0o700 {
      try directory.descriptor.setPermissions(status.permissions | 0o700)
    }
    let listing = try DirectoryListing(reading: directory.descriptor)
    for index in 0..<listing.count {
      let name = listing.name(at: index)
      if try root.status(of: name, in: directory)?.kind == .directory {
        rest.append(key.appending(name))
      } else {
        try directory.descriptor.remove(name)
      }
    }
  }

  private mutating func opened(_ key: PathKey) throws(Errno) -> OpenEntry? {
    do throws(DirectoryObstacle) { return try walker.open(key) } catch {
      switch error {
      case .system(.noSuchFileOrDirectory): return nil
      case .system(let cause): throw cause
      // Nothing that a restore builds has a repository in it.
      case .nested: throw .notPermitted
      }
    }
  }
}
