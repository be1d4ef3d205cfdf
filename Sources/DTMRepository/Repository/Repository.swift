package import DTMSystem
package import SystemPackage

/// A repository that is open: its files, its ref log, and all objects in its packs.
///
/// Reading never waits and takes no lock. Not for two threads at once: each thread opens its own.
package final class Repository {
  package let files: any FileOperations
  package let refLog: RefLog
  package let format: RepositoryFormat
  /// What the features allow this program to do.
  package let permissions: RepositoryFormat.Permissions

  /// When packs are sealed; smaller in tests.
  package var packLimits = PackLimits()

  let packs: PackReader
  let zstd: Zstd

  /// Directories of a repository; `packs` and `refs` hold the truth.
  static let directories = [
    "packs", "live", "refs", "index", "state", "journal", "trash", "locks",
  ]

  package var id: PackID { format.repository }

  /// Opens the repository beneath `files`.
  ///
  /// `segmentLimit`: of the ref log, for tests of rotation. Throws `.notFound` when there is none
  /// (or one whose making was cut off), `.unsupportedVersion`, `.corrupt` where the ref log or
  /// `format.json` is damaged or lost.
  package init(
    _ files: any FileOperations, segmentLimit: Int = RefLog.defaultSegmentLimit
  ) throws(RepositoryError) {
    self.files = files
    (format, permissions) = try RepositoryFormat.decode(try Self.formatFile(files))
    zstd = try Zstd()
    refLog = RefLog(
      files: files, repository: format.repository, segmentLimit: segmentLimit)
    packs = PackReader(PackCatalog(files), files: files, zstd: zstd)
    do throws(RepositoryError) {
      packs.catalog.epoch = try? EpochLock.newest(files)
      _ = try Self.refresh(packs.catalog, refLog)
    } catch {
      // `format.json` is written last: what belongs to it was there.
      guard error.code == .notFound else { throw error }
      throw RepositoryError(.corrupt, error.message, file: error.file, cause: error.cause)
    }
  }

  private static func formatFile(
    _ files: any FileOperations
  ) throws(RepositoryError) -> [UInt8] {
    do throws(Errno) {
      let file = try files.open("format.json", writable: false)
      return try file.read(at: 0, count: RepositoryFormat.lengthLimit)
    } catch {
      if error == .noSuchFileOrDirectory, try holdsPacks(files) { throw lostFormat }
      throw RepositoryError(error, "open", file: "format.json")
    }
  }

  private static var lostFormat: RepositoryError {
    RepositoryError(
      .corrupt, "format.json is missing, but there are packs", file: "format.json")
  }

  /// Whether there is any pack: then there was a repository.
  static func holdsPacks(_ files: any FileOperations) throws(RepositoryError) -> Bool {
    for directory in ["packs", "live"] {
      do throws(Errno) {
        if try files.list(directory).contains(where: { PackFile.parse($0) != nil }) { return true }
      } catch {
        guard error == .noSuchFileOrDirectory else {
          throw RepositoryError(error, "list", file: directory)
        }
      }
    }
    return false
  }

  /// Opens the repository in a directory.
  package convenience init(at path: FilePath) throws(RepositoryError) {
    let files: SystemFileOperations
    do throws(Errno) { files = try SystemFileOperations(path: path) } catch {
      throw RepositoryError(error, "open", file: path.string)
    }
    try self.init(files)
    do throws(Errno) {
      packLimits.suit(try Descriptor.open(path, [.path, .directory]).space())
    } catch {
      // Then the usual limits do.
    }
  }

  /// Makes a repository beneath `files`, an empty directory or one in which the same was cut off.
  ///
  /// `format.json` comes last: without it there is no repository. After return all is durable but the
  /// directory's own name. Throws `.exists` when there is a repository, `.corrupt` where one has lost
  /// its `format.json`.
  package static func create(
    _ files: any FileOperations, chunker: ChunkerParameters = .standard, first: RecordDraft,
    at time: Timestamp
  ) throws(RepositoryError) -> Repository {
    let there = try onFile("", "list") { () throws(Errno) in try files.list("") }
    if there.contains("format.json") {
      throw RepositoryError(.exists, "there is a repository already", file: "format.json")
    }
    if try holdsPacks(files) { throw lostFormat }
    let format = RepositoryFormat(repository: PackID.random(files), chunker: chunker)
    for name in directories {
      do throws(Errno) { try files.makeDirectory(name, mode: 0o700) } catch {
        if error != .fileExists { throw RepositoryError(error, "create", file: name) }
      }
    }
    // What a making that was cut off has left.
    for name in try onFile("refs", "list", { () throws(Errno) in try files.list("refs") }) {
      try onFile("refs/" + name, "remove") { () throws(Errno) in try files.remove("refs/" + name) }
    }
    for name in [CaptureLock.name, "locks/refs", EpochLock.first] {
      do throws(Errno) { _ = try files.create(name, mode: 0o600) } catch {
        if error != .fileExists { throw RepositoryError(error, "create", file: name) }
      }
    }
    try publish("config.json", Array("{}\n".utf8), files)
    _ = try RefLog.create(files: files, repository: format.repository, first: first, at: time)
    for name in directories {
      try onFile(name, "fsync") { () throws(Errno) in try files.synchronizeDirectory(name) }
    }
    try publish("format.json", format.encoded, files)
    return try Repository(files)
  }

  /// Writes a small file whole: temporary name, data synced, renamed, directory synced.
  static func publish(
    _ name: String, _ bytes: [UInt8], _ files: any FileOperations
  ) throws(RepositoryError) {
    let temporary = name + ".new"
    try onFile(name, "write") { () throws(Errno) in
      do throws(Errno) { try files.remove(temporary) } catch {
        if error != .noSuchFileOrDirectory { throw error }
      }
      let file = try files.create(temporary, mode: 0o600)
      try file.write(bytes, at: 0)
      try file.synchronizeData()
      try files.rename(temporary, to: name)
      try files.synchronizeDirectory("")
    }
  }

  /// The refs as they are now, with all packs that belong to them readable.
  package func refresh() throws(RepositoryError) -> RefLogState {
    try Self.refresh(packs.catalog, refLog)
  }

  private static func refresh(
    _ catalog: PackCatalog, _ log: RefLog
  ) throws(RepositoryError) -> RefLogState {
    var state = try log.read()
    try catalog.refresh(state)
    // A collection may have sealed a live pack since the log was read, and taken it away.
    while catalog.misses(state) {
      let newer = try log.read()
      if newer.sequence == state.sequence { break }
      state = newer
      try catalog.refresh(state)
    }
    return state
  }

  /// Reads objects; call `refresh` first to see what others committed.
  package var objects: any ObjectReader { packs }

  /// A second reader with caches of its own, for another thread. It sees what is committed now.
  package func makeReader() throws(RepositoryError) -> any ObjectReader {
    let reader = PackReader(PackCatalog(files), files: files, zstd: try Zstd())
    _ = try Self.refresh(reader.catalog, refLog)
    return reader
  }

  /// Whether any index or table names an object. Quick, and not sure: `objects.read` is.
  package func isIndexed(_ id: ObjectID, _ kind: ObjectKind) -> Bool {
    !packs.catalog.locations(of: id, kind).isEmpty
  }

  /// The ids of committed snapshots whose hex form begins with `prefix`, in order.
  package func snapshotIDs(prefix: String) throws(RepositoryError) -> [ObjectID] {
    let digits = prefix.lowercased()
    let pad = { (digit: Character) in
      ObjectID(hex: digits + String(repeating: digit, count: max(0, 64 - digits.utf8.count)))
    }
    guard let first = pad("0"), let last = pad("f") else { return [] }
    var snapshots: [ObjectID]
    repeat {
      var ids: Set<ObjectID> = []
      packs.catalog.forEachID(from: first, through: last) { ids.insert($0) }
      snapshots = []
      for id in ids where try packs.holds(id, .snapshot) { snapshots.append(id) }
      // A collection may have moved them since the packs were listed.
    } while try packs.listAgain()
    return snapshots.sorted()
  }

  /// What of a live pack counts now, for who wants to write to it; asked while its lock is held.
  func committed(_ pack: PackID) throws(RepositoryError) -> LivePackWriter.Committed {
    let state = try refresh()
    guard state.livePacks[pack] != nil else { return .never }
    return packs.catalog.adoptable(pack).map { .whole($0) } ?? .damaged
  }

  /// Begins to write. The session holds the newest epoch's lock, shared: it never waits.
  ///
  /// Throws `.unsupportedVersion` when the repository must not be written by this program.
  package func beginSession() throws(RepositoryError) -> WriteSession {
    try permissions.checkWriting()
    let epoch = try EpochLock.shared(files)
    // A collection that began another epoch has condemned packs: nothing new may be built on them.
    if packs.catalog.epoch != epoch.name { try packs.listAnew(in: epoch.name) }
    _ = try refresh()
    return try WriteSession(self, epoch: epoch)
  }

  /// The lock of the folder's one capturer, or nil when another holds it; dropped with the last
  /// reference, at the latest with the process.
  package func captureLock(wait: Bool = false) throws(RepositoryError) -> CaptureLock? {
    try CaptureLock.take(files, wait: wait)
  }
}

/// When live packs are sealed: lengths in bytes, and a number of objects.
package struct PackLimits: Sendable {
  package var data = 64 << 20
  package var metadata = 16 << 20
  /// Objects of one pack: what is live is read from its frames' headers by each process, what is sealed
  /// is looked up in a mapped table.
  package var objects = 32_768
  /// Frames that got into a live pack since its index was written, before a new one is: other processes
  /// read their headers.
  package var unindexedFrames = 64

  package init() {}

  /// A sixteenth of a small disk is the most for a pack: what is to be freed when it is full has to stand in
  /// packs that go as a whole, for there is no room to write them anew.
  mutating func suit(_ disk: FileSystemSpace) {
    data = min(data, max(1 << 20, disk.totalBytes / 16))
    metadata = min(metadata, data)
  }

  func bytes(_ kind: PackKind) -> Int {
    switch kind {
    case .data: data
    case .metadata: metadata
    }
  }
}
