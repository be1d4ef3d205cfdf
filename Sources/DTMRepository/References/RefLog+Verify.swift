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
    var damages: [RefLogDamage] = []
    var older: SegmentContents?
    var refs: [String: RefValue]?
    for number in Segment.firstNumber...newest {
      guard numbers.contains(number) else {
        damages.append(
          RefLogDamage(
            kind: .lost, segment: number, copy: nil, offset: 0, sequences: nil,
            message: "both copies of the segment are missing"))
        (older, refs) = (nil, nil)
        continue
      }
      let (contents, damage) = try segments.examine(number, isNewest: number == newest)
      damages += contents.flaws.map { flaw in
        RefLogDamage(
          kind: flaw.isRemnant ? .remnant : .mendable, segment: number, copy: flaw.copy,
          offset: flaw.offset, sequences: flaw.sequences ?? contents.sequences,
          message: flaw.message)
      }
      func lost(_ damage: SegmentDamage) {
        damages.append(
          RefLogDamage(
            kind: .lost, segment: number, copy: nil, offset: damage.offset,
            sequences: damage.sequence.map { $0...$0 }, message: damage.message))
      }
      if let damage { lost(damage) }
      if let older, let broken = Self.chainDamage(older: older, newer: contents) { lost(broken) }
      if let wrong = replay(contents, on: &refs) { lost(wrong) }
      older = damage == nil ? contents : nil
      if damage != nil { refs = nil }
    }
    return (damages, newest)
  }

  /// Checks that each record decodes and moves refs from where they are, and that the checkpoint
  /// has the refs that the records before it made.
  private func replay(
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
        if let refs, refs != body.refs {
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
  /// The sequences of its whole records; nil when there is none.
  var sequences: ClosedRange<UInt64>? {
    guard let first = frames.first, let last = frames.last else { return nil }
    return first.sequence...last.sequence
  }
}
