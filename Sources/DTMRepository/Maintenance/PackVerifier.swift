internal import DTMSystem
internal import SystemPackage

/// Checks one pack: every frame's checksums, that frames follow without gaps, the trailer's table and,
/// when data is read, each object's digest and the whole file's.
struct PackVerifier {
  /// What was found wrong, with the objects that it takes with it.
  struct Finding {
    let message: String
    /// Empty where it is not known, or where no object suffers.
    let objects: [ObjectName]
  }

  private(set) var objects = 0
  private(set) var bytes = 0
  private(set) var findings: [Finding] = []

  private let pack: PackFile
  private let zstd: Zstd
  private let sample: FrameSample
  /// What the trailer's table says, and the offsets of its frames in order; empty without one.
  private lazy var tableRows = pack.tableRows
  private lazy var frameOffsets = Set(tableRows.map(\.frameOffset)).sorted()

  init(_ pack: PackFile, zstd: Zstd, reading sample: FrameSample) {
    self.pack = pack
    self.zstd = zstd
    self.sample = sample
  }

  /// Runs all checks. Whatever fails is a finding, a failing disk too.
  mutating func run() {
    if sample.isAll, pack.isSealed, pack.table != nil {
      var pass = SoundPackPass(pack, zstd: zstd)
      if pass.run() {
        (objects, bytes) = (pass.objects, pass.bytes)
        return
      }
    }
    // Something is wrong, or there is no digest of the whole: look closely.
    var rows: [PackRow] = []
    var start = pack.framesStart
    verifyLength()
    // A frame that can't be read hides the next ones, but for the table, which names them.
    while let damaged = verifyFrames(from: start, &rows) {
      guard let next = frameOffsets.first(where: { $0 > damaged }) else { break }
      start = next
    }
    guard pack.isSealed else { return }
    verifyTable(rows)
    if sample.isAll { verifyDigest() }
  }

  /// Checks frames in a row; returns where one can't be read, or nil at the end.
  private mutating func verifyFrames(from start: Int, _ rows: inout [PackRow]) -> Int? {
    var offset = start
    do throws(RepositoryError) {
      try pack.forEachFrame(from: start) { at, header throws(RepositoryError) in
        rows += PackRow.rows(of: header, at: at)
        objects += header.rows.count
        offset = at + header.frameLength
        if sample.holds(pack.id, at) { verifyPayload(at: at, header) }
      }
      return nil
    } catch {
      if pack.isSealed, pack.table == nil, isTrailer(at: offset) { return nil }
      let lost = tableRows.filter { $0.frameOffset == offset }.map(\.name)
      findings.append(Finding(message: error.message, objects: lost))
      return offset
    }
  }

  /// Where the trailer begins can't be told when it is damaged, but by looking.
  private func isTrailer(at offset: Int) -> Bool {
    do throws(Errno) {
      return try pack.file.read(at: offset, count: 8) == PackTrailer.magic
    } catch { return false }
  }

  private mutating func verifyLength() {
    do throws(Errno) {
      let size = try pack.file.size()
      guard size < pack.framesEnd else { return }
      findings.append(
        Finding(
          message: "\(pack.name) has \(size) bytes where \(pack.framesEnd) are committed",
          objects: []))
    } catch {
      findings.append(Finding(message: "stat \(pack.name): \(error.description)", objects: []))
    }
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
              objects: [ObjectName(id: row.id, kind: row.kind)]))
        }
        start += row.length
      }
    } catch {
      findings.append(
        Finding(
          message: error.message,
          objects: header.rows.map { ObjectName(id: $0.id, kind: $0.kind) }))
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
}
