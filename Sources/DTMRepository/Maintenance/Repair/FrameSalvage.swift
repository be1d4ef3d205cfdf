internal import DTMSystem

/// Gets what is sound out of a damaged pack's bytes: whole frames as they are, and single objects of
/// frames that are damaged in part.
///
/// An object counts when its bytes have its digest, so that nothing wrong can come out, however wrong
/// the headers are.
struct FrameSalvage {
  /// What was got out.
  enum Piece {
    case frame(FrameHeader, Range<Int>)
    case object(ObjectKind, ObjectID, [UInt8])
  }

  private let bytes: [UInt8]
  private let zstd: Zstd
  /// What the trailer's table says of each frame, where there is one.
  private let table: [Int: [PackRow]]
  private let tableOffsets: [Int]
  private(set) var pieces: [Piece] = []

  /// `table`: rows that the trailer has, believed only where the bytes bear them out.
  init(_ bytes: [UInt8], table rows: [PackRow], zstd: Zstd) {
    self.bytes = bytes
    self.zstd = zstd
    var table: [Int: [PackRow]] = [:]
    for row in rows { table[row.frameOffset, default: []].append(row) }
    self.table = table.mapValues { $0.sorted { $0.rawOffset < $1.rawOffset } }
    tableOffsets = table.keys.sorted()
  }

  /// Goes through the bytes from `start`, the end of the pack's header as far as that is known.
  mutating func run(from start: Int) {
    var offset = start
    while offset < bytes.count {
      if let header = header(at: offset) {
        takeSound(header, at: offset)
        offset += header.frameLength
        continue
      }
      let next = nextFrame(after: offset)
      takeDamaged(at: offset, until: next)
      offset = next
    }
  }

  /// A header with a right checksum, of a frame that ends within the bytes.
  private func header(at offset: Int) -> FrameHeader? {
    guard let header = try? FrameHeader(decoding: bytes, at: offset),
      header.frameLength <= bytes.count - offset
    else { return nil }
    return header
  }

  /// Where the next frame begins with a right header, or the table has one; the end where none does.
  private func nextFrame(after offset: Int) -> Int {
    let known = tableOffsets.first { $0 > offset }
    let end = known ?? bytes.count
    var candidate = offset + 1
    let first = FrameHeader.magic[0]
    while candidate < end {
      if bytes[candidate] == first, header(at: candidate) != nil { return candidate }
      candidate += 1
    }
    return end
  }

  // MARK: - Frames

  /// A frame whose header is right: whole, or the objects of it that are.
  private mutating func takeSound(_ header: FrameHeader, at offset: Int) {
    let payload = (offset + header.length)..<(offset + header.frameLength)
    guard let raw = raw(payload, isCompressed: header.isCompressed, length: header.rawLength)
    else { return }
    let rows = PackRow.rows(of: header, at: offset)
    let isWhole =
      Digest.checksum(bytes.span.extracting(payload)) == header.payloadChecksum
      && rows.allSatisfy { isRight($0, in: raw) }
    if isWhole {
      pieces.append(.frame(header, offset..<(offset + header.frameLength)))
    } else {
      take(rows, from: raw)
    }
  }

  /// A frame whose header is wrong somewhere: the table may tell what is in it, or the rest of the
  /// header.
  private mutating func takeDamaged(at offset: Int, until end: Int) {
    if let rows = table[offset] {
      let start =
        offset + FrameHeader.fixedLength + rows.count * FrameHeader.rowLength
        + FrameHeader.checksumLength
      let length = rows.reduce(0) { $0 + $1.length }
      if take(rows, payload: start..<end, length: length) { return }
    }
    guard let guess = FrameGuess(bytes, at: offset, until: end) else { return }
    take(
      guess.rows, payload: guess.payload, length: guess.rawLength,
      isRight: Digest.checksum(bytes.span.extracting(guess.payload)) == guess.payloadChecksum)
  }

  /// Takes the objects of a payload, compressed or not, that have their digests; returns whether there
  /// were any. `isRight`: the payload has its checksum, so that an id that differs is what is wrong.
  @discardableResult
  private mutating func take(
    _ rows: [PackRow], payload: Range<Int>, length: Int, isRight: Bool = false
  ) -> Bool {
    guard length <= FrameHeader.rawLimit, payload.lowerBound < payload.upperBound,
      payload.upperBound <= bytes.count
    else { return false }
    let before = pieces.count
    for isCompressed in [true, false] {
      guard let raw = raw(payload, isCompressed: isCompressed, length: length) else { continue }
      take(rows, from: raw, isRight: isRight)
      if pieces.count > before { return true }
    }
    return false
  }

  /// Each row's object under its own id; where an id or a kind in the table is what is wrong, under the
  /// one that the bytes have.
  private mutating func take(_ rows: [PackRow], from raw: [UInt8], isRight: Bool = false) {
    for row in rows where row.rawOffset + row.length <= raw.count {
      let object = raw.span.extracting(row.rawOffset..<(row.rawOffset + row.length))
      let kinds: [ObjectKind] = [row.kind, .chunk, .list, .page, .snapshot]
      if let kind = kinds.first(where: { Digest.id($0, object) == row.id }) {
        pieces.append(.object(kind, row.id, [UInt8](copying: object)))
      } else if isRight {
        pieces.append(.object(row.kind, Digest.id(row.kind, object), [UInt8](copying: object)))
      }
    }
  }

  private func isRight(_ row: PackRow, in raw: [UInt8]) -> Bool {
    row.rawOffset + row.length <= raw.count
      && Digest.id(
        row.kind, raw.span.extracting(row.rawOffset..<(row.rawOffset + row.length))) == row.id
  }

  private func raw(_ payload: Range<Int>, isCompressed: Bool, length: Int) -> [UInt8]? {
    if isCompressed { return try? zstd.decompress(bytes, payload, rawLength: length) }
    return payload.count >= length ? Array(bytes[payload].prefix(length)) : nil
  }
}

/// A frame's header read without its checksum: one wrong bit leaves the rest of it right.
private struct FrameGuess {
  let rows: [PackRow]
  let rawLength: Int
  let payload: Range<Int>
  let payloadChecksum: UInt64

  init?(_ bytes: [UInt8], at offset: Int, until end: Int) {
    guard end - offset > FrameHeader.fixedLength else { return nil }
    var reader = ByteReader(bytes, from: offset + 8, to: end)
    do throws(DecodingFailure) {
      let count = Int(try reader.u32())
      _ = try reader.u32()
      let payloadLength = Int(try reader.u32())
      payloadChecksum = try reader.u64()
      guard count > 0, count <= reader.remaining / FrameHeader.rowLength else { return nil }
      var rows: [PackRow] = []
      var start = 0
      for _ in 0..<count {
        let kind = ObjectKind(rawValue: try reader.u8()) ?? .chunk
        let length = Int(try reader.u32())
        rows.append(
          PackRow(
            id: try reader.id(), kind: kind, frameOffset: offset, rawOffset: start,
            length: length))
        start += length
      }
      _ = try reader.u64()
      guard start <= FrameHeader.rawLimit, reader.offset < end else { return nil }
      self.rows = rows
      rawLength = start
      let named = reader.offset + payloadLength
      payload = reader.offset..<(named <= end ? named : end)
    } catch { return nil }
  }
}
