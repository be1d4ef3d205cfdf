internal import DTMSystem

/// Where a whole record stands and what its header says.
struct RecordFrame {
  /// In the segment's file.
  let offset: Int
  let length: Int
  let sequence: UInt64
  /// The digest of the record before.
  let previous: ObjectID
  let digest: ObjectID
  let bodyLength: Int
}

/// What stands in one copy at an offset.
enum RecordFinding {
  case whole(RecordFrame)
  /// The copy ends there, or before.
  case nothing
  /// What a crash may leave of a record that was being appended.
  case torn
  case damaged(String)
}

/// One copy's bytes, from an offset to the file's end.
struct SegmentCopy {
  let bytes: [UInt8]
  /// Where in the file the bytes begin.
  let start: Int

  var end: Int { start + bytes.count }

  /// Whether a record of another copy stands in this one as it does there.
  func holds(_ frame: RecordFrame, as other: SegmentCopy) -> Bool {
    guard let mine = part(of: frame), let others = other.part(of: frame) else { return false }
    return bytes.span.extracting(mine)
      .comparison(with: other.bytes.span.extracting(others)) == 0
  }

  /// Where a record is in the bytes; nil where the copy ends before.
  private func part(of frame: RecordFrame) -> Range<Int>? {
    let at = frame.offset - start
    guard at >= 0, at + frame.length <= bytes.count else { return nil }
    return at..<(at + frame.length)
  }

  /// Looks at what stands at an offset (format: The ref log, what a torn record is).
  func record(at offset: Int) -> RecordFinding {
    let at = offset - start
    let available = bytes.count - at
    if available <= 0 { return .nothing }
    if available < 8 { return .torn }
    let length = Int(u32(at))
    guard
      bytes[(at + 4)..<(at + 8)].elementsEqual(Segment.recordMagic), length % 8 == 0,
      (Segment.minimumRecordLength...Segment.maximumRecordLength).contains(length)
    else {
      return isZero(sectorPart(at, within: bytes.count))
        ? .torn : .damaged("no record begins there")
    }
    let agrees = lengthsAgree(at, length)
    if length > available {
      return agrees ?? true ? .torn : .damaged("the record's two lengths do not agree")
    }
    if agrees == true, let frame = wholeRecord(at, length) { return .whole(frame) }
    var part = at
    while part < at + length {
      let range = sectorPart(part, within: at + length)
      if isZero(range) {
        // Nothing is ever appended behind a torn record.
        return at + length < bytes.count ? .damaged("it is torn, but more follows") : .torn
      }
      part = range.upperBound
    }
    return .damaged("the record's digest is wrong")
  }

  /// Whether a whole record stands anywhere behind an offset; records begin at multiples of 8.
  func hasRecord(after offset: Int) -> Bool {
    var candidate = offset + 8
    while candidate < end {
      if candidate >= start, case .whole = record(at: candidate) { return true }
      candidate += 8
    }
    return false
  }

  // MARK: Private, with positions in `bytes`

  /// Whether the record's length follows from its body's length; nil where a crash may have left
  /// the latter out.
  private func lengthsAgree(_ at: Int, _ length: Int) -> Bool? {
    let field = at + Segment.recordHeaderLength - 4
    guard field + 4 <= bytes.count else { return nil }
    let bodyLength = Int(u32(field))
    if Segment.recordLength(body: bodyLength) == length { return true }
    return isZero(sectorPart(field, within: min(at + length, bytes.count))) ? nil : false
  }

  private func wholeRecord(_ at: Int, _ length: Int) -> RecordFrame? {
    let end = at + length - Segment.digestLength
    let digest = Digest.sha256(bytes.span.extracting(at..<end))
    guard ObjectID(bytes.span, at: end) == digest else { return nil }
    let previous = ObjectID(bytes.span, at: at + 16)
    let sequence = UInt64(u32(at + 8)) | UInt64(u32(at + 12)) << 32
    // No log gets there, and every number that is taken has a next one.
    guard sequence < UInt64.max else { return nil }
    return RecordFrame(
      offset: start + at, length: length, sequence: sequence, previous: previous, digest: digest,
      bodyLength: Int(u32(at + 48)))
  }

  /// From a position to the end of its sector of the file, or to the limit.
  private func sectorPart(_ at: Int, within limit: Int) -> Range<Int> {
    let border = (start + at) / Segment.sectorLength * Segment.sectorLength + Segment.sectorLength
    return at..<max(at, min(limit, border - start))
  }

  private func isZero(_ range: Range<Int>) -> Bool {
    bytes[range].allSatisfy { $0 == 0 }
  }

  private func u32(_ at: Int) -> UInt32 {
    UInt32(bytes[at]) | UInt32(bytes[at + 1]) << 8 | UInt32(bytes[at + 2]) << 16
      | UInt32(bytes[at + 3]) << 24
  }
}
