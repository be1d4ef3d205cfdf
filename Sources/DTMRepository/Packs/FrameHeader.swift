internal import DTMSystem

/// The head of a frame: what it holds, where, and the checksums (format: Packs).
package struct FrameHeader: Sendable {
  /// One object of the frame.
  package struct Row: Sendable {
    package let kind: ObjectKind
    /// Bytes of the object.
    package let length: Int
    package let id: ObjectID
  }

  static let magic = Array("DFRM".utf8)
  static let fixedLength = 28
  static let rowLength = 37
  static let checksumLength = 8
  /// A larger frame is refused when it is read.
  static let rawLimit = 16 << 20

  package let isCompressed: Bool
  package let rawLength: Int
  package let payloadLength: Int
  let payloadChecksum: UInt64
  package let rows: [Row]

  /// Bytes of the header, up to the payload.
  package var length: Int {
    Self.fixedLength + rows.count * Self.rowLength + Self.checksumLength
  }
  /// Bytes of the whole frame.
  package var frameLength: Int { length + payloadLength }

  var encoded: [UInt8] {
    var writer = ByteWriter(reserving: length)
    writer.raw(Self.magic)
    writer.u8(isCompressed ? 1 : 0)
    writer.raw([0, 0, 0])
    writer.u32(UInt32(rows.count))
    writer.u32(UInt32(rawLength))
    writer.u32(UInt32(payloadLength))
    writer.u64(payloadChecksum)
    for row in rows {
      writer.u8(row.kind.rawValue)
      writer.u32(UInt32(row.length))
      writer.id(row.id)
    }
    writer.u64(Digest.checksum(writer.bytes.span))
    return writer.bytes
  }

  init(isCompressed: Bool, rawLength: Int, payload: [UInt8], rows: [Row]) {
    self.isCompressed = isCompressed
    self.rawLength = rawLength
    payloadLength = payload.count
    payloadChecksum = Digest.checksum(payload.span)
    self.rows = rows
  }

  /// How many bytes the header at `start` has, from its first 28 bytes; nil where they are no
  /// header's.
  static func length(of bytes: [UInt8], at start: Int) -> Int? {
    guard bytes.count - start >= fixedLength, bytes[start..<(start + 4)].elementsEqual(magic)
    else { return nil }
    var count = 0
    for index in 0..<4 { count |= Int(bytes[start + 8 + index]) << (8 * index) }
    guard count > 0, count <= rawLimit else { return nil }
    return fixedLength + count * rowLength + checksumLength
  }

  /// Decodes the header that starts at `start` and checks its checksum.
  init(decoding bytes: [UInt8], at start: Int) throws(DecodingFailure) {
    guard let length = Self.length(of: bytes, at: start) else {
      throw DecodingFailure(message: "no frame begins here", offset: start)
    }
    guard bytes.count - start >= length else {
      throw DecodingFailure(message: "the frame's header is cut off", offset: start)
    }
    let checksumAt = start + length - Self.checksumLength
    var reader = ByteReader(bytes, from: start + 4, to: start + length)
    let flags = try reader.u8()
    let zero = try reader.raw(3)
    guard flags <= 1, zero == [0, 0, 0] else {
      throw reader.failure("unknown flags of a frame: \(flags)")
    }
    isCompressed = flags & 1 == 1
    let count = Int(try reader.u32())
    rawLength = Int(try reader.u32())
    payloadLength = Int(try reader.u32())
    payloadChecksum = try reader.u64()
    var rows: [Row] = []
    rows.reserveCapacity(count)
    var total = 0
    for _ in 0..<count {
      guard let kind = ObjectKind(rawValue: try reader.u8()) else {
        throw reader.failure("an object of unknown kind")
      }
      let row = Row(kind: kind, length: Int(try reader.u32()), id: try reader.id())
      total += row.length
      rows.append(row)
    }
    self.rows = rows
    let checksum = try reader.u64()
    guard checksum == Digest.checksum(bytes.span.extracting(start..<checksumAt)) else {
      throw DecodingFailure(message: "the frame's header has a wrong checksum", offset: start)
    }
    guard total == rawLength, rawLength <= Self.rawLimit, payloadLength <= Self.rawLimit,
      isCompressed || payloadLength == rawLength
    else { throw DecodingFailure(message: "the frame's lengths do not add up", offset: start) }
  }
}
