import DTMRepository
import DTMSystem
import DTMTestSupport
import Testing

/// Trees that break a rule although each of their pages is one.
@Suite struct TreeCheckerTests {
  private let objects = MemoryObjects()

  /// A leaf page of files with plain names, by hand: nothing holds it to the rules.
  private func leaf(_ keys: [String], directories: Set<String> = []) throws -> ObjectID {
    var page = ByteWriter()
    page.u8(0)
    page.varint(keys.count)
    for _ in 0..<2 { page.list([0]) { writer, _ in writer.raw([0, 0]) } }
    var last: [UInt8] = []
    for key in keys {
      let bytes = PathKey(key)!.bytes
      let shared = zip(last, bytes).prefix { $0 == $1 }.count
      page.varint(shared)
      page.counted(Array(bytes[shared...]))
      let isDirectory = key.isEmpty || directories.contains(key)
      page.raw([isDirectory ? 2 : 1, 0, 0, 0, 0, 0, 0, 0])
      page.raw(isDirectory ? [0] : [1, 0])
      last = bytes
    }
    return try objects.write(.page, page.bytes)
  }

  private func inner(_ level: UInt8, _ children: [(String, ObjectID, Int)]) throws -> ObjectID {
    var page = ByteWriter()
    page.u8(level)
    page.varint(children.count)
    var last: [UInt8] = []
    for (key, id, entries) in children {
      let bytes = PathKey(key)!.bytes
      let shared = zip(last, bytes).prefix { $0 == $1 }.count
      page.varint(shared)
      page.counted(Array(bytes[shared...]))
      page.id(id)
      page.varint(entries)
      page.varint(0)
      last = bytes
    }
    return try objects.write(.page, page.bytes)
  }

  private func defects(_ root: ObjectID) throws -> [TreeDefect] {
    try Tree(root: root, objects: objects).check()
  }

  @Test func `an entry without a directory is found, in one page and across pages`() throws {
    #expect(try defects(leaf(["", "a", "a/b"])).map(\.key) == [PathKey("a/b")!])
    #expect(try defects(leaf(["", "a", "a/b"], directories: ["a"])).isEmpty)
    #expect(try defects(leaf(["a", "b"])).count == 1)
    let names = try names(ending: 64)
    let first = try leaf(names)
    let directory = names.last!
    let second = try leaf([directory + "/x"])
    let root = try inner(1, [("", first, names.count), (directory + "/x", second, 1)])
    #expect(try defects(root).map(\.key) == [PathKey(directory + "/x")!])
    let good = try leaf(names, directories: [directory])
    let goodRoot = try inner(1, [("", good, names.count), (directory + "/x", second, 1)])
    #expect(try defects(goodRoot).isEmpty)
  }

  /// The folder and names that make a page which ends by the rule.
  private func names(ending limit: Int) throws -> [String] {
    var names = [""]
    var number = 1_000
    while true {
      let bytes = Array("n\(number)".utf8)
      names.append("n\(number)")
      number += 1
      let hash = PageBorder.hash(level: 0, bytes, from: 0, to: bytes.count)
      if names.count >= 32 && hash % 64 == 0 { return names }
    }
  }

  @Test func `a page that ends early or late is found`() throws {
    let names = try names(ending: 64)
    let late = try leaf(names + ["zz"])
    #expect(try defects(late).count == 1)
    let early = try leaf(Array(names.dropLast()))
    let rest = try leaf([names.last!])
    let root = try inner(1, [("", early, names.count - 1), (names.last!, rest, 1)])
    #expect(try defects(root).count == 1)
    #expect(try defects(leaf(names)).isEmpty)
  }

  @Test func `wrong counts, first keys, overlaps, levels and lone children are found`() throws {
    let names = try names(ending: 64)
    let (first, second) = (try leaf(names), try leaf(["zz"]))
    let count = names.count
    #expect(try defects(inner(1, [("", first, count), ("zz", second, 1)])).isEmpty)
    #expect(try defects(inner(1, [("", first, count + 1), ("zz", second, 1)])).count == 1)
    #expect(try defects(inner(1, [("", first, count), ("zy", second, 1)])).count == 1)
    #expect(try defects(inner(1, [("", first, count), ("n1001", second, 1)])).count >= 1)
    #expect(try defects(inner(2, [("", first, count), ("zz", second, 1)])).count == 2)
    #expect(try defects(inner(1, [("", first, count)])).count == 1)
    #expect(throws: RepositoryError(.corrupt, "")) {
      let root = try inner(1, [("", first, count + 1), ("zz", second, 1)])
      return try Tree(root: root, objects: objects).entries()
    }
  }

  @Test func `a missing page is named and the rest is checked`() throws {
    var generator = TreeGenerator(shape: .nested, random: .fresh("missing"))
    let model = generator.model(3_000)
    let tree = try model.tree(objects)
    var pages: [ObjectID] = []
    var used: Set<ObjectID> = []
    _ = try tree.check { id, kind throws(RepositoryError) in
      if kind == .page { pages.append(id) }
      used.insert(id)
    }
    for entry in model.entries.values {
      switch entry.content {
      case .chunk(let id), .list(let id): #expect(used.contains(id))
      default: break
      }
      if case .object(let id) = entry.attributes { #expect(used.contains(id)) }
    }
    #expect(pages.first == tree.root)
    let lost = pages[pages.count / 2]
    let defects = try Tree(root: tree.root, objects: LossyObjects(objects, without: lost)).check()
    #expect(defects.map(\.page) == [lost])
    #expect(defects.map(\.error.code) == [.notFound])
    #expect(defects.allSatisfy { model.entries[$0.key] != nil })
  }

  @Test func `a page that two trees have is read once`() throws {
    var generator = TreeGenerator(shape: .nested, random: .fresh("twice"))
    let model = generator.model(4_000)
    let tree = try model.tree(objects)
    let key = model.sortedKeys[2_000]
    var entry = model.entries[key]!
    entry.permissions ^= 1
    let changed = try tree.applying(TreeBatch(entries: [entry]), to: objects)
    let counter = CountedPages(over: objects)
    var checker = TreeChecker()
    #expect(try checker.check(Tree(root: tree.root, objects: counter)) { _, _ in }.isEmpty)
    let before = counter.reads
    #expect(try checker.check(Tree(root: changed.root, objects: counter)) { _, _ in }.isEmpty)
    #expect(before > 20)
    #expect(counter.reads - before <= 4)
  }

  private final class LossyObjects: ObjectReader {
    private let objects: MemoryObjects
    private let lost: ObjectID

    init(_ objects: MemoryObjects, without lost: ObjectID) {
      self.objects = objects
      self.lost = lost
    }

    func read(_ id: ObjectID, _ kind: ObjectKind) throws(RepositoryError) -> [UInt8] {
      if id == lost { throw RepositoryError(.notFound, "lost", object: id) }
      return try objects.read(id, kind)
    }
  }
}
