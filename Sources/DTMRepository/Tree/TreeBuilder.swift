internal import DTMSystem

/// Builds a tree from all its entries in key order.
///
/// Memory is bounded: one open page a level. Pages are written as they end.
package struct TreeBuilder {
  private let writer: any ObjectWriter
  private var leaf = LeafPageWriter()
  private var levels = InnerLevels(above: 0)
  private var parents = ParentRule()
  private var last: PathKey?

  /// A builder that writes its pages to `writer`.
  package init(writer: any ObjectWriter) {
    self.writer = writer
  }

  /// Appends an entry, greater than the one before; the folder itself (the empty key) is the first.
  ///
  /// Throws `.invalidInput` for an entry that is out of order, whose parent is no directory before
  /// it, or that the format does not allow; the builder is of no use then.
  package mutating func append(_ entry: TreeEntry) throws(RepositoryError) {
    if let last, !KeyOrder.isLess(last.bytes, entry.key.bytes) {
      throw RepositoryError(
        .invalidInput,
        "\(Quoting.path(entry.key.path)) comes after \(Quoting.path(last.path)) in the tree")
    }
    guard parents.accepts(entry.key, isDirectory: entry.isDirectory) else {
      throw RepositoryError(
        .invalidInput, "\(Quoting.path(entry.key.path)) is not in a directory of the tree")
    }
    last = entry.key
    if try leaf.append(entry) { try levels.append(leaf.close(to: writer), to: writer) }
  }

  /// Writes the pages that are still open, and returns the tree.
  package mutating func finish() throws(RepositoryError) -> Tree {
    guard last != nil else { return try Tree.empty(writer) }
    if !leaf.isEmpty { try levels.append(leaf.close(to: writer), to: writer) }
    guard let root = try levels.finish(to: writer) else { return try Tree.empty(writer) }
    return Tree(root: root, objects: writer)
  }
}

/// The levels above one that is being written whole.
struct InnerLevels {
  private let base: UInt8
  private var levels: [InnerPageWriter] = []

  init(above base: UInt8) {
    self.base = base
  }

  /// Appends a page of the level below the first.
  mutating func append(_ child: Child, to objects: any ObjectWriter) throws(RepositoryError) {
    try append(child, at: 0, to: objects)
  }

  /// Writes the open pages and returns the root; nil where nothing was appended.
  ///
  /// A page that would be the only one of its level with one child is not written: the child is the
  /// root.
  mutating func finish(to objects: any ObjectWriter) throws(RepositoryError) -> ObjectID? {
    var index = 0
    while index + 1 < levels.count {
      // A level that has one above it has closed a page; what is open is its last.
      if !levels[index].isEmpty {
        try append(levels[index].close(to: objects), at: index + 1, to: objects)
      }
      index += 1
    }
    guard index < levels.count else { return nil }
    if let child = levels[index].onlyChild { return child }
    return try levels[index].close(to: objects).id
  }

  private mutating func append(
    _ child: Child, at start: Int, to objects: any ObjectWriter
  ) throws(RepositoryError) {
    var child = child
    var index = start
    while true {
      if index == levels.count {
        levels.append(InnerPageWriter(level: base + UInt8(index) + 1))
      }
      guard try levels[index].append(child) else { return }
      child = try levels[index].close(to: objects)
      index += 1
    }
  }
}
