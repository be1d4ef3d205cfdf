package import DTMSystem

/// A snapshot's tree: all its entries in key order (format: The tree).
///
/// A value; what is decoded of late is kept between calls, so keep the value too. Not for use on
/// several threads at once. All functions throw `.corrupt` for a page whose bytes are not a page or do
/// not fit what the page above says of it, and what the objects throw.
package struct Tree {
  /// The root page, which is the tree's id.
  package let root: ObjectID
  let pages: PageSource

  /// The tree of a root page; reads nothing yet.
  package init(root: ObjectID, objects: any ObjectReader) {
    self.root = root
    pages = PageSource(objects)
  }

  /// The tree without entries.
  package static func empty(_ writer: any ObjectWriter) throws(RepositoryError) -> Tree {
    Tree(root: try writer.write(.page, LeafPageWriter().encoding()), objects: writer)
  }

  /// The entry of a key, or nil. Reads one page a level.
  package func entry(_ key: PathKey) throws(RepositoryError) -> TreeEntry? {
    let leaf = try leaf(covering: key.bytes)
    let index = leaf.keys.lowerBound(key.bytes)
    guard index < leaf.keys.count, leaf.keys.compare(index, key.bytes) == 0 else { return nil }
    return try leaf.entry(index)
  }

  private func leaf(covering key: [UInt8]) throws(RepositoryError) -> LeafPage {
    var page = try pages.page(root)
    while case .inner(let inner) = page {
      page = try pages.child(of: inner, inner.keys.covering(key))
    }
    return try LeafPage.of(page)
  }

  /// Calls `body` with each entry in key order, until it returns false.
  ///
  /// `beneath`: only what is beneath this directory, without the directory itself; nil: everything,
  /// the folder's own entry too. `from`: only this key and later ones. Reads the pages that hold them.
  package func forEach(
    beneath: PathKey? = nil, from: PathKey? = nil,
    _ body: (TreeEntry) throws(RepositoryError) -> Bool
  ) throws(RepositoryError) {
    let range = Self.range(beneath: beneath, from: from)
    var cursor = LevelCursor(pages, root: try pages.page(root), level: 0)
    try cursor.seek(range.start)
    // The first leaf is likely to be asked for again, as in a listing of small directories.
    var isFirst = true
    while !cursor.isAtEnd {
      if !isFirst, let key = cursor.firstKey, range.isBefore(key) { return }
      let leaf = try LeafPage.of(cursor.page(isKept: isFirst))
      let start = isFirst ? leaf.keys.lowerBound(range.start) : 0
      let stop = range.end.map { leaf.keys.lowerBound($0, from: start) } ?? leaf.keys.count
      for index in start..<stop {
        guard try body(leaf.entry(index)) else { return }
      }
      if stop < leaf.keys.count { return }
      isFirst = false
      try cursor.advance()
    }
  }

  /// Calls `body` with each entry directly in a directory, in key order, until it returns false.
  ///
  /// What is beneath directories in it is passed over unread.
  package func forEachChild(
    of directory: PathKey, _ body: (TreeEntry) throws(RepositoryError) -> Bool
  ) throws(RepositoryError) {
    let range = Self.range(beneath: directory, from: nil)
    var next = range.start
    var cursor = LevelCursor(pages, root: try pages.page(root), level: 0)
    try cursor.seek(next)
    while !cursor.isAtEnd {
      let leaf = try LeafPage.of(cursor.page())
      var index = leaf.keys.lowerBound(next)
      while index < leaf.keys.count {
        let entry = try leaf.entry(index)
        if range.isBefore(entry.key.bytes) { return }
        guard try body(entry) else { return }
        guard entry.isDirectory, let end = KeyOrder.endOfSubtree(entry.key.bytes) else {
          index += 1
          continue
        }
        next = end
        index = leaf.keys.lowerBound(next, from: index)
      }
      if let upper = cursor.nextFirstKey, KeyOrder.isLess(upper, next) {
        try cursor.seek(next)
      } else {
        try cursor.advance()
      }
    }
  }

  /// How many entries are beneath a directory, itself not counted, and the sum of its files' sizes.
  ///
  /// Reads two pages a level, whatever the directory's size.
  package func totals(
    of directory: PathKey
  ) throws(RepositoryError) -> (entries: Int, bytes: UInt64) {
    let range = Self.range(beneath: directory, from: nil)
    let start = try totals(before: range.start)
    let end = try totals(before: range.end)
    guard start.entries <= end.entries, start.bytes <= end.bytes else {
      throw RepositoryError(.corrupt, "the tree \(root) has wrong counts", object: root)
    }
    return (end.entries - start.entries, end.bytes - start.bytes)
  }

  /// Counts the entries with keys less than `key`; nil: all.
  private func totals(
    before key: [UInt8]?
  ) throws(RepositoryError) -> (entries: Int, bytes: UInt64) {
    var page = try pages.page(root)
    guard let key else { return (page.entryTotal, page.fileByteTotal) }
    var entries = 0
    var bytes: UInt64 = 0
    while case .inner(let inner) = page {
      let index = inner.keys.covering(key)
      for before in 0..<index {
        entries += inner.entries[before]
        bytes += inner.fileBytes[before]
      }
      page = try pages.child(of: inner, index)
    }
    let leaf = try LeafPage.of(page)
    let index = leaf.keys.lowerBound(key)
    for before in 0..<index { bytes += leaf.slots[before].fileBytes }
    return (entries + index, bytes)
  }

  /// The keys beneath a directory; nil: all keys.
  static func range(beneath: PathKey?, from: PathKey?) -> KeyRange {
    var start = beneath.map { KeyOrder.beginOfSubtree($0.bytes) } ?? []
    if let from, KeyOrder.isLess(start, from.bytes) { start = from.bytes }
    return KeyRange(start: start, end: beneath.flatMap { KeyOrder.endOfSubtree($0.bytes) })
  }
}
