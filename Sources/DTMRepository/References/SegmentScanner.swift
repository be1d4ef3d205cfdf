/// A part of one copy that is not as it should be, while the other copy is.
struct SegmentFlaw: Sendable {
  let copy: SegmentCopyName
  let offset: Int
  /// The records concerned; nil for the header or the whole file.
  var sequences: ClosedRange<UInt64>?
  let message: String
  /// Whether a crash may leave it: of the last record only, torn or not there.
  var isRemnant = false
}

/// Damage that no copy makes good.
struct SegmentDamage: Error {
  let offset: Int
  let sequence: UInt64?
  let message: String
}

/// Goes through the records of a segment in both copies at once; of each record one whole copy
/// counts.
struct SegmentScanner {
  /// Where the next record begins.
  private(set) var offset: Int
  /// Sequence and digest of the record before; nil when it stands in a segment that was not read.
  private(set) var last: (sequence: UInt64, digest: ObjectID)?
  private(set) var flaws: [SegmentFlaw] = []
  /// Whether the log ends with a record that is whole in no copy.
  private(set) var isTorn = false
  /// Only the newest segment may end with a torn record.
  private let isNewest: Bool

  init(offset: Int, last: (sequence: UInt64, digest: ObjectID)?, isNewest: Bool = true) {
    self.offset = offset
    self.last = last
    self.isNewest = isNewest
  }

  /// Calls `each` with every record from here to the end, the bytes that hold it and where in them
  /// it begins.
  ///
  /// Throws `SegmentDamage` when the log is damaged in both copies.
  mutating func scan<Failure: Error>(
    _ a: SegmentCopy, _ b: SegmentCopy,
    each: (RecordFrame, [UInt8], Int) throws(Failure) -> Void
  ) throws(Failure) -> SegmentDamage? {
    while true {
      let first = checked(a.record(at: offset))
      if case .whole(let frame) = first {
        if !b.holds(frame, as: a) {
          let second = checked(b.record(at: offset))
          if case .whole = second {
            return damage("the copies hold different records")
          }
          note(.b, frame, second)
        }
        try each(frame, a.bytes, offset - a.start)
        advance(over: frame)
        continue
      }
      let second = checked(b.record(at: offset))
      guard case .whole(let frame) = second else { return end(a, first, b, second) }
      note(.a, frame, first)
      try each(frame, b.bytes, offset - b.start)
      advance(over: frame)
    }
  }

  /// A whole record that does not follow the one before is as bad as one that is not whole.
  private func checked(_ finding: RecordFinding) -> RecordFinding {
    guard case .whole(let frame) = finding, let last else { return finding }
    if frame.sequence == last.sequence + 1 && frame.previous == last.digest { return finding }
    return .damaged("record \(frame.sequence) does not follow record \(last.sequence)")
  }

  private mutating func advance(over frame: RecordFrame) {
    offset += frame.length
    last = (frame.sequence, frame.digest)
    for index in flaws.indices where flaws[index].sequences?.upperBound != frame.sequence {
      flaws[index].isRemnant = false
    }
  }

  /// Notes that a copy does not have a record; records in a row make one flaw.
  private mutating func note(
    _ copy: SegmentCopyName, _ frame: RecordFrame, _ finding: RecordFinding
  ) {
    if let index = flaws.lastIndex(where: { $0.copy == copy }),
      let sequences = flaws[index].sequences, sequences.upperBound + 1 == frame.sequence
    {
      flaws[index].sequences = sequences.lowerBound...frame.sequence
      // A record is acknowledged when both copies have it: a crash costs a copy one at most.
      flaws[index].isRemnant = false
      return
    }
    let (message, isRemnant): (String, Bool) =
      switch finding {
      case .damaged(let message): (message, false)
      case .torn: ("the record is torn", true)
      case .nothing, .whole: ("the copy ends before the record", true)
      }
    flaws.append(
      SegmentFlaw(
        copy: copy, offset: offset, sequences: frame.sequence...frame.sequence, message: message,
        isRemnant: isRemnant && isNewest))
  }

  private mutating func end(
    _ a: SegmentCopy, _ first: RecordFinding, _ b: SegmentCopy, _ second: RecordFinding
  ) -> SegmentDamage? {
    switch (first, second) {
    case (.nothing, .nothing): return nil
    case (.damaged(let message), .damaged(let other)):
      return damage("\(message) (copy a), \(other) (copy b)")
    case (.damaged(let message), _): return damage("\(message) (copy a), and copy b has none")
    case (_, .damaged(let message)): return damage("\(message) (copy b), and copy a has none")
    default: break
    }
    if a.hasRecord(after: offset) || b.hasRecord(after: offset) {
      return damage("it is torn, but others follow it")
    }
    guard isNewest else { return damage("it is torn, but newer segments follow") }
    isTorn = true
    return nil
  }

  private func damage(_ message: String) -> SegmentDamage {
    SegmentDamage(offset: offset, sequence: last.map { $0.sequence + 1 }, message: message)
  }
}
