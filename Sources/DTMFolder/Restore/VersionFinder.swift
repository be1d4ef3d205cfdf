internal import DTMRepository
internal import DTMSystem

/// Finds the version that a path goes back to when nobody names one.
struct VersionFinder {
  let history: History
  let objects: any ObjectReader

  enum Finding {
    case version(KnownSnapshot)
    /// There are versions, and each is as it is now.
    case unchanged
    /// No snapshot of the branch has it.
    case unknown
  }

  /// The newest snapshot of the current branch whose version of the path differs from what is there.
  ///
  /// A snapshot without it is no version of it. Reads a page or two a snapshot for files.
  func newest(_ path: PathKey, differingFrom present: Tree) throws(FolderError) -> Finding {
    let now = try onRepository { () throws(RepositoryError) in try present.entry(path) }
    var finding = Finding.unknown
    var last: ObjectID?
    try history.forEachAncestor(of: history.head) { known throws(FolderError) in
      let root = known.snapshot.tree
      if root == last { return true }
      last = root
      let tree = Tree(root: root, objects: objects)
      let differs = try onRepository { () throws(RepositoryError) -> Bool? in
        guard let entry = try tree.entry(path) else { return nil }
        guard let now else { return true }
        return try Self.differs(entry, now, tree, present)
      }
      guard let differs else { return true }
      if !differs {
        finding = .unchanged
        return true
      }
      finding = .version(known)
      return false
    }
    return finding
  }

  private static func differs(
    _ entry: TreeEntry, _ now: TreeEntry, _ tree: Tree, _ present: Tree
  ) throws(RepositoryError) -> Bool {
    guard entry.kind == .directory, now.kind == .directory else {
      return !entry.hasSameContent(as: now) || !entry.hasSameMetadata(as: now)
    }
    // A directory's time alone is no difference.
    if !entry.hasSameAccess(as: now) { return true }
    var differs = false
    try tree.forEachDifference(from: present, beneath: entry.key) { difference in
      if let old = difference.old, let new = difference.new, old.kind == .directory,
        new.kind == .directory
      {
        differs = !old.hasSameAccess(as: new)
      } else {
        differs = true
      }
      return !differs
    }
    return differs
  }
}
