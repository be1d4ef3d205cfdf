@testable internal import DTMRepository
internal import DTMSystem

/// The ref log.
enum RefLogFuzzing {
  static func record(_ input: [UInt8]) {
    guard let body = try? RecordBody.decode(ByteReader(input), sequence: 1) else { return }
    _ = body.operation.time.rfc3339
    let encoded = body.encoded()
    guard let again = try? RecordBody.decode(ByteReader(encoded), sequence: 1) else {
      fatalError("a record that was encoded does not decode")
    }
    hold(again.encoded() == encoded, "a record has two encodings")
    let forState = try? RecordBody.decodeForState(ByteReader(input), sequence: 1)
    hold(forState?.refs == body.refs, "a record has other refs where only the state is read")
    hold(
      forState?.operation.moves == body.operation.moves,
      "a record has other moves where only the state is read")
  }

  /// The input is both copies, one behind the other.
  static func segment(_ input: [UInt8]) {
    let half = input.count / 2
    let copies = [Array(input[..<half]), Array(input[half...])]
    for copy in copies { _ = Segment.isHeader(copy.prefix(Segment.headerLength)) }
    let start = min(Segment.headerLength, half)
    let (a, b) = (
      SegmentCopy(bytes: Array(copies[0][start...]), start: start),
      SegmentCopy(bytes: Array(copies[1][start...]), start: start)
    )
    var scanner = SegmentScanner(offset: start, last: nil)
    var state = RefLogState()
    var end = start
    let damage = scanner.scan(a, b) { frame, bytes, at in
      hold(frame.offset == end && frame.length > 0, "records do not follow one another")
      hold(at >= 0 && at + frame.length <= bytes.count, "a record is outside of its segment")
      end += frame.length
      let body = at + Segment.recordHeaderLength
      let reader = ByteReader(bytes, from: body, to: body + frame.bodyLength)
      guard let body = try? RecordBody.decodeForState(reader, sequence: frame.sequence) else {
        return
      }
      state.apply(body, digest: frame.digest, isFirstOfSegment: frame.offset == start)
    }
    if damage == nil { hold(scanner.offset == end, "the scan ends before its last record") }
  }
}
