internal import DTMSystem

/// Collects objects, neighbours in path order, until they are worth a frame.
package struct FrameBuilder: Sendable {
  /// Raw bytes after which a frame is closed (tune). Larger frames pack better; smaller ones cost
  /// less when one object is read back.
  private let target: Int
  private(set) var raw: [UInt8] = []
  private(set) var rows: [FrameHeader.Row] = []

  /// Empty, with the room that frames of such packs have.
  package init(_ kind: PackKind) {
    switch kind {
    case .data: target = 256 << 10
    case .metadata: target = 96 << 10
    }
  }

  var isEmpty: Bool { rows.isEmpty }

  /// Whether the frame should be closed before an object of this many bytes is added.
  func isFull(for length: Int) -> Bool {
    !rows.isEmpty && raw.count + length > target
  }

  /// Adds an object, whose digest the caller knows.
  package mutating func append(_ kind: ObjectKind, _ id: ObjectID, _ bytes: Span<UInt8>) {
    rows.append(FrameHeader.Row(kind: kind, length: bytes.count, id: id))
    raw.append(bytes)
  }

  /// The bytes of the row at an index that waits in the builder.
  func bytes(row index: Int) -> [UInt8] {
    let start = rows[..<index].reduce(0) { $0 + $1.length }
    return Array(raw[start..<(start + rows[index].length)])
  }

  /// The whole frame, decoded and hashed again before it is handed out; empties the builder.
  ///
  /// Throws `.corrupt` when what would be written does not give the objects back (a fault of this
  /// machine's memory or of the compressor): nothing is written then.
  package mutating func finish(_ zstd: Zstd, level: Int) throws(RepositoryError) -> (
    header: FrameHeader, bytes: [UInt8]
  ) {
    let compressed = try zstd.compress(raw, level: level)
    // Less than 3 % saved is not worth unpacking it each time.
    let isCompressed = compressed.count < raw.count - raw.count / 32
    let payload = isCompressed ? compressed : raw
    let header = FrameHeader(
      isCompressed: isCompressed, rawLength: raw.count, payload: payload, rows: rows)
    do throws(DecodingFailure) {
      let decoded =
        isCompressed
        ? try zstd.decompress(payload, 0..<payload.count, rawLength: raw.count) : payload
      try FrameBuilder.check(decoded, rows)
    } catch {
      throw RepositoryError(error, of: "a frame that was just packed")
    }
    var bytes = header.encoded
    bytes += payload
    raw.removeAll(keepingCapacity: true)
    rows.removeAll(keepingCapacity: true)
    return (header, bytes)
  }

  /// Hashes each object of a decoded frame.
  static func check(_ raw: [UInt8], _ rows: [FrameHeader.Row]) throws(DecodingFailure) {
    var start = 0
    for row in rows {
      let found = Digest.id(row.kind, raw.span.extracting(start..<(start + row.length)))
      if found != row.id {
        throw DecodingFailure(
          message: "\(row.kind) \(row.id) has the digest \(found)", offset: start)
      }
      start += row.length
    }
  }
}
