internal import DTMRepository
internal import DTMSystem

extension Snapshot.Counts {
  /// Says how many entries were added, modified and removed from another tree to this one; of a directory
  /// that stays neither its time nor its mode counts.
  mutating func countDifferences(of tree: Tree, from old: Tree) throws(RepositoryError) {
    (added, modified, removed) = (0, 0, 0)
    try tree.forEachDifference(from: old) { difference in
      switch (difference.old, difference.new) {
      case (nil, .some(let new)): if !new.key.isRoot { added += 1 }
      case (.some, nil): removed += 1
      case (.some(let old), .some(let new)):
        if old.kind != .directory || new.kind != .directory { modified += 1 }
      case (nil, nil): break
      }
      return true
    }
  }
}
