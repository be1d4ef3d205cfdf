internal import DTMSystem
internal import SystemPackage

/// Opens directories by their keys, and keeps those on the way to the last one open: for keys in
/// order each directory is opened once.
struct PathWalker {
  enum Arrival {
    case arrived(OpenEntry, IgnoreScope)
    /// This directory on the way is not there, or no directory.
    case missing(PathKey)
    case unreadable(PathKey, Errno)
    case ignored(PathKey)
    /// Another mount begins here.
    case mounted(PathKey)
    /// A folder of its own begins here.
    case nested(PathKey)
  }

  private struct Frame {
    let key: PathKey
    let directory: OpenEntry
    /// The directory's own ignore file in it.
    let scope: IgnoreScope
  }

  private let root: FolderRoot
  private let outer: IgnoreScope
  private var frames: [Frame] = []
  /// Why the way could not be gone further, to say it again for the keys beneath.
  private var obstacle: (key: PathKey, arrival: Arrival)?

  init(_ root: FolderRoot, ignoring outer: IgnoreScope) {
    self.root = root
    self.outer = outer
  }

  mutating func enter(_ directory: PathKey) -> Arrival {
    if let obstacle, obstacle.key == directory || directory.isBeneath(obstacle.key) {
      return obstacle.arrival
    }
    while let last = frames.last, last.key != directory, !directory.isBeneath(last.key) {
      frames.removeLast()
    }
    do throws(Errno) {
      if frames.isEmpty {
        let opened = try root.openDirectory(.root)
        frames.append(
          Frame(key: .root, directory: opened, scope: root.scope(outer, in: opened, .root)))
      }
    } catch { return .unreadable(.root, error) }
    while let last = frames.last, last.key != directory {
      let depth = last.key.isRoot ? 0 : last.key.components.count
      let next = last.key.appending(directory.components[depth])
      if last.scope.ignores(next.bytes, isDirectory: true) { return stop(next, .ignored(next)) }
      do throws(Errno) {
        let opened = try root.openDirectory(next.name, in: last.directory)
        if try root.status(of: repositoryName, in: opened) != nil {
          return stop(next, .nested(next))
        }
        frames.append(
          Frame(key: next, directory: opened, scope: root.scope(last.scope, in: opened, next)))
      } catch {
        switch error {
        case .noSuchFileOrDirectory, .notDirectory, .tooManySymbolicLinkLevels:
          return stop(next, .missing(next))
        case .improperLink: return stop(next, .mounted(next))
        default: return stop(next, .unreadable(next, error))
        }
      }
    }
    guard let last = frames.last else { return .missing(.root) }
    return .arrived(last.directory, last.scope)
  }

  private mutating func stop(_ key: PathKey, _ arrival: Arrival) -> Arrival {
    obstacle = (key, arrival)
    return arrival
  }
}
