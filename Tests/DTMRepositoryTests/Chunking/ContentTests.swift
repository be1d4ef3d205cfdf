import DTMRepository
import DTMSystem
import Testing

@Suite struct ContentTests {
  @Test func `lists are cut and encoded as an independent implementation does`() throws {
    let golden = try Golden()
    let ids = (0..<4).map { Digest.sha256([UInt8($0)].span) }
    // The golden list's lengths stand in its encoding; decode it and encode it again.
    let encoding = try golden.bytes("list", "encoding")
    let decoded = try ContentList(decoding: encoding)
    #expect(decoded.encoded == encoding)
    #expect(decoded.children.map(\.id) == [nil, ids[0], ids[1]])
    #expect(Digest.id(.list, encoding) == (try golden.id("list", "id")))
  }

  @Test func `long lists have the root that an independent implementation computes`() throws {
    let golden = try Golden()
    var builder = ContentListBuilder(MemoryObjects())
    for index in 0..<(try #require(try golden["lists", "children"].int)) {
      var name = ByteWriter()
      name.u32(UInt32(index))
      try builder.append(.init(id: Digest.sha256(name.bytes.span), length: 1000 + index))
    }
    #expect(try builder.finish() == (try golden.id("lists", "root")))
  }

  @Test func `content comes back with its holes`() throws {
    for seed in UInt64(1)...40 {
      var generator = XorShift(seed: seed &* 0x9E37_79B9_7F4A_7C15)
      let store = MemoryObjects()
      var builder = ContentBuilder(store)
      var expected: [UInt8] = []
      var holes = 0
      for _ in 0..<Int(generator.next() % 12) {
        let length = Int(generator.next() % 200_000)
        if generator.next() % 3 == 0 {
          try builder.appendHole(length)
          expected += [UInt8](repeating: 0, count: length)
          holes += length
        } else {
          let data = generator.bytes(length)
          try builder.append(data)
          expected += data
        }
      }
      let content = try builder.finish()
      #expect(builder.size == expected.count)
      #expect(builder.isSparse == (holes > 0))
      let reader = ContentReader(store)
      #expect(try reader.bytes(of: content, size: UInt64(expected.count)) == expected)
      var foundHoles = 0
      var lastWasHole = false
      try reader.forEachPart(of: content, size: UInt64(expected.count)) {
        part throws(RepositoryError) in
        let isHole = part.source == .hole
        #expect(!(isHole && lastWasHole), "holes are maximal")
        lastWasHole = isHole
        if isHole { foundHoles += part.length }
      }
      #expect(foundHoles == holes)
    }
  }

  @Test func `an insertion rewrites a few chunks and one path of lists`() throws {
    var generator = XorShift(seed: 5)
    var content = generator.bytes(24 << 20)
    let store = CountingObjects()
    var builder = ContentBuilder(store)
    try builder.append(content)
    _ = try builder.finish()
    let firstChunks = store.newChunks
    content.insert(contentsOf: generator.bytes(1000), at: 9_000_000)
    store.reset()
    var second = ContentBuilder(store)
    try second.append(content)
    _ = try second.finish()
    #expect(firstChunks > 200)
    #expect(store.newChunks <= 3)
    #expect(store.newLists <= 3)
  }

  @Test func `a size that is not the content's is damage`() throws {
    let store = MemoryObjects()
    var generator = XorShift(seed: 9)
    var builder = ContentBuilder(store)
    try builder.append(generator.bytes(700_000))
    let content = try builder.finish()
    #expect(throws: RepositoryError(.corrupt, "")) {
      _ = try ContentReader(store).bytes(of: content, size: 699_999)
    }
  }

  @Test func `a list that is cut off or changed never decodes to another`() throws {
    let ids = (0..<20).map { Digest.sha256([UInt8($0)].span) }
    let list = ContentList(
      height: 0,
      children: ids.enumerated().map { .init(id: $0 % 5 == 4 ? nil : $1, length: 1000 + $0) })
    let encoding = list.encoded
    #expect(try ContentList(decoding: encoding) == list)
    for length in 0..<encoding.count {
      #expect(throws: DecodingFailure.self) {
        _ = try ContentList(decoding: Array(encoding[..<length]))
      }
    }
    for index in encoding.indices {
      var changed = encoding
      changed[index] ^= 1 << UInt8(index % 8)
      if let other = try? ContentList(decoding: changed) { #expect(other != list) }
    }
  }
}

/// Counts what is new.
private final class CountingObjects: ContentStore {
  private let objects = MemoryObjects()
  private var known: Set<ObjectID> = []
  var newChunks = 0
  var newLists = 0

  func reset() { (newChunks, newLists) = (0, 0) }

  var chunkerParameters: ChunkerParameters { .standard }

  func read(_ id: ObjectID, _ kind: ObjectKind) throws(RepositoryError) -> [UInt8] {
    try objects.read(id, kind)
  }

  func write(_ kind: ObjectKind, _ bytes: [UInt8]) throws(RepositoryError) -> ObjectID {
    let id = try objects.write(kind, bytes)
    if known.insert(id).inserted { if kind == .chunk { newChunks += 1 } else { newLists += 1 } }
    return id
  }

  func writeChunk(_ bytes: Span<UInt8>) throws(RepositoryError) -> ObjectID {
    try write(.chunk, [UInt8](copying: bytes))
  }
}
