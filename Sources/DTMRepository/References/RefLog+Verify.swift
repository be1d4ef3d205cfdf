internal import DTMSystem

/// Something in the ref log that is not as it should be.
package struct RefLogDamage: Sendable {
  /// How bad it is.
  package enum Kind: Sendable {
    /// One copy has not (yet) the last record: a crash may leave that.
    case remnant
    /// One copy is damaged, the other has all of it; `mend()` and the next writer mend it.
    case mendable
    /// No copy has it.
    case lost
  }

  package let kind: Kind
  package let segment: Int
  /// Nil for both.
  package let copy: SegmentCopyName?
  /// In the segment's file.
  package let offset: Int
  /// The records concerned, where they are known.
  package let sequences: ClosedRange<UInt64>?
  package let message: String
  /// Whether records that were on disk are missing at the end, with nothing left of them.
  package var isEndLost = false

  /// The file, relative to the repository's root.
  package var file: String { Segment.name(segment, copy ?? .a) }
}

extension RefLog {
  /// Reads every segment and the whole chain, and returns all that is wrong; empty is good.
  ///
  /// A torn record at the end of both copies is not wrong. Takes the lock (shared) only when the
  /// newest segment seems to have a flaw, to know a writer at work from a dead one.
  package func verify() throws(RepositoryError) -> [RefLogDamage] {
    let (damages, newest) = try examined()
    guard damages.contains(where: { $0.segment == newest }) else { return damages }
    let lock = try lock(.shared)
    defer { withExtendedLifetime(lock) {} }
    return try examined().damages
  }

  /// All that is wrong, and the newest segment's number.
  func examined() throws(RepositoryError) -> (damages: [RefLogDamage], newest: Int) {
    let numbers = try segments.numbers()
    guard let newest = numbers.last else {
      throw RepositoryError(.notFound, "there is no ref log", file: Segment.directory)
    }
    let noted = try noted()
    var run = Examination()
    for number in Segment.firstNumber...newest {
      guard numbers.contains(number) else {
        run.miss(number)
        continue
      }
      let (contents, damage) = try segments.examine(number, isNewest: number == newest)
      run.take(contents, damage)
      if let noted, contents.frames.contains(where: { $0.digest == noted }) { run.hasNoted = true }
    }
    var damages = run.damages.filter { !run.gone.contains($0.segment) }
    if let noted, !run.hasNoted, !damages.contains(where: { $0.kind == .lost }) {
      damages.append(
        RefLogDamage(
          kind: .lost, segment: newest, copy: nil, offset: 0, sequences: nil,
          message: "the ref log went on to a record that is lost: \(noted)", isEndLost: true))
    }
    return (damages, newest)
  }

  /// What goes from segment to segment while the log is examined.
  private struct Examination {
    var damages: [RefLogDamage] = []
    /// Segments that a repair has given up.
    var gone: Set<Int> = []
    var hasNoted = false
    private var older: SegmentContents?
    private var refs: [String: RefValue]?

    mutating func miss(_ number: Int) {
      damages.append(
        RefLogDamage(
          kind: .lost, segment: number, copy: nil, offset: 0, sequences: nil,
          message: "both copies of the segment are missing"))
      (older, refs) = (nil, nil)
    }

    mutating func take(_ contents: SegmentContents, _ damage: SegmentDamage?) {
      damages += contents.flaws.map { flaw in
        RefLogDamage(
          kind: flaw.isRemnant ? .remnant : .mendable, segment: contents.number, copy: flaw.copy,
          offset: flaw.offset, sequences: flaw.sequences ?? contents.sequences,
          message: flaw.message)
      }
      if let damage { lose(damage, in: contents) }
      gone.formUnion(contents.gone)
      // What was made of salvaged records need not follow what was given up.
      if let number = older?.number, contents.gone.contains(number) { (older, refs) = (nil, nil) }
      if let older, let broken = RefLog.chainDamage(older: older, newer: contents) {
        lose(broken, in: contents)
      }
      if let wrong = RefLog.replay(contents, on: &refs) { lose(wrong, in: contents) }
      older = damage == nil ? contents : nil
      if damage != nil { refs = nil }
    }

    private mutating func lose(_ damage: SegmentDamage, in contents: SegmentContents) {
      damages.append(
        RefLogDamage(
          kind: .lost, segment: contents.number, copy: nil, offset: damage.offset,
          sequences: damage.sequence.map { $0...$0 }, message: damage.message))
    }
  }

  /// Checks that each record decodes and moves refs from where they are, and that the checkpoint
  /// has the refs that the records before it made.
  private static func replay(
    _ contents: SegmentContents, on refs: inout [String: RefValue]?
  ) -> SegmentDamage? {
    for (index, frame) in contents.frames.enumerated() {
      func damage(_ message: String) -> SegmentDamage {
        SegmentDamage(offset: frame.offset, sequence: frame.sequence, message: message)
      }
      let body: RecordBody
      do throws(RepositoryError) {
        body = try contents.body(frame)
      } catch {
        refs = nil
        return damage(error.message)
      }
      if index == 0 {
        defer { refs = body.refs }
        // A repair may have found refs that the log did not know.
        if let refs, refs != body.refs, body.operation.kind != RefLog.repairKind {
          return damage("the checkpoint has other refs than the log")
        }
        continue
      }
      for move in body.operation.moves {
        if refs?[move.ref] != move.old {
          refs = nil
          return damage("the ref \(move.ref) moves from where it is not")
        }
        refs?[move.ref] = move.new
      }
    }
    return nil
  }
}

extension SegmentContents {
  /// The segments that its first record says are given up.
  var gone: Set<Int> {
    guard let first = frames.first,
      let operation = (try? body(first))?.operation, operation.kind == RefLog.repairKind
    else { return [] }
    return Set(operation.details.compactMap { $0.0 == RefLog.goneDetail ? Int($0.1) : nil })
  }

  /// The sequences of its whole records; nil when there is none.
  var sequences: ClosedRange<UInt64>? {
    guard let first = frames.first, let last = frames.last else { return nil }
    return first.sequence...last.sequence
  }
}
