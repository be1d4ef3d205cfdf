internal import DTMSystem
internal import SystemPackage

/// What can still be read of a ref log that is damaged in both copies: each whole record, wherever it
/// stands.
struct RefLogSalvage {
  /// A whole record.
  struct Record {
    let sequence: UInt64
    let digest: ObjectID
    let body: RecordBody
    /// Whether it is a segment's first: then it says what all refs are.
    let isCheckpoint: Bool
    let segment: Int
  }

  /// By sequence, each once.
  private(set) var records: [Record] = []
  /// Numbers that segments have, or had.
  private(set) var numbers: [Int] = []

  /// Reads all segments' copies.
  init(_ segments: SegmentFiles) throws(RepositoryError) {
    numbers = try segments.numbers()
    var found: [UInt64: Record] = [:]
    for number in numbers {
      for copy in SegmentCopyName.allCases {
        for record in try Self.records(of: number, copy, segments) {
          // Of two with one sequence the later segment's counts: a repair began again there.
          if let known = found[record.sequence], known.segment >= record.segment { continue }
          found[record.sequence] = record
        }
      }
    }
    records = found.values.sorted { $0.sequence < $1.sequence }
  }

  private static func records(
    of number: Int, _ name: SegmentCopyName, _ segments: SegmentFiles
  ) throws(RepositoryError) -> [Record] {
    guard let (file, _) = try segments.openCopy(number, name) else { return [] }
    let copy = try segments.bytes(file, from: 0, name: Segment.name(number, name))
    let header = copy.bytes.prefix(Segment.headerLength)
    // Another repository's log has nothing to say here.
    if Segment.isHeader(header), !header.dropFirst(8).starts(with: segments.repository.bytes) {
      return []
    }
    var found: [Record] = []
    var offset = Segment.headerLength
    while offset < copy.end {
      guard case .whole(let frame) = copy.record(at: offset) else {
        offset += 8
        continue
      }
      let body = try? SegmentFiles.body(frame, in: copy.bytes, at: frame.offset, segment: number)
      if let body {
        found.append(
          Record(
            sequence: frame.sequence, digest: frame.digest, body: body,
            isCheckpoint: offset == Segment.headerLength, segment: number))
      }
      offset += frame.length
    }
    return found
  }

  // MARK: - What they say

  /// The refs, the operations and the live packs as far as the records tell.
  struct Knowledge {
    var state = RefLogState()
    /// When the last checkpoint was made that could be read; nil: none.
    var checkpointTime: Timestamp?
    /// Refs that records name, those that were taken away included.
    var mentioned: Set<String> = []
    /// What refs were at, as far as records tell.
    var targets: Set<ObjectID> = []
    /// Whether records are missing behind the last checkpoint, between others.
    var hasGap = false

    mutating func note(_ values: some Sequence<RefValue>) {
      for case .id(let id) in values { targets.insert(id) }
    }
  }

  /// Plays the records, from the last checkpoint on.
  var knowledge: Knowledge {
    var known = Knowledge()
    var last: UInt64?
    for record in records {
      let operation = record.body.operation
      if record.isCheckpoint {
        known.checkpointTime = operation.time
        known.hasGap = false
        known.mentioned.formUnion(record.body.refs.keys)
        known.note(record.body.refs.values)
      } else if let last, record.sequence != last + 1 {
        known.hasGap = true
      }
      known.mentioned.formUnion(operation.moves.map(\.ref))
      known.note(operation.moves.flatMap { [$0.old, $0.new].compactMap(\.self) })
      known.state.apply(
        record.body, digest: record.digest, isFirstOfSegment: record.isCheckpoint)
      last = record.sequence
    }
    return known
  }

  /// The facts of some segments, the newest of each key, at most so many bytes of them; and how many
  /// were left out.
  ///
  /// `isThere`: whether a snapshot can be read. Of those that can't, what the branch was at before them
  /// becomes a fact, as nothing else knows it then.
  func facts(
    of segments: Set<Int>, passing isThere: (ObjectID) -> Bool, limit: Int
  ) -> (kept: [Fact], dropped: Int) {
    var seen: Set<Fact> = []
    var kept: [Fact] = []
    var bytes = 0
    var dropped = 0
    func add(_ fact: Fact) {
      let key = Fact(subject: fact.subject, key: fact.key, value: [])
      guard seen.insert(key).inserted else { return }
      bytes += fact.key.utf8.count + fact.value.count + ObjectID.length + 8
      if bytes > limit { dropped += 1 } else { kept.append(fact) }
    }
    for record in records.reversed() where segments.contains(record.segment) {
      let operation = record.body.operation
      operation.facts.forEach(add)
      if operation.undoes != nil { continue }
      for move in operation.moves {
        guard case .id(let new) = move.new, case .id(let old) = move.old, !isThere(new) else {
          continue
        }
        add(Fact(subject: new, key: RefLog.predecessorFact, value: old.bytes))
      }
    }
    return (kept, dropped)
  }
}
