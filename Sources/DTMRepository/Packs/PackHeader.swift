internal import DTMSystem

/// The head of a pack (format: Packs).
struct PackHeader {
  static let magic = Array("DTMPACK1".utf8)

  let kind: PackKind
  let id: PackID
  /// `format.json`, as it stands in the file.
  let format: [UInt8]

  var encoded: [UInt8] {
    var writer = ByteWriter()
    writer.raw(Self.magic)
    // magic, length, kind, zeros, uuid, length of format.json, checksum
    writer.u32(UInt32(8 + 4 + 4 + 16 + 4 + format.count + 8))
    writer.u8(kind.rawValue)
    writer.raw([0, 0, 0])
    writer.raw(id.bytes)
    writer.u32(UInt32(format.count))
    writer.raw(format)
    writer.u64(Digest.checksum(writer.bytes.span))
    return writer.bytes
  }

  init(kind: PackKind, id: PackID, format: [UInt8]) {
    self.kind = kind
    self.id = id
    self.format = format
  }

  /// Decodes the first bytes of a pack; returns the header and its length.
  static func decode(
    _ bytes: [UInt8]
  ) throws(DecodingFailure) -> (header: PackHeader, length: Int) {
    var reader = ByteReader(bytes)
    guard try reader.raw(8) == magic else { throw reader.failure("this is no pack") }
    let length = Int(try reader.u32())
    guard length >= 44, length <= bytes.count else {
      throw reader.failure("the pack's header is cut off")
    }
    guard let kind = PackKind(rawValue: try reader.u8()) else {
      throw reader.failure("a pack of unknown kind")
    }
    guard try reader.raw(3) == [0, 0, 0] else { throw reader.failure("zeros are expected") }
    guard let id = PackID(try reader.raw(16)) else { throw reader.failure("no uuid") }
    let formatLength = Int(try reader.u32())
    guard formatLength == length - 44 else { throw reader.failure("lengths do not add up") }
    let format = try reader.raw(formatLength)
    guard try reader.u64() == Digest.checksum(bytes.span.extracting(0..<(length - 8))) else {
      throw reader.failure("the pack's header has a wrong checksum")
    }
    return (PackHeader(kind: kind, id: id, format: format), length)
  }
}
