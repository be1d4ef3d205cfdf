@testable internal import DTMRepository
internal import DTMSystem

/// Frames, packs and indexes.
extension Seeds {
  static let header = FrameHeader(
    isCompressed: false, rawLength: 5, payload: Array("hello".utf8),
    rows: [
      FrameHeader.Row(kind: .chunk, length: 2, id: id),
      FrameHeader.Row(kind: .page, length: 3, id: id),
    ])

  static var frames: [[UInt8]] {
    let format = texts(#"{"format":"dtm"}"#)[0]
    var result = [
      PackHeader(kind: .metadata, id: folder, format: format).encoded,
      header.encoded + Array("hello".utf8),
    ]
    let raw = [UInt8](repeating: 65, count: 500)
    if let packed = try? Zstd().compress(raw, level: 1) {
      let rows = [FrameHeader.Row(kind: .chunk, length: raw.count, id: id)]
      result.append(
        FrameHeader(isCompressed: true, rawLength: raw.count, payload: packed, rows: rows).encoded
          + packed)
    }
    return result
  }

  static var sealedPack: [UInt8] {
    let format = texts(#"{"format":"dtm"}"#)[0]
    var bytes = PackHeader(kind: .data, id: PackFuzzing.pack, format: format).encoded
    let start = bytes.count
    bytes += header.encoded + Array("hello".utf8)
    bytes += PackTrailer.encode(PackRow.rows(of: header, at: start), at: bytes.count)
    var foot = ByteWriter()
    foot.id(Digest.sha256(bytes.span))
    foot.raw(PackTrailer.endMagic)
    return bytes + foot.bytes
  }

  /// One pack and two rows, as `MergedIndex.write` lays them out.
  static var mergedIndex: [UInt8] {
    var writer = ByteWriter()
    writer.raw(MergedIndex.magic)
    writer.u32(1)
    writer.u32(1)
    writer.u64(2)
    writer.raw(folder.bytes)
    writer.u8(PackKind.data.rawValue)
    writer.u64(Digest.checksum(writer.bytes.span))
    while writer.bytes.count % 8 != 0 { writer.u8(0) }
    writer.u32(1)
    writer.u32(2)
    for first in [1, UInt64.max] {
      writer.id(ObjectID(words: (first, 2, 3, 4)))
      writer.u64(60)
    }
    return writer.bytes
  }
}
