internal import DTMRepository
internal import DTMSystem

/// Which entries of a tree go, kept up to date from snapshot to snapshot by what differs.
struct ErasedPaths {
  private let matches: (PathKey, _ isDirectory: Bool) -> Bool
  /// The entries that go, and their kind, size and link group.
  private(set) var entries: [PathKey: TreeEntry] = [:]
  private var tree: Tree?

  /// `matches`: whether the pattern fits; what is beneath a directory that it fits goes with it.
  init(_ matches: @escaping (PathKey, _ isDirectory: Bool) -> Bool) {
    self.matches = matches
  }

  /// Looks at the next tree: reads what differs from the one before. Returns the entries that are new.
  mutating func look(at next: Tree) throws(RepositoryError) -> [TreeEntry] {
    var found: [TreeEntry] = []
    if let tree {
      var changes: [TreeDifference] = []
      try next.forEachDifference(from: tree) { difference in
        changes.append(difference)
        return true
      }
      for change in changes {
        if let old = change.old { entries[old.key] = nil }
        if let new = change.new, goes(new) {
          entries[new.key] = new
          found.append(new)
        }
      }
    } else {
      var all: [TreeEntry] = []
      try next.forEach(beneath: nil) { entry in
        if goes(entry) { all.append(entry) }
        return true
      }
      for entry in all { entries[entry.key] = entry }
      found = all
    }
    tree = next
    return found
  }

  private func goes(_ entry: TreeEntry) -> Bool { Self.goes(entry, matches) }

  /// Whether the pattern fits an entry, or a directory that it is in.
  static func goes(_ entry: TreeEntry, _ matches: (PathKey, _ isDirectory: Bool) -> Bool) -> Bool {
    if entry.key.isRoot { return false }
    if matches(entry.key, entry.kind == .directory) { return true }
    var parent = entry.key.parent
    while let key = parent, !key.isRoot {
      if matches(key, true) { return true }
      parent = key.parent
    }
    return false
  }

  /// The change that takes them out of the tree that was looked at last.
  func batch() throws(RepositoryError) -> TreeBatch {
    let tops = entries.keys.filter { key in key.parent.map { entries[$0] == nil } ?? true }
    var batch = TreeBatch(removedSubtrees: tops.sorted())
    let groups = Set(entries.values.compactMap(\.linkGroup))
    if groups.isEmpty { return batch }
    batch.entries = try regrouped(groups)
    return batch
  }

  /// The links that stay of groups of which some go, under the name that their group has then.
  private func regrouped(_ groups: Set<PathKey>) throws(RepositoryError) -> [TreeEntry] {
    var left: [PathKey: [TreeEntry]] = [:]
    try tree?.forEach(beneath: nil) { entry in
      if let group = entry.linkGroup, groups.contains(group), entries[entry.key] == nil {
        left[group, default: []].append(entry)
      }
      return true
    }
    var changed: [TreeEntry] = []
    for links in left.values {
      for var link in links {
        link.linkGroup = links.count > 1 ? links[0].key : nil
        changed.append(link)
      }
    }
    return changed
  }
}
