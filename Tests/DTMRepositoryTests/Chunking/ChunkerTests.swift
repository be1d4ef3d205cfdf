import DTMRepository
import DTMSystem
import Testing

@Suite struct ChunkerTests {
  @Test func `the gear table is the one of the format page`() throws {
    let golden = try Golden()
    #expect(try golden["gear", "0"].string == hex(Chunker.gear[0]))
    #expect(try golden["gear", "255"].string == hex(Chunker.gear[255]))
    let all = Chunker.gear.flatMap { word in
      (0..<8).map { UInt8(truncatingIfNeeded: word >> UInt64(8 * $0)) }
    }
    #expect(try golden["gear", "sha256OfAllLittleEndian"].string == Digest.sha256(all.span).hex)
  }

  @Test func `cuts are where an independent implementation cuts`() throws {
    for cut in try #require(try Golden()["cuts"].array) {
      let sizes = try #require(cut["chunker"]?.array).compactMap(\.int)
      let parameters = try #require(
        ChunkerParameters(minimum: sizes[0], average: sizes[1], maximum: sizes[2]))
      let length = try #require(cut["length"]?.int)
      let seed = try #require(cut["seed"]?.int)
      var generator = XorShift(seed: UInt64(seed))
      let content =
        seed == 0 ? [UInt8](repeating: 0, count: length) : generator.bytes(length)
      let chunker = Chunker(parameters)
      var lengths: [Int] = []
      var start = 0
      while start < content.count {
        lengths.append(chunker.cut(content.span, from: start))
        start += lengths[lengths.count - 1]
      }
      #expect(lengths == cut["lengths"]?.array?.compactMap(\.int))
      #expect(
        Digest.id(.chunk, content.span.extracting(0..<lengths[0])).hex == cut["firstId"]?.string)
    }
  }

  @Test func `content is cut the same however it arrives`() throws {
    var generator = XorShift(seed: 77)
    let content = generator.bytes(900_000)
    let whole = MemoryObjects()
    var builder = ContentBuilder(whole)
    try builder.append(content)
    let expected = try builder.finish()
    for piece in [1000, 4096, 65_537, 1 << 20] {
      let store = MemoryObjects()
      var builder = ContentBuilder(store)
      var start = 0
      while start < content.count {
        let end = min(content.count, start + piece)
        try builder.append(Array(content[start..<end]))
        start = end
      }
      #expect(try builder.finish() == expected)
      let back = try ContentReader(store).bytes(of: expected, size: UInt64(content.count))
      #expect(back == content)
    }
  }

  @Test func `sizes that are no powers of two in order are refused`() {
    #expect(ChunkerParameters(minimum: 64, average: 100, maximum: 4096) == nil)
    #expect(ChunkerParameters(minimum: 32, average: 64, maximum: 4096) == nil)
    #expect(ChunkerParameters(minimum: 64, average: 64, maximum: 4096) == nil)
    #expect(ChunkerParameters(minimum: 64, average: 128, maximum: 16 << 20) == nil)
    #expect(ChunkerParameters(minimum: 64, average: 128, maximum: 8 << 20) != nil)
  }

  private func hex(_ word: UInt64) -> String {
    let text = String(word, radix: 16)
    return String(repeating: "0", count: 16 - text.count) + text
  }
}
