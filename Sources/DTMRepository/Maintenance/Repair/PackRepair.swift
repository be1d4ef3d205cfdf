internal import DTMSystem
internal import SystemPackage

/// Checks every pack, saves what is sound in the damaged ones, and sets those aside.
///
/// Crash-safe: what is saved is durable in a sealed pack before the damaged one is moved. Done again it
/// saves nothing twice.
struct PackRepair {
  /// A pack that is not as it should be.
  private struct Damaged {
    let id: PackID
    let kind: PackKind
    /// Of a live pack; nil for a sealed one.
    let committed: Int?
    let reasons: [String]
  }

  private(set) var damagedFiles: [RepairReport.DamagedFile] = []
  /// The live packs that are sound, with the length that counts.
  private(set) var live: [PackID: LivePack] = [:]

  private let files: any FileOperations
  private let format: [UInt8]
  private let zstd: Zstd
  private var damaged: [Damaged] = []

  init(_ files: any FileOperations, format: RepositoryFormat) throws(RepositoryError) {
    self.files = files
    self.format = format.encoded
    zstd = try Zstd()
  }

  /// `logged`: the live packs as the ref log has them. `isLogLost`: it may not have them all, nor their
  /// last lengths; then each frame that is whole counts.
  mutating func run(
    logged: [PackID: LivePack], isLogLost: Bool, _ setAside: inout SetAside
  ) throws(RepositoryError) {
    let sealed = try names(in: "packs")
    for (id, kind) in sealed.sorted(by: { $0.key < $1.key }) { try checkSealed(id, kind) }
    var present = try names(in: "live").filter { sealed[$0.key] == nil }
    if !isLogLost { present = present.filter { logged[$0.key] != nil } }
    for (id, kind) in present.sorted(by: { $0.key < $1.key }) {
      try checkLive(id, kind, logged[id]?.length, isLogLost: isLogLost)
    }
    for pack in logged.values.sorted(by: { $0.id < $1.id })
    where sealed[pack.id] == nil && present[pack.id] == nil {
      let name = PackFile.name(pack.id, pack.kind, sealed: false)
      damagedFiles.append(
        RepairReport.DamagedFile(
          file: name, reasons: ["\(name) is missing, and is not in packs/ either"]))
    }
    let catalog = try soundCatalog()
    for pack in damaged { try salvage(pack, catalog, &setAside) }
  }

  private func names(in directory: String) throws(RepositoryError) -> [PackID: PackKind] {
    let names = try onFile(directory, "list") { () throws(Errno) in try files.list(directory) }
    return Dictionary(names.compactMap(PackFile.parse), uniquingKeysWith: { first, _ in first })
  }

  // MARK: - Checking

  private mutating func checkSealed(
    _ id: PackID, _ kind: PackKind
  ) throws(RepositoryError) {
    let reasons = try findings { () throws(RepositoryError) in
      try PackFile(sealed: id, kind, files: files)
    }
    if !reasons.isEmpty {
      damaged.append(Damaged(id: id, kind: kind, committed: nil, reasons: reasons))
    }
  }

  private mutating func checkLive(
    _ id: PackID, _ kind: PackKind, _ logged: Int?, isLogLost: Bool
  ) throws(RepositoryError) {
    var length = logged ?? 0
    if isLogLost {
      let (sound, size, goesOn) = try soundPart(of: id, kind)
      length = goesOn || sound == 0 ? size : max(sound, length)
    }
    let reasons = try findings { () throws(RepositoryError) in
      try PackFile(live: id, kind, length: length, files: files)
    }
    if reasons.isEmpty {
      live[id] = LivePack(id: id, kind: kind, length: length)
    } else {
      damaged.append(Damaged(id: id, kind: kind, committed: length, reasons: reasons))
    }
  }

  /// What is wrong with a pack.
  private func findings(
    _ open: () throws(RepositoryError) -> PackFile
  ) throws(RepositoryError) -> [String] {
    let pack: PackFile
    do throws(RepositoryError) { pack = try open() } catch {
      guard error.code == .corrupt || error.code == .notFound else { throw error }
      return [error.message]
    }
    var verifier = PackVerifier(pack, zstd: zstd, reading: .all)
    verifier.run()
    return verifier.findings.map(\.message)
  }

