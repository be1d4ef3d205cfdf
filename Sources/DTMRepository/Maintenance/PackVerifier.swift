internal import DTMSystem
internal import SystemPackage

/// Checks one pack: every frame's checksums, that frames follow without gaps, the trailer's table and,
/// when data is read, each object's digest and the whole file's.
struct PackVerifier {
  /// What was found wrong, with the objects that it takes with it.
  struct Finding {
    let message: String
    /// Empty where it is not known, or where no object suffers.
    let objects: [ObjectID]
  }

  private(set) var objects = 0
  private(set) var bytes = 0
  private(set) var findings: [Finding] = []

  private let pack: PackFile
  private let zstd: Zstd
  private let readsData: Bool

  init(_ pack: PackFile, zstd: Zstd, readsData: Bool) {
    self.pack = pack
    self.zstd = zstd
    self.readsData = readsData
  }

  /// Runs all checks. Throws only what is no finding: a failing disk is one.
  mutating func run() {
    var rows: [PackRow] = []
    var offset = pack.framesStart
    do throws(RepositoryError) {
      try pack.forEachFrame { at, header throws(RepositoryError) in
        rows += PackRow.rows(of: header, at: at)
        objects += header.rows.count
        offset = at + header.frameLength
        if readsData { verifyPayload(at: at, header) }
      }
    } catch {
      let lost = rowsOfTable().filter { $0.frameOffset >= offset }.map(\.id)
      findings.append(Finding(message: error.message, objects: lost))
    }
    guard pack.isSealed else { return }
    verifyTable(rows)
    if readsData { verifyDigest() }
  }

  private mutating func verifyPayload(at offset: Int, _ header: FrameHeader) {
    do throws(RepositoryError) {
      let frame = try pack.frame(at: offset, zstd, checksPayload: true)
      bytes += frame.raw.count
      var start = 0
      for row in header.rows {
        let found = Digest.id(row.kind, frame.raw.span.extracting(start..<(start + row.length)))
        if found != row.id {
          findings.append(
            Finding(
              message: "\(pack.name): \(row.kind) \(row.id) has the digest \(found)",
              objects: [row.id]))
        }
        start += row.length
      }
    } catch {
      findings.append(Finding(message: error.message, objects: header.rows.map(\.id)))
    }
  }

  /// The trailer has to hold exactly the frames' rows.
  private mutating func verifyTable(_ rows: [PackRow]) {
    guard pack.table != nil else {
      findings.append(Finding(message: "\(pack.name): the trailer is damaged", objects: []))
      return
    }
    let expected = PackTrailer.encode(rows, at: pack.framesEnd)
    do throws(Errno) {
      let found = try pack.file.read(at: pack.framesEnd, count: expected.count)
      if found != expected {
        findings.append(
          Finding(message: "\(pack.name): the trailer's table is not the frames'", objects: []))
      }
    } catch {
      findings.append(Finding(message: "read \(pack.name): \(error.description)", objects: []))
    }
  }

  private mutating func verifyDigest() {
    do throws(Errno) {
      let end = try pack.file.size() - 40
      var digest = Digest.Running()
      var position = 0
      while position < end {
        let part = try pack.file.read(at: position, count: min(1 << 20, end - position))
        if part.isEmpty { break }
        digest.update(part)
        position += part.count
      }
      let foot = try pack.file.read(at: end, count: 32)
      if ObjectID(foot) != digest.current() {
        findings.append(
          Finding(message: "\(pack.name): the pack's digest is not its bytes'", objects: []))
      }
    } catch {
      findings.append(Finding(message: "read \(pack.name): \(error.description)", objects: []))
    }
  }

  /// What a whole trailer says of a pack whose frames can't be read to the end.
  private func rowsOfTable() -> [PackRow] {
    guard let table = pack.table else { return [] }
    return (0..<table.count).compactMap { row in
      let at = table.rowOffset(row)
      let frameOffset = table.bytes.littleEndianWord(at: at + 32)
      guard frameOffset < UInt64(pack.framesEnd) else { return nil }
      return PackRow(
        id: table.id(row), kind: .chunk, frameOffset: Int(frameOffset), rawOffset: 0, length: 0)
    }
  }
}
