internal import DTMRepository
internal import DTMSystem

/// Which paths go to which state, and how that differs from what is there.
struct RestoreSelection {
  /// A path with everything beneath it, and the tree that has it as it is wanted.
  struct Part {
    let path: PathKey
    let tree: Tree
  }

  /// No path is beneath another.
  private let parts: [Part]

  /// The whole folder.
  init(whole tree: Tree) {
    parts = [Part(path: .root, tree: tree)]
  }

  /// Of a path and one beneath it, the upper counts.
  init(_ parts: [Part]) {
    var kept: [Part] = []
    for part in parts.sorted(by: { $0.path < $1.path }) {
      if let last = kept.last, part.path == last.path || part.path.isBeneath(last.path) { continue }
      kept.append(part)
    }
    self.parts = kept
  }

  /// What is wanted at a key; nil where nobody asked for it, or nothing is wanted.
  func wanted(_ key: PathKey) throws(FolderError) -> TreeEntry? {
    guard let part = parts.first(where: { key == $0.path || key.isBeneath($0.path) }) else {
      return nil
    }
    return try onRepository { () throws(RepositoryError) in try part.tree.entry(key) }
  }

  /// Ascending by key; `old` is what `present` has.
  ///
  /// Directories above a path that are not there are added to it. Memory is bounded by the
  /// differences.
  func differences(from present: Tree) throws(FolderError) -> [TreeDifference] {
    try onRepository { () throws(RepositoryError) in
      var found: [TreeDifference] = []
      for part in parts {
        if part.path.isRoot {
          try part.tree.forEachDifference(from: present) { difference in
            found.append(difference)
            return true
          }
          continue
        }
        try addAncestors(of: part, present, to: &found)
        let old = try present.entry(part.path)
        let new = try part.tree.entry(part.path)
        if old != new { found.append(TreeDifference(old: old, new: new)) }
        try part.tree.forEachDifference(from: present, beneath: part.path) { difference in
          found.append(difference)
          return true
        }
      }
      return found.sorted { Self.key($0) < Self.key($1) }
    }
  }

  private static func key(_ difference: TreeDifference) -> PathKey {
    (difference.new ?? difference.old)?.key ?? .root
  }

  private func addAncestors(
    of part: Part, _ present: Tree, to found: inout [TreeDifference]
  ) throws(RepositoryError) {
    guard try part.tree.entry(part.path) != nil else { return }
    var key = part.path.parent
    while let ancestor = key, !ancestor.isRoot {
      key = ancestor.parent
      let old = try present.entry(ancestor)
      if old?.kind == .directory { return }
      if found.contains(where: { Self.key($0) == ancestor }) { continue }
      found.append(TreeDifference(old: old, new: try part.tree.entry(ancestor)))
    }
  }
}
