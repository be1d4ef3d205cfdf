import DTMRepository
import DTMSystem
import Testing

@Suite struct SnapshotEncodingTests {
  @Test(arguments: ["snapshotSmall", "snapshotFull"])
  func `a snapshot's encoding is the one of an independent implementation`(_ name: String) throws {
    let golden = try Golden()
    let encoding = try golden.bytes(name, "encoding")
    let id = try golden.id(name, "id")
    let snapshot = try Snapshot(decoding: encoding, id: id)
    #expect(Digest.id(.snapshot, encoding) == id)
    if name == "snapshotFull" {
      #expect(snapshot.encoded == encoding)
      #expect(snapshot.id == id)
      #expect(snapshot.hot == [PathKey(bytes: Array("e".utf8))])
      #expect(snapshot.counts.stable == 4)
      #expect(snapshot.labels == ["a": "1", "b": "2"])
    }
  }

  @Test func `a cut off snapshot is an error, a changed one another snapshot`() throws {
    let golden = try Golden()
    let encoding = try golden.bytes("snapshotFull", "encoding")
    let id = try golden.id("snapshotFull", "id")
    let whole = try Snapshot(decoding: encoding, id: id)
    for length in 0..<encoding.count {
      if let cut = try? Snapshot(decoding: Array(encoding[..<length]), id: id) {
        #expect(cut != whole)
      }
    }
    for index in encoding.indices {
      for bit in 0..<8 {
        var changed = encoding
        changed[index] ^= 1 << UInt8(bit)
        if let other = try? Snapshot(decoding: changed, id: id) {
          #expect(other != whole || other.encoded == encoding)
        }
      }
    }
  }

  @Test func `numbers are written in their shortest form and no other is read`() throws {
    let golden = try Golden()
    for entry in try #require(try golden["varints"].array) {
      let encoding = try #require(entry["encoding"]?.string.flatMap(Hex.bytes))
      var reader = ByteReader(encoding)
      var writer = ByteWriter()
      writer.varint(try reader.varint())
      #expect(reader.isAtEnd)
      #expect(writer.bytes == encoding)
    }
    for entry in try #require(try golden["svarints"].array) {
      let encoding = try #require(entry["encoding"]?.string.flatMap(Hex.bytes))
      var reader = ByteReader(encoding)
      var writer = ByteWriter()
      writer.svarint(try reader.svarint())
      #expect(reader.isAtEnd)
      #expect(writer.bytes == encoding)
    }
    for wrong: [UInt8] in [[0x80, 0x00], [0x81, 0x80, 0x00], [UInt8](repeating: 0xFF, count: 10)] {
      var reader = ByteReader(wrong)
      #expect(throws: DecodingFailure.self) { _ = try reader.varint() }
    }
  }
}
