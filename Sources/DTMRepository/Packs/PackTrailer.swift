internal import DTMSystem

/// Where an object stands in a pack.
struct PackRow: Sendable {
  let id: ObjectID
  let kind: ObjectKind
  /// Of its frame, in the pack.
  let frameOffset: Int
  /// In the frame's raw bytes.
  let rawOffset: Int
  let length: Int

  var name: ObjectName { ObjectName(id: id, kind: kind) }

  /// The rows of a frame's objects.
  static func rows(of header: FrameHeader, at offset: Int) -> [PackRow] {
    var start = 0
    return header.rows.map { row in
      defer { start += row.length }
      return PackRow(
        id: row.id, kind: row.kind, frameOffset: offset, rawOffset: start, length: row.length)
    }
  }
}

/// The object table at the end of a sealed pack (format: Packs).
enum PackTrailer {
  static let magic = Array("DTMTRLR1".utf8)
  static let endMagic = Array("DTMSEAL1".utf8)
  static let rowLength = 52
  static let headLength = 8 + 8 + 1024
  static let footLength = 8 + 32 + 8

  /// All of the trailer up to the digest, for a pack whose frames end at `offset`.
  static func encode(_ rows: [PackRow], at offset: Int) -> [UInt8] {
    let sorted = rows.sorted {
      ($0.id, $0.kind.rawValue, $0.frameOffset) < ($1.id, $1.kind.rawValue, $1.frameOffset)
    }
    var writer = ByteWriter(reserving: headLength + rows.count * rowLength + footLength)
    writer.raw(magic)
    writer.u64(UInt64(sorted.count))
    var counts = [UInt32](repeating: 0, count: 256)
    for row in sorted { counts[Int(row.id.words.0 >> 56)] += 1 }
    var total: UInt32 = 0
    for count in counts {
      total += count
      writer.u32(total)
    }
    for row in sorted {
      writer.id(row.id)
      writer.u64(UInt64(row.frameOffset))
      writer.u32(UInt32(row.rawOffset))
      writer.u32(UInt32(row.length))
      writer.u8(row.kind.rawValue)
      writer.raw([0, 0, 0])
    }
    writer.u64(UInt64(offset))
    return writer.bytes
  }

  /// The trailer's offset, from the pack's last 48 bytes; nil where they are no sealed pack's.
  static func offset(foot: [UInt8], packLength: Int) -> Int? {
    guard packLength >= headLength + footLength, foot.count == footLength,
      foot.suffix(8).elementsEqual(endMagic)
    else { return nil }
    var offset: UInt64 = 0
    for index in 0..<8 { offset |= UInt64(foot[index]) << UInt64(8 * index) }
    guard offset <= UInt64(packLength - headLength - footLength) else { return nil }
    return Int(offset)
  }
}
