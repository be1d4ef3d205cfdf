import DTMRepository
import DTMSystem
import DTMTestSupport
import Testing

/// What changes cost, in pages.
@Suite struct TreeCostTests {
  /// A tree of `count` files, in one directory or `perDirectory` in each.
  private func tree(
    _ count: Int, perDirectory: Int, _ objects: any ObjectWriter
  ) throws -> (tree: Tree, keys: [PathKey]) {
    var builder = TreeBuilder(writer: objects)
    var keys: [PathKey] = []
    try builder.append(TreeEntry(key: .root, kind: .directory, permissions: 0o755))
    for index in 0..<count {
      let directory = PathKey(path: Array("directory \(1_000_000 + index / perDirectory)".utf8))!
      if index % perDirectory == 0 {
        try builder.append(TreeEntry(key: directory, kind: .directory, permissions: 0o755))
      }
      let key = directory.appending(Array("a file's name \(1_000_000 + index).csv".utf8))
      keys.append(key)
      try builder.append(file(key, 1))
    }
    return (try builder.finish(), keys)
  }

  private func file(_ key: PathKey, _ seed: UInt64) -> TreeEntry {
    let id = ObjectID(words: (seed, UInt64(key.bytes.count), seed, 7))
    return TreeEntry(
      key: key, kind: .file, permissions: 0o644, owner: Owner(id: 1000, name: Array("ann".utf8)),
      modified: FileTime(seconds: 1_700_000_000, nanoseconds: UInt32(seed)), size: 5_000,
      content: .chunk(id))
  }

  @Test(arguments: [2_000, 20_000, 200_000], [12, 200_000])
  func `ten changes read and write a number of pages that does not depend on the tree's size`(
    _ count: Int, _ perDirectory: Int
  ) throws {
    var random = SplitMix.fresh("cost, \(count) files, \(perDirectory) in a directory")
    let base = MemoryObjects()
    let (tree, keys) = try tree(count, perDirectory: perDirectory, base)
    let objects = CountedPages(over: base)
    let old = Tree(root: tree.root, objects: objects)
    var batch = TreeBatch()
    for index in 0..<10 {
      let key = keys[random.below(keys.count)]
      switch index % 3 {
      case 0: batch.removed.append(key)
      case 1: batch.entries.append(file(key, 2))
      default: batch.entries.append(file(PathKey(bytes: key.bytes + [65]), 3))
      }
    }
    let changed = try old.applying(batch, to: objects)
    print("\(count) files: \(objects.reads) pages read, \(objects.writes) written")
    // Ten leaves; a border that moves takes a page or two more; the pages above; the parents' pages.
    #expect(objects.reads <= 60)
    #expect(objects.writes <= 50)
    #expect(objects.written.count >= 2)

    let counter = CountedPages(over: objects)
    let difference = try Tree(root: changed.root, objects: counter)
      .differences(from: Tree(root: tree.root, objects: counter))
    #expect(difference.count >= 8 && difference.count <= 10)
    #expect(counter.reads <= 130)
  }

  @Test func `neighbouring changes share their pages`() throws {
    let base = MemoryObjects()
    let (tree, keys) = try tree(100_000, perDirectory: 100_000, base)
    let objects = CountedPages(over: base)
    let old = Tree(root: tree.root, objects: objects)
    let batch = TreeBatch(entries: keys[50_000..<50_010].map { file($0, 9) })
    _ = try old.applying(batch, to: objects)
    print("10 neighbours: \(objects.reads) pages read, \(objects.writes) written")
    #expect(objects.reads <= 6)
    #expect(objects.writes <= 5)
  }

  @Test func `a subtree of any size goes without being read`() throws {
    let base = MemoryObjects()
    let (tree, keys) = try tree(200_000, perDirectory: 100_000, base)
    let objects = CountedPages(over: base)
    let old = Tree(root: tree.root, objects: objects)
    let changed = try old.applying(TreeBatch(removedSubtrees: [keys[0].parent!]), to: objects)
    print("100,000 files gone: \(objects.reads) pages read, \(objects.writes) written")
    #expect(objects.reads <= 12)
    #expect(objects.writes <= 10)
    #expect(try changed.totals(of: .root).entries == 100_001)
    #expect(try changed.check().isEmpty)
  }

  @Test func `counting a directory of any size reads two pages a level`() throws {
    let base = MemoryObjects()
    let (tree, keys) = try tree(200_000, perDirectory: 50_000, base)
    let objects = CountedPages(over: base)
    let totals = try Tree(root: tree.root, objects: objects).totals(of: keys[60_000].parent!)
    #expect(totals.entries == 50_000)
    #expect(totals.bytes == 50_000 * 5_000)
    #expect(objects.reads <= 8)
  }

  @Test func `a batch that changes nothing gives the same tree`() throws {
    let objects = MemoryObjects()
    let (tree, keys) = try tree(5_000, perDirectory: 20, objects)
    let same = TreeBatch(
      removed: [PathKey(path: Array("not there".utf8))!], entries: [file(keys[77], 1)])
    #expect(try tree.applying(same, to: objects).root == tree.root)
    #expect(try tree.applying(TreeBatch(), to: objects).root == tree.root)
  }
}
