internal import DTMSystem
internal import SystemPackage

/// One pass over a sealed pack that finds out whether anything is wrong with it, not what.
///
/// Every byte is read once and goes into the pack's digest; every object is unpacked and hashed. Where
/// the digest is right the payloads' own checksums would tell nothing more.
struct SoundPackPass {
  private(set) var objects = 0
  private(set) var bytes = 0

  private let pack: PackFile
  private let zstd: Zstd
  private var digest = Digest.Running()
  private var rows: [PackRow] = []

  /// `pack`: sealed, with a table.
  init(_ pack: PackFile, zstd: Zstd) {
    self.pack = pack
    self.zstd = zstd
  }

  /// Whether all is right. After `false` the counts mean nothing.
  mutating func run() -> Bool {
    do throws(RepositoryError) {
      digest.update(try read(at: 0, count: pack.framesStart))
      try pack.forEachFrame { offset, header throws(RepositoryError) in
        rows += PackRow.rows(of: header, at: offset)
        try check(header, try read(at: offset, count: header.frameLength))
      }
      let trailer = PackTrailer.encode(rows, at: pack.framesEnd)
      guard try read(at: pack.framesEnd, count: trailer.count) == trailer else { return false }
      digest.update(trailer)
      let end = pack.framesEnd + trailer.count
      let foot = digest.current().bytes + PackTrailer.endMagic
      guard try read(at: end, count: foot.count) == foot else { return false }
      return try isEnd(end + foot.count)
    } catch {
      // Whoever looks closely meets it again, and says what it is.
      return false
    }
  }

  private mutating func check(
    _ header: FrameHeader, _ frame: [UInt8]
  ) throws(RepositoryError) {
    digest.update(frame)
    let payload = header.length..<header.frameLength
    do throws(DecodingFailure) {
      if header.isCompressed {
        let raw = try zstd.decompress(frame, payload, rawLength: header.rawLength)
        try checkObjects(header, raw.span)
      } else {
        try checkObjects(header, frame.span.extracting(payload))
      }
    } catch { throw RepositoryError(.corrupt, "\(pack.name): \(error.message)", file: pack.name) }
    objects += header.rows.count
    bytes += header.rawLength
  }

  private func checkObjects(
    _ header: FrameHeader, _ raw: Span<UInt8>
  ) throws(DecodingFailure) {
    var start = 0
    for row in header.rows {
      guard Digest.id(row.kind, raw.extracting(start..<(start + row.length))) == row.id else {
        throw DecodingFailure(message: "an object has another digest", offset: start)
      }
      start += row.length
    }
  }

  private func read(at offset: Int, count: Int) throws(RepositoryError) -> [UInt8] {
    let bytes = try onFile(pack.name, "read") { () throws(Errno) in
      try pack.file.read(at: offset, count: count)
    }
    guard bytes.count == count else {
      throw RepositoryError(
        .corrupt, "\(pack.name) ends at \(offset + bytes.count)", file: pack.name)
    }
    return bytes
  }

  private func isEnd(_ length: Int) throws(RepositoryError) -> Bool {
    try onFile(pack.name, "stat") { () throws(Errno) in try pack.file.size() == length }
  }
}
