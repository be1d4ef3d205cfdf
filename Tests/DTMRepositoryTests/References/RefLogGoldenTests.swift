import DTMRepository
import DTMSystem
import Testing

/// Against bytes that an independent implementation made from the format page.
@Suite struct RefLogGoldenTests {
  @Test func `a segment's header has the golden bytes`() throws {
    let golden = try Golden()
    let bytes = try golden.bytes("segmentHeader")
    let repository = try #require(PackID(Array(bytes[8..<24])))
    #expect(Segment.header(3, repository: repository) == bytes)
  }

  @Test func `a record is read from the golden bytes and written as they are`() throws {
    let golden = try Golden()
    let bytes = try golden.bytes("record")
    let previous = try #require(ObjectID(bytes[16..<48]))
    let body = try RecordBody.decode(
      ByteReader(bytes, from: 52, to: 52 + Int(bytes[48])), sequence: 9)
    #expect(body.operation.kind == "snapshot")
    #expect((body.operation.pid, body.operation.uid) == (42, 1000))
    #expect(body.operation.time.nanoseconds == 5)
    #expect(body.operation.moves.map(\.ref) == ["folders/x/HEAD", "folders/x/branches/main"])
    #expect(body.operation.moves[0].new == .name("main"))
    #expect(body.operation.livePacks.map(\.length) == [4096])
    let record = Segment.record(sequence: 9, previous: previous, body: body.encoded())
    #expect(record.bytes == bytes)
    #expect(record.digest == ObjectID(bytes.suffix(32)))
  }
}
