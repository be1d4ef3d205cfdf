internal import DTMSystem

extension Tree {
  /// The tree with a batch of changes applied; its id is the one that its entries give when it is
  /// built from scratch.
  ///
  /// Writes the pages that changed, and reads only those: O(k log n) for k changes in n entries,
  /// whatever stands between them; a subtree that goes costs one change. The new tree reads through
  /// `writer`, which has to hold the old pages too.
  ///
  /// Throws `.invalidInput` for entries that the format does not allow and when an entry would be left
  /// without its directory; pages may have been written then.
  package func applying(
    _ batch: TreeBatch, to writer: any ObjectWriter
  ) throws(RepositoryError) -> Tree {
    if batch.isEmpty { return Tree(root: root, objects: writer) }
    let edits = LevelEdits(batch)
    let rootPage = try pages.page(root)
    var leaves = LevelUpdate(
      edits, cursor: LevelCursor(pages, root: rootPage, level: 0), writer: LeafPageWriter(),
      objects: writer, parents: ParentWatch())
    try leaves.run()
    try checkParents(of: leaves.parents?.inserted ?? [], edits)

    var level: UInt8 = 0
    var replaced = leaves.replaced
    var children = leaves.children
    var isWhole = leaves.isWhole
    while !isWhole {
      // The root's level has one page, so that it is whole at the latest.
      level += 1
      var update = LevelUpdate(
        LevelEdits(ranges: replaced, items: children),
        cursor: LevelCursor(pages, root: rootPage, level: level),
        writer: InnerPageWriter(level: level), objects: writer, parents: nil)
      try update.run()
      // The child begins with the empty key, which makes no border: it has several entries itself.
      if let child = update.onlyEntry { return Tree(root: child, objects: writer) }
      replaced = update.replaced
      children = update.children
      isWhole = update.isWhole
    }

    var levels = InnerLevels(above: level)
    for child in children { try levels.append(child, to: writer) }
    guard let newRoot = try levels.finish(to: writer) else { return try Tree.empty(writer) }
    return Tree(root: newRoot, objects: writer)
  }

  /// Holds that new entries are in directories.
  private func checkParents(
    of keys: [PathKey], _ edits: LevelEdits<TreeEntry>
  ) throws(RepositoryError) {
    var checked: PathKey?
    for key in keys {
      guard let parent = key.parent, parent != checked else { continue }
      let kind: FileKind?
      if let item = edits.item(parent.bytes) {
        kind = item.kind
      } else if edits.removes(parent.bytes) {
        kind = nil
      } else {
        kind = try entry(parent)?.kind
      }
      guard kind == .directory else {
        throw RepositoryError(
          .invalidInput, "\(Quoting.path(key)) is not in a directory of the tree")
      }
      checked = parent
    }
  }
}
