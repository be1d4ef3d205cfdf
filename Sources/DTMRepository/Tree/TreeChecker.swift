package import DTMSystem

/// What is wrong with a page of a tree.
package struct TreeDefect: Sendable {
  /// The page that is damaged, or whose place in its tree is wrong.
  package let page: ObjectID
  /// Where in the tree the damage begins: a key of the page.
  package let key: PathKey
  /// `.notFound` for a page that is missing, else `.corrupt`.
  package let error: RepositoryError
}

/// Holds trees against all that the format says of them.
///
/// It remembers the good pages of the trees before, so that a page that many snapshots have is read
/// once: some 200 bytes a page.
package struct TreeChecker {
  /// What the page above, and the one behind, have to know of a page that was found good.
  private struct Summary {
    let level: UInt8
    let first: PathKey
    let isFirstDirectory: Bool
    let last: PathKey
    let isLastDirectory: Bool
    let entries: Int
    let fileBytes: UInt64
    let ownEntries: Int
    /// Whether another page may follow: this one, and the last one beneath it, end by the rule and not
    /// for want of entries.
    let mayBeFollowed: Bool
  }

  private var summaries: [ObjectID: Summary] = [:]
  private var found: [TreeDefect] = []
  private var parents = ParentRule()

  /// A checker that knows no page yet.
  package init() {}

  /// Checks a tree: each page by itself, keys ascending, borders where the rule puts them, counts and
  /// sizes, parents directories, the canonical forms.
  ///
  /// Calls `uses` with the objects that the tree needs (pages, chunks, lists, attributes), those of
  /// pages found good before left out; one object may come several times. Returns what is wrong;
  /// throws what the objects and `uses` throw, but for `.notFound` and `.corrupt` of a page.
  package mutating func check(
    _ tree: Tree, uses: (ObjectID, ObjectKind) throws(RepositoryError) -> Void
  ) throws(RepositoryError) -> [TreeDefect] {
    found = []
    parents = ParentRule()
    let summary = try visit(tree.root, .root, level: nil, tree.pages.objects, uses)
    if let summary, summary.level > 0, summary.ownEntries == 1 {
      report(tree.root, summary.first, "the root has a single child")
    }
    return found
  }

  private mutating func report(_ page: ObjectID, _ key: PathKey, _ message: String) {
    let error = RepositoryError(
      .corrupt, "page \(page) at \(Quoting.path(key)): \(message)", object: page)
    found.append(TreeDefect(page: page, key: key, error: error))
  }

  /// Checks a page and all beneath it; nil where it could not be read.
  ///
  /// `key`: under which the page above has it. `level`: which it has to have; nil: any.
  private mutating func visit(
    _ id: ObjectID, _ key: PathKey, level: UInt8?, _ objects: any ObjectReader,
    _ uses: (ObjectID, ObjectKind) throws(RepositoryError) -> Void
  ) throws(RepositoryError) -> Summary? {
    if let summary = summaries[id] {
      if !parents.accepts(summary.first, isDirectory: summary.isFirstDirectory) {
        report(id, summary.first, Self.noParent(summary.first))
      }
      parents.resume(after: summary.last, isDirectory: summary.isLastDirectory)
      return summary
    }
    try uses(id, .page)
    let before = found.count
    guard let page = try read(id, key, level: level, objects) else {
      parents.forget()
      return nil
    }
    let summary =
      switch page {
      case .leaf(let leaf): try visit(leaf, key, uses)
      case .inner(let inner): try visit(inner, objects, uses)
      }
    if found.count == before { summaries[id] = summary }
    return summary
  }

  private mutating func read(
    _ id: ObjectID, _ key: PathKey, level: UInt8?, _ objects: any ObjectReader
  ) throws(RepositoryError) -> Page? {
    do throws(RepositoryError) {
      let page = try Page(decoding: objects.read(id, .page), id: id)
      // Also keeps a chain of bad pages from being followed deeper than a tree can be.
      if let level, page.level != level { throw page.unexpectedLevel }
      return page
    } catch  where error.code == .corrupt || error.code == .notFound {
      found.append(TreeDefect(page: id, key: key, error: error))
      return nil
    }
  }

  private mutating func visit(
    _ leaf: LeafPage, _ key: PathKey,
    _ uses: (ObjectID, ObjectKind) throws(RepositoryError) -> Void
  ) throws(RepositoryError) -> Summary {
    for index in 0..<leaf.keys.count {
      let entryKey = PathKey(bytes: leaf.keys.key(index))
      if !parents.accepts(entryKey, isDirectory: leaf.isDirectory(index)) {
        report(leaf.id, entryKey, Self.noParent(entryKey))
      }
      for (object, kind) in try leaf.references(index) { try uses(object, kind) }
    }
    let count = leaf.keys.count
    return Summary(
      level: 0,
      first: count == 0 ? key : PathKey(bytes: leaf.keys.key(0)),
      isFirstDirectory: count > 0 && leaf.isDirectory(0),
      last: count == 0 ? key : PathKey(bytes: leaf.keys.key(count - 1)),
      isLastDirectory: count > 0 && leaf.isDirectory(count - 1),
      entries: count, fileBytes: leaf.fileBytes, ownEntries: count,
      mayBeFollowed: endsAtBorder(leaf.keys, level: 0, leaf.id))
  }

  private mutating func visit(
    _ inner: InnerPage, _ objects: any ObjectReader,
    _ uses: (ObjectID, ObjectKind) throws(RepositoryError) -> Void
  ) throws(RepositoryError) -> Summary {
    let count = inner.keys.count
    var isFirstDirectory = true
    var last = PathKey(bytes: inner.keys.key(count - 1))
    var isLastDirectory = false
    var mayBeFollowed = endsAtBorder(inner.keys, level: inner.level, inner.id)
    for index in 0..<count {
      let key = PathKey(bytes: inner.keys.key(index))
      guard
        let child = try visit(inner.children[index], key, level: inner.level - 1, objects, uses)
      else { continue }
      if index == 0 { isFirstDirectory = child.isFirstDirectory }
      if child.first != key || child.entries != inner.entries[index]
        || child.fileBytes != inner.fileBytes[index]
      {
        report(inner.id, key, "it has a wrong first key, count or size of a page below")
      }
      if index + 1 < count {
        if inner.keys.compare(index + 1, child.last.bytes) <= 0 {
          report(inner.children[index], key, "it reaches into the next page")
        }
        if !child.mayBeFollowed {
          report(inner.children[index], key, "it ends before its border")
        }
      } else {
        last = child.last
        isLastDirectory = child.isLastDirectory
        mayBeFollowed = mayBeFollowed && child.mayBeFollowed
      }
    }
    return Summary(
      level: inner.level, first: PathKey(bytes: inner.keys.key(0)),
      isFirstDirectory: isFirstDirectory, last: last, isLastDirectory: isLastDirectory,
      entries: inner.entryTotal, fileBytes: inner.fileByteTotal, ownEntries: count,
      mayBeFollowed: mayBeFollowed)
  }

  /// Whether a page ends after its last key by the rule; reports an earlier border.
  private mutating func endsAtBorder(_ keys: PageKeys, level: UInt8, _ id: ObjectID) -> Bool {
    var border = PageBorder(level: level)
    var isEnd = false
    for index in 0..<keys.count {
      if isEnd {
        report(id, PathKey(bytes: keys.key(index)), "it goes on behind its border")
        return true
      }
      isEnd = border.endsAfter(keys.bytes, from: keys.start(index), to: keys.end(index))
    }
    return isEnd
  }

  private static func noParent(_ key: PathKey) -> String {
    "\(Quoting.path(key)) is not in a directory of the tree"
  }
}

extension Tree {
  /// Checks this tree alone, see `TreeChecker.check`.
  package func check(
    uses: (ObjectID, ObjectKind) throws(RepositoryError) -> Void = { _, _ in }
  ) throws(RepositoryError) -> [TreeDefect] {
    var checker = TreeChecker()
    return try checker.check(self, uses: uses)
  }
}
