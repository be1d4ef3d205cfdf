import DTMRepository
import DTMSystem
import DTMTestSupport
import Testing

/// What a tree does not take.
@Suite struct TreeRefusalTests {
  private let objects = MemoryObjects()
  private let invalid = RepositoryError(.invalidInput, "")

  private func directory(_ path: String) -> TreeEntry {
    TreeEntry(key: PathKey(path)!, kind: .directory, permissions: 0o755)
  }

  private func file(_ path: String) -> TreeEntry {
    TreeEntry(key: PathKey(path)!, kind: .file, content: .inline([]))
  }

  private func tree(_ entries: [TreeEntry]) throws -> Tree {
    var builder = TreeBuilder(writer: objects)
    for entry in entries { try builder.append(entry) }
    return try builder.finish()
  }

  @Test func `a builder refuses entries out of order and without a directory`() throws {
    #expect(throws: invalid) { try tree([file("a")]) }
    #expect(throws: invalid) { try tree([TreeEntry(key: .root, kind: .fifo)]) }
    #expect(throws: invalid) { try tree([directory(""), file("b"), file("a")]) }
    #expect(throws: invalid) { try tree([directory(""), file("b"), file("b")]) }
    #expect(throws: invalid) { try tree([directory(""), file("a"), file("a/b")]) }
    #expect(throws: invalid) { try tree([directory(""), file("a/b")]) }
    #expect(throws: invalid) { try tree([directory(""), directory("ab"), file("a/b")]) }
    #expect(throws: invalid) { try tree([directory(""), directory("a"), file("a/b/c")]) }
    let good = [
      directory(""), directory("a"), directory("a/b"), file("a/b/c"), file("a/d"), file("e"),
    ]
    #expect(try tree(good).entries() == good)
    #expect(try tree([]).root == Tree.empty(objects).root)
  }

  @Test func `entries that the format does not allow are refused`() throws {
    let good = file("a")
    func refused(_ change: (inout TreeEntry) -> Void) -> Bool {
      var entry = good
      change(&entry)
      do {
        _ = try tree([directory(""), entry])
        return false
      } catch {
        return (error as? RepositoryError) == invalid
      }
    }
    #expect(!refused { _ in })
    #expect(refused { $0.permissions = 0o10000 })
    #expect(refused { $0.modified.nanoseconds = 1_000_000_000 })
    #expect(refused { $0.inodeFlags = 1 })
    #expect(refused { $0.attributes = .inline([]) })
    #expect(refused { $0.attributes = .inline([UInt8](repeating: 0, count: 128)) })
    #expect(refused { $0.size = 1 })
    #expect(refused { $0.content = .none })
    #expect(refused { $0.content = .target([]) })
    #expect(refused { $0.kind = .directory })
    #expect(refused { ($0.size, $0.content) = (129, .inline([UInt8](repeating: 0, count: 129))) })
    #expect(
      refused { ($0.size, $0.content) = (128, .chunk(ObjectID(words: (1, 2, 3, 4)))) })
    #expect(refused { $0.linkGroup = .root })
    #expect(refused { ($0.kind, $0.content, $0.linkGroup) = (.directory, .none, $0.key) })
    #expect(refused { $0.linkGroup = PathKey(bytes: [65, 0, 0, 65]) })
    for key: [UInt8] in [[46], [46, 46], [65, 47], [65, 0], [0, 65], [65, 0, 46, 46]] {
      #expect(refused { $0.key = PathKey(bytes: key) }, "\(key)")
    }
    #expect(refused { $0.key = PathKey(bytes: [UInt8](repeating: 65, count: 65_536)) })
    #expect(!refused { $0.key = PathKey(bytes: [UInt8](repeating: 65, count: 65_535)) })
    #expect(!refused { $0.key = PathKey(bytes: [46, 46, 46]) })
    #expect(!refused { $0.key = PathKey(bytes: [46, 65]) })
  }

  @Test func `sizes whose sum is out of range are refused`() throws {
    var (one, other) = (file("a"), file("b"))
    let id = ObjectID(words: (1, 2, 3, 4))
    (one.size, one.content) = (UInt64.max, .chunk(id))
    (other.size, other.content) = (129, .chunk(id))
    #expect(throws: invalid) { try tree([directory(""), one, other]) }
    #expect(try tree([directory(""), one]).totals(of: .root).bytes == UInt64.max)
  }

  @Test func `a directory does not go while something in it stays`() throws {
    let base = try tree([
      directory(""), directory("a"), directory("a/b"), file("a/b/c"), file("a/d"), file("e"),
    ])
    func key(_ path: String) -> PathKey { PathKey(path)! }
    func root(_ batch: TreeBatch) throws -> ObjectID {
      try base.applying(batch, to: objects).root
    }
    #expect(throws: invalid) { try root(TreeBatch(removed: [key("a")])) }
    #expect(throws: invalid) { try root(TreeBatch(removed: [key("a"), key("a/b")])) }
    #expect(throws: invalid) { try root(TreeBatch(removed: [key("a"), key("a/b"), key("a/b/c")])) }
    #expect(throws: invalid) { try root(TreeBatch(entries: [file("a/b")])) }
    #expect(throws: invalid) { try root(TreeBatch(removed: [key("")])) }
    #expect(throws: invalid) { try root(TreeBatch(entries: [file("x/y")])) }
    #expect(throws: invalid) { try root(TreeBatch(entries: [file("e/y")])) }
    #expect(throws: invalid) {
      try root(TreeBatch(removedSubtrees: [key("a")], entries: [file("a/new")]))
    }
    let gone = try tree([directory(""), file("e")]).root
    let all = ["a", "a/b", "a/b/c", "a/d"].map(key)
    #expect(try root(TreeBatch(removed: all)) == gone)
    #expect(try root(TreeBatch(removedSubtrees: [key("a")])) == gone)
    let turned = try tree([directory(""), file("a"), file("e")]).root
    #expect(try root(TreeBatch(removedSubtrees: [key("a")], entries: [file("a")])) == turned)
    #expect(try root(TreeBatch(removed: all, entries: [file("a")])) == turned)
    #expect(try root(TreeBatch(removed: Array(all[1...]), entries: [file("a")])) == turned)
    let empty = try Tree.empty(objects).root
    #expect(try root(TreeBatch(removedSubtrees: [.root])) == empty)
  }

  @Test func `of two entries with one key the later counts, and an entry counts before a removal`()
    throws
  {
    let base = try tree([directory(""), file("a")])
    var changed = file("a")
    changed.permissions = 0o600
    let batch = TreeBatch(
      removed: [PathKey("a")!], entries: [file("a"), file("b"), changed])
    #expect(
      try base.applying(batch, to: objects).entries() == [directory(""), changed, file("b")])
  }
}
