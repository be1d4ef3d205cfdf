import DTMRepository
import DTMSystem
import DTMTestSupport
import Testing

/// Random trees and batches against a dictionary.
@Suite struct TreePropertyTests {
  private static let rounds = 40

  @Test(arguments: TreeGenerator.Shape.allCases)
  func `any sequence of batches gives the id that building from scratch gives`(
    _ shape: TreeGenerator.Shape
  ) throws {
    var generator = TreeGenerator(shape: shape, random: .fresh("batches, \(shape)"))
    let counts: [TreeGenerator.Shape: [Int]] = [
      .flat: [0, 60, 2_000], .nested: [40, 500, 2_000], .long: [20, 400], .longest: [20, 120],
    ]
    var refused = 0
    var applied = 0
    for count in counts[shape] ?? [] {
      let objects = CountedPages()
      var model = count == 0 ? TreeModel() : generator.model(count)
      var tree = try model.tree(objects)
      for round in 0..<Self.rounds {
        let batch = generator.batch(model)
        let next = model.applying(batch)
        guard next.isWhole else {
          #expect(throws: RepositoryError(.invalidInput, "")) {
            try tree.applying(batch, to: objects)
          }
          refused += 1
          continue
        }
        objects.forgetCounts()
        let changed = try tree.applying(batch, to: objects)
        let scratch = MemoryObjects()
        let built = try next.tree(scratch)
        #expect(changed.root == built.root, "round \(round) of \(count)")
        guard changed.root == built.root else { return }
        #expect(try changed.differences(from: tree) == next.differences(from: model))
        if round % 4 == 0 {
          // Nothing was written that the tree does not need.
          var unused = objects.written
          let defects = try changed.check { id, _ throws(RepositoryError) in unused.remove(id) }
          #expect(defects.isEmpty)
          #expect(unused.isEmpty)
          #expect(try changed.entries() == next.sorted)
        }
        (model, tree) = (next, changed)
        applied += 1
      }
    }
    // A test that refuses everything would show nothing.
    #expect(applied > refused)
  }

  @Test func `a directory that goes entry by entry is the same as one that goes whole`() throws {
    var generator = TreeGenerator(shape: .nested, random: .fresh("entry by entry"))
    let objects = MemoryObjects()
    let model = generator.model(4_000)
    let tree = try model.tree(objects)
    // Of so many directories some are their page's last entry, and what is in them begins the next.
    for entry in model.sorted where entry.kind == .directory && !entry.key.isRoot {
      let beneath = try tree.entries(beneath: entry.key).map(\.key)
      let whole = try tree.applying(TreeBatch(removedSubtrees: [entry.key]), to: objects)
      let single = try tree.applying(TreeBatch(removed: beneath + [entry.key]), to: objects)
      #expect(whole.root == single.root)
      guard !beneath.isEmpty else { continue }
      #expect(throws: RepositoryError(.invalidInput, "")) {
        try tree.applying(TreeBatch(removed: [entry.key]), to: objects)
      }
    }
  }

  @Test(arguments: TreeGenerator.Shape.allCases)
  func `look-ups, ranges, totals and differences are those of a dictionary`(
    _ shape: TreeGenerator.Shape
  ) throws {
    var generator = TreeGenerator(shape: shape, random: .fresh("queries, \(shape)"))
    let model = generator.model(shape == .longest ? 100 : shape == .long ? 400 : 4_000)
    let other = generator.model(100).applying(TreeBatch(entries: Array(model.sorted.prefix(50))))
    let objects = MemoryObjects()
    let tree = try model.tree(objects)
    let keys = model.sortedKeys
    for _ in 0..<200 {
      let key =
        generator.random.oneIn(4)
        ? PathKey(bytes: generator.name()) : keys[generator.random.below(keys.count)]
      #expect(try tree.entry(key) == model.entries[key])
      let beneath = model.sorted.filter { $0.key.isBeneath(key) }
      let totals = try tree.totals(of: key)
      #expect(totals.entries == beneath.count)
      #expect(totals.bytes == beneath.reduce(0) { $0 + ($1.kind == .file ? $1.size : 0) })
      #expect(try tree.entries(beneath: key) == beneath)
      let from = keys[generator.random.below(keys.count)]
      #expect(try tree.entries(beneath: key, from: from) == beneath.filter { $0.key >= from })
      var children: [TreeEntry] = []
      try tree.forEachChild(of: key) { entry throws(RepositoryError) in
        children.append(entry)
        return true
      }
      #expect(children == beneath.filter { $0.key.parent == key })
    }
    let whole = try other.isWhole ? other.tree(objects) : Tree.empty(objects)
    let old = other.isWhole ? other : TreeModel()
    #expect(try tree.differences(from: whole) == model.differences(from: old))
    #expect(try whole.differences(from: tree) == old.differences(from: model))
    let directory = keys.first { model.entries[$0]?.kind == .directory && !$0.isRoot } ?? .root
    #expect(
      try tree.differences(from: whole, beneath: directory)
        == model.differences(from: old).filter {
          ($0.old ?? $0.new)?.key.isBeneath(directory) ?? false
        })
  }

  @Test func `a walk and a difference stop when they are told to`() throws {
    var generator = TreeGenerator(shape: .nested, random: .fresh("stop"))
    let objects = MemoryObjects()
    let model = generator.model(800)
    let tree = try model.tree(objects)
    var seen = 0
    try tree.forEach(beneath: nil) { _ throws(RepositoryError) in
      seen += 1
      return seen < 70
    }
    #expect(seen == 70)
    seen = 0
    try tree.forEachDifference(from: Tree.empty(objects)) { _ throws(RepositoryError) in
      seen += 1
      return seen < 70
    }
    #expect(seen == 70)
  }

  @Test func `trees that share nothing differ in everything, one of them empty or not`() throws {
    var generator = TreeGenerator(shape: .flat, random: .fresh("disjoint"))
    let objects = MemoryObjects()
    let left = generator.model(900)
    let right = generator.model(2_000)
    let (leftTree, rightTree) = (try left.tree(objects), try right.tree(objects))
    #expect(try leftTree.differences(from: rightTree) == left.differences(from: right))
    let empty = try Tree.empty(objects)
    #expect(try empty.differences(from: rightTree).count == right.entries.count)
    #expect(try rightTree.differences(from: empty).count == right.entries.count)
    #expect(try empty.differences(from: empty).isEmpty)
  }

  @Test func `keys of the longest kind give a tree with few levels`() throws {
    var random = SplitMix.fresh("longest keys")
    let objects = MemoryObjects()
    var model = TreeModel()
    model.entries[.root] = TreeEntry(key: .root, kind: .directory)
    var keys: [PathKey] = []
    for number in 0..<40 {
      var name = [UInt8](repeating: UInt8(ascii: "k"), count: 65_535)
      // All of them differ at the end only, or at the begin.
      name[number % 2 == 0 ? 0 : 65_534] = UInt8(65 + number)
      keys.append(PathKey(bytes: name))
    }
    var tree = try model.tree(objects)
    for _ in 0..<20 {
      var batch = TreeBatch()
      for _ in 0..<(1 + random.below(8)) {
        let key = keys[random.below(keys.count)]
        if random.oneIn(3) {
          batch.removed.append(key)
        } else {
          batch.entries.append(
            TreeEntry(key: key, kind: .fifo, permissions: UInt32(random.below(8))))
        }
      }
      model = model.applying(batch)
      tree = try tree.applying(batch, to: objects)
      let scratch = CountedPages()
      #expect(try tree.root == model.tree(scratch).root)
      // Each level has about half as many pages as the one below.
      #expect(scratch.written.count <= 2 * model.entries.count + 8)
      #expect(try tree.entries() == model.sorted)
      #expect(try tree.check().isEmpty)
    }
  }
}
