import DTMRepository
import DTMSystem
import DTMTestSupport
import Testing

/// Bytes that are no page, or not the one that they should be.
@Suite struct PageDecodingTests {
  private let objects = MemoryObjects()

  /// Reads the bytes as a tree of one leaf: the id that its entries give when they are written again,
  /// or nil where the bytes, or the entries, are refused.
  private func rewritten(_ bytes: [UInt8]) throws -> ObjectID? {
    let id = try objects.write(.page, bytes)
    do {
      let entries = try Tree(root: id, objects: objects).entries()
      var builder = TreeBuilder(writer: objects)
      for entry in entries { try builder.append(entry) }
      return try builder.finish().root
    } catch let error as RepositoryError {
      #expect([.corrupt, .invalidInput, .notFound].contains(error.code), "\(error)")
      return nil
    }
  }

  private func leaf() throws -> [UInt8] {
    var generator = TreeGenerator(shape: .nested, random: .fresh("leaf"))
    var model = generator.model(14)
    for index in 0..<8 {
      let key = PathKey("zz\(index)")!
      model.entries[key] = generator.entry(key)
    }
    return try objects.read(model.tree(objects).root, .page)
  }

  private func inner() throws -> [UInt8] {
    var generator = TreeGenerator(shape: .flat, random: .fresh("inner"))
    return try objects.read(generator.model(700).tree(objects).root, .page)
  }

  @Test func `a leaf cut off at any byte, or with a byte more, is refused`() throws {
    let bytes = try leaf()
    #expect(try rewritten(bytes) == Digest.id(.page, bytes))
    for length in 0..<bytes.count {
      let id = try objects.write(.page, Array(bytes[..<length]))
      #expect(throws: RepositoryError(.corrupt, "")) {
        try Tree(root: id, objects: objects).entries()
      }
    }
    #expect(try rewritten(bytes + [0]) == nil)
  }

  @Test func `a leaf with a flipped bit is refused, or is the one encoding of its entries`() throws
  {
    let bytes = try leaf()
    var refused = 0
    for index in bytes.indices {
      for bit in 0..<8 {
        var changed = bytes
        changed[index] ^= 1 << UInt8(bit)
        guard let id = try rewritten(changed) else {
          refused += 1
          continue
        }
        #expect(id == Digest.id(.page, changed), "byte \(index), bit \(bit)")
      }
    }
    // About every eighth bit or more; how many depends on what the leaf holds.
    #expect(refused > bytes.count / 2)
  }

  @Test func `an inner page that is cut off or has a flipped bit is found`() throws {
    let bytes = try inner()
    #expect(bytes[0] == 1)
    for length in 0..<bytes.count {
      let id = try objects.write(.page, Array(bytes[..<length]))
      #expect(throws: RepositoryError(.corrupt, "")) {
        try Tree(root: id, objects: objects).entries()
      }
    }
    for index in bytes.indices {
      for bit in 0..<8 {
        var changed = bytes
        changed[index] ^= 1 << UInt8(bit)
        let id = try objects.write(.page, changed)
        #expect(try !Tree(root: id, objects: objects).check().isEmpty, "byte \(index), bit \(bit)")
        #expect(throws: RepositoryError.self) {
          try Tree(root: id, objects: objects).entries()
        }
      }
    }
  }

  /// What is needed is found by them alone when room is freed.
  @Test(arguments: TreeGenerator.Shape.allCases)
  func `the references of pages are those of their entries`(_ shape: TreeGenerator.Shape) throws {
    var generator = TreeGenerator(shape: shape, random: .fresh("references"))
    let tree = try generator.model(3_000).tree(objects)
    let entries = try tree.entries()
    var expected: [String] = []
    for entry in entries {
      switch entry.content {
      case .chunk(let id): expected.append("chunk \(id)")
      case .list(let id): expected.append("list \(id)")
      default: break
      }
      if case .object(let id) = entry.attributes { expected.append("chunk \(id)") }
    }
    func follow(_ page: ObjectID) throws -> [String] {
      try PageReferences.of(try objects.read(page, .page), id: page).flatMap { id, kind in
        kind == .page ? try follow(id) : ["\(kind) \(id)"]
      }
    }
    #expect(try follow(tree.root) == expected)
    #expect(expected.count > 50 && entries.contains { $0.linkGroup != nil })
  }

  @Test func `pages of random changes never crash a reader`() throws {
    var random = SplitMix.fresh("garbage")
    let pages = [try leaf(), try inner()]
    let batch = TreeBatch(
      removedSubtrees: [PathKey("n")!], entries: [TreeEntry(key: .root, kind: .directory)])
    for round in 0..<3_000 {
      var bytes = pages[round % 2]
      for _ in 0..<(1 + random.below(6)) {
        switch random.below(3) {
        case 0: bytes[random.below(bytes.count)] = UInt8(random.below(256))
        case 1: bytes.remove(at: random.below(bytes.count))
        default:
          bytes.insert([0, 1, 127, 128, 255][random.below(5)], at: random.below(bytes.count))
        }
      }
      let tree = Tree(root: try objects.write(.page, bytes), objects: objects)
      _ = try? tree.entries()
      _ = try? tree.entry(PathKey(bytes: [110]))
      _ = try? tree.totals(of: .root)
      _ = try? tree.applying(batch, to: objects)
      _ = try? tree.differences(from: Tree.empty(objects))
      _ = try tree.check()
      _ = try? PageReferences.of(bytes, id: tree.root)
    }
  }
}