  /// Where the frames of a live pack end that are whole, from the front, how long the file is, and
  /// whether anything sound stands behind: then it is damaged, not torn. For a pack that no log vouches
  /// for.
  private func soundPart(
    of id: PackID, _ kind: PackKind
  ) throws(RepositoryError) -> (sound: Int, size: Int, goesOn: Bool) {
    let pack = try PackFile(salvaging: id, kind, committed: Int.max, files: files)
    let bytes = try onFile(pack.name, "read") { () throws(Errno) in
      try pack.file.read(at: 0, count: try pack.file.size())
    }
    var salvage = FrameSalvage(bytes, table: [], zstd: zstd)
    salvage.run(from: pack.framesStart)
    var end = pack.framesStart
    var goesOn = false
    for piece in salvage.pieces {
      if case .frame(_, let range) = piece, range.lowerBound == end, !goesOn {
        end = range.upperBound
      } else {
        goesOn = true
      }
    }
    return (end, bytes.count, goesOn)
  }

  /// The packs that are sound.
  private func soundCatalog() throws(RepositoryError) -> PackCatalog {
    let catalog = PackCatalog(files, excluding: Set(damaged.map(\.id)))
    var state = RefLogState()
    state.assume(livePacks: live)
    try catalog.refresh(state)
    return catalog
  }

  // MARK: - Salvaging

  private mutating func salvage(
    _ damaged: Damaged, _ sound: PackCatalog, _ setAside: inout SetAside
  ) throws(RepositoryError) {
    let pack = try PackFile(
      salvaging: damaged.id, damaged.kind, committed: damaged.committed, files: files)
    var report = RepairReport.DamagedFile(file: pack.name, reasons: damaged.reasons)
    // A pack is as large as it was allowed to grow: it fits into memory.
    let bytes = try onFile(pack.name, "read") { () throws(Errno) in
      try pack.file.read(at: 0, count: min(try pack.file.size(), damaged.committed ?? Int.max))
    }
    var salvage = FrameSalvage(bytes, table: pack.tableRows, zstd: zstd)
    salvage.run(from: pack.framesStart)
    var saved = SalvagePack(damaged.kind, files: files, format: format, zstd: zstd)
    for piece in salvage.pieces {
      switch piece {
      case .frame(let header, let range):
        let names = header.rows.map { ObjectName(id: $0.id, kind: $0.kind) }
        if names.allSatisfy({ Self.isHeld($0, sound) }) { continue }
        try saved.append(header, Array(bytes[range]))
      case .object(let kind, let id, let object):
        if Self.isHeld(ObjectName(id: id, kind: kind), sound) { continue }
        try saved.append(kind, id, object)
      }
    }
    report.salvagedTo = try saved.finish()
    report.salvagedObjects = saved.objects
    try setAside.move(pack.name)
    report.movedTo = setAside.moved.last { $0.from == pack.name }?.to
    damagedFiles.append(report)
  }

  private static func isHeld(_ name: ObjectName, _ sound: PackCatalog) -> Bool {
    !sound.locations(of: name.id, name.kind).isEmpty
  }
}

/// A pack that is being made of what was saved; none where nothing is.
private struct SalvagePack {
  /// As when packs are rewritten: this is done once.
  private static let compressionLevel = 9

  private let files: any FileOperations
  private let kind: PackKind
  private let format: [UInt8]
  private let zstd: Zstd
  private var builder: FrameBuilder
  private var writer: LivePackWriter?
  private(set) var objects = 0

  init(_ kind: PackKind, files: any FileOperations, format: [UInt8], zstd: Zstd) {
    self.kind = kind
    self.files = files
    self.format = format
    self.zstd = zstd
    builder = FrameBuilder(kind)
  }

  /// Appends a frame as it is.
  mutating func append(_ header: FrameHeader, _ bytes: [UInt8]) throws(RepositoryError) {
    _ = try opened().append(header, bytes)
    objects += header.rows.count
  }

  mutating func append(
    _ kind: ObjectKind, _ id: ObjectID, _ bytes: [UInt8]
  ) throws(RepositoryError) {
    if builder.isFull(for: bytes.count) { try flush() }
    builder.append(kind, id, bytes.span)
    objects += 1
  }

  /// Seals the pack and returns its name; after return it is durable.
  mutating func finish() throws(RepositoryError) -> String? {
    if !builder.isEmpty { try flush() }
    guard let writer else { return nil }
    _ = try writer.seal()
    return PackFile.name(writer.id, kind, sealed: true)
  }

  private mutating func flush() throws(RepositoryError) {
    let (header, bytes) = try builder.finish(zstd, level: Self.compressionLevel)
    _ = try opened().append(header, bytes)
  }

  private mutating func opened() throws(RepositoryError) -> LivePackWriter {
    if let writer { return writer }
    let made = try LivePackWriter.create(kind, format: format, files: files)
    writer = made
    return made
  }
}
