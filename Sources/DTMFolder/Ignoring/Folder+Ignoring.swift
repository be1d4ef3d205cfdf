package import DTMSystem

extension Folder {
  /// Of these paths those that take part in snapshots, as the ignore files are now: not what is ignored,
  /// nor what is in a repository, in a folder of its own or on another mount.
  ///
  /// `areDirectories`: what they are. Of a path that is not there its directory decides.
  package func takingPart(_ keys: [PathKey], areDirectories: Bool) -> [PathKey] {
    var walker = PathWalker(root, ignoring: scope)
    return keys.filter { key in
      if key.components.contains(repositoryName) { return false }
      guard let parent = key.parent else { return true }
      switch walker.enter(parent) {
      case .arrived(_, let scope): return !scope.ignores(key.bytes, isDirectory: areDirectories)
      case .missing, .unreadable: return true
      case .ignored, .mounted, .nested: return false
      }
    }
  }
}
