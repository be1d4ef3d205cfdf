package import DTMSystem

/// One command's, or one snapshot's, writing: deduplicates, packs, and commits.
///
/// It holds an epoch for as long as it lives, and the locks of at most one live pack of each kind. What
/// is written counts only once `commit` has returned. Not for two threads at once.
package final class WriteSession: ContentStore {
  /// zstd level at capture; packs that are rewritten later are packed harder.
  private static let compressionLevel = 1
  /// After so much the repository's reserve is looked at.
  private static let muchBytes = 1 << 20

  /// Where an object is that this session wrote and did not commit yet.
  private enum Place {
    case waiting(FrameGroup, row: Int)
    case frame(writer: Int, offset: Int)
  }

  package let chunkerParameters: ChunkerParameters
  /// Whether content that is there already is read and checked before it is relied on. Otherwise the
  /// checksummed header of its frame is enough, which costs one small read. Trees and lists, on which
  /// much hangs and which are small, are always checked.
  package var checksContent = false
  /// Bytes appended to packs so far.
  package private(set) var storedBytes = 0

  private let repository: Repository
  private let reader: PackReader
  private let zstd: Zstd
  private let epoch: EpochLock
  private var builders: [FrameGroup: FrameBuilder] = [:]
  /// Packs of this session in the order in which they were opened; the last of a kind is written to.
  private var writers: [LivePackWriter] = []
  private var current: [PackKind: Int] = [:]
  private var sealed: [PackID] = []
  /// Those of packs that are not sealed.
  private var places: [ObjectName: Place] = [:]
  private var sealedObjects = SealedObjects()
  private var isUsable = true
  /// What was written last, or found to be there, but for chunks: what a snapshot's ref comes to.
  private var newest: ObjectID?
  /// Those that were written, or found to be there.
  private var snapshots: Set<ObjectID> = []

  init(_ repository: Repository, epoch: EpochLock) throws(RepositoryError) {
    self.repository = repository
    self.epoch = epoch
    chunkerParameters = repository.format.chunker
    reader = repository.packs
    zstd = repository.zstd
    for group in FrameGroup.allCases { builders[group] = FrameBuilder(group.pack) }
  }

  package func read(_ id: ObjectID, _ kind: ObjectKind) throws(RepositoryError) -> [UInt8] {
    guard let place = place(of: ObjectName(id: id, kind: kind)) else {
      return try reader.read(id, kind)
    }
    switch place {
    case .waiting(let group, let row):
      return builders[group]?.bytes(row: row) ?? []
    case .frame(let index, let offset):
      let pack = PackFile(writers[index])
      guard let bytes = try pack.frame(at: offset, zstd).object(id, kind, in: pack) else {
        throw RepositoryError(.corrupt, "\(pack.name): no \(id) at \(offset)", object: id)
      }
      return bytes
    }
  }

  private func place(of name: ObjectName) -> Place? {
    places[name]
      ?? sealedObjects.place(of: name).map { .frame(writer: $0.writer, offset: $0.frameOffset) }
  }

  package func write(_ kind: ObjectKind, _ bytes: [UInt8]) throws(RepositoryError) -> ObjectID {
    try write(kind, bytes.span, to: kind == .chunk ? .data : .metadata)
  }

  package func writeChunk(_ bytes: Span<UInt8>) throws(RepositoryError) -> ObjectID {
    try write(.chunk, bytes, to: .data)
  }

  /// Stores the attributes of an entry: a chunk, but beside the tree.
  package func writeAttributes(_ bytes: [UInt8]) throws(RepositoryError) -> ObjectID {
    try write(.chunk, bytes.span, to: .metadata)
  }

  private func write(
    _ kind: ObjectKind, _ bytes: Span<UInt8>, to packKind: PackKind
  ) throws(RepositoryError) -> ObjectID {
    precondition(isUsable, "a session that was abandoned is written to")
    let id = Digest.id(kind, bytes)
    let name = ObjectName(id: id, kind: kind)
    if kind == .snapshot { snapshots.insert(id) }
    if kind != .chunk { newest = id }
    if place(of: name) != nil { return id }
    let checksPayload = checksContent || packKind == .metadata
    if try reader.holds(id, kind, checksPayload: checksPayload) { return id }
    let group = FrameGroup(packKind, bytes)
    if builders[group]?.isFull(for: bytes.count) ?? false { try flush(group) }
    places[name] = .waiting(group, row: builders[group]?.rows.count ?? 0)
    builders[group]?.append(kind, id, bytes)
    return id
  }

  /// Writes what waits into the packs, so that `storedBytes` counts all that was stored. What follows
  /// goes into other frames: call it once, before `commit`.
  package func flush() throws(RepositoryError) {
    precondition(isUsable, "a session that was abandoned is flushed")
    do throws(RepositoryError) {
      for group in FrameGroup.allCases { try flush(group) }
    } catch {
      isUsable = false
      throw error
    }
  }

  /// Packs what waits for one frame.
  private func flush(_ group: FrameGroup) throws(RepositoryError) {
    guard var builder = builders[group], !builder.isEmpty else { return }
    // The dictionary must not keep a second reference, or the buffer is copied.
    builders[group] = nil
    defer { builders[group] = builder }
    let kind = group.pack
    let (header, bytes) = try builder.finish(zstd, level: Self.compressionLevel)
    let index = try writer(kind)
    let offset = try writers[index].append(header, bytes)
    storedBytes += bytes.count
    for row in header.rows {
      places[ObjectName(id: row.id, kind: row.kind)] = .frame(writer: index, offset: offset)
    }
    let limits = repository.packLimits
    if writers[index].length >= limits.bytes(kind) || writers[index].count >= limits.objects {
      try seal(index)
      sealed.append(writers[index].id)
      current[kind] = nil
    }
  }

  private func seal(_ index: Int) throws(RepositoryError) {
    let writer = writers[index]
    let rows: [PackRow]
    do throws(RepositoryError) { rows = try writer.seal() } catch {
      if error.code == .corrupt { repository.packs.catalog.distrust(writer.id) }
      throw error
    }
    guard let table = try table(ofSealed: writer) else { return }
    sealedObjects.add(table, rows, writer: index)
    places = places.filter { _, place in
      if case .frame(index, _) = place { false } else { true }
    }
  }

  /// The table of a pack that was just sealed. No record says yet that anybody needs it, so that a
  /// collection may have condemned it already: it takes that back once this session has committed.
  private func table(ofSealed writer: LivePackWriter) throws(RepositoryError) -> IDTable? {
    do throws(RepositoryError) {
      return try PackFile(sealed: writer.id, writer.kind, files: repository.files).table
    } catch {
      guard error.code == .notFound else { throw error }
      return try PackFile(
        sealed: writer.id, writer.kind, in: CondemnedPacks.directory, files: repository.files
      ).table
    }
  }

  /// The pack to write to: the session's own, one that nobody writes, or a new one.
  private func writer(_ kind: PackKind) throws(RepositoryError) -> Int {
    if let index = current[kind] { return index }
    let adopted = try LivePackWriter.adopt(kind, files: repository.files) {
      [repository] id throws(RepositoryError) in try repository.committed(id)
    }
    if let adopted {
      writers.append(adopted)
    } else {
      writers.append(
        try LivePackWriter.create(
          kind, format: repository.format.encoded, files: repository.files))
    }
    current[kind] = writers.count - 1
    return writers.count - 1
  }

  /// Makes all that was written durable and appends the operation to the ref log: after return it is
  /// acknowledged. The draft's live packs are filled in here.
  ///
  /// Two flushes: the packs in parallel, then the ref log's copies in parallel. Throws `.conflict`
  /// when a ref is not what the draft expects; the session can then commit something else. After any
  /// other error the session is abandoned.
  package func commit(
    _ draft: RecordDraft, at time: Timestamp
  ) throws(RepositoryError) -> RefLogState {
    precondition(isUsable, "a session that was abandoned is committed")
    do throws(RepositoryError) {
      return try commitOnce(draft, at: time)
    } catch {
      if error.code != .conflict { isUsable = false }
      throw error
    }
  }

  /// Holds that everything is there of snapshots which no ref leads to, or which were pruned, and to which
  /// a ref comes again. While this session lives, none of it is freed. Reads their metadata.
  ///
  /// What this session wrote is there, and not yet where a reader finds it.
  private func checkRevived(_ draft: RecordDraft) throws(RepositoryError) {
    var revived = draft.facts.filter { $0.key == RefLog.prunedFact && $0.value.isEmpty }
      .map(\.subject).filter { !snapshots.contains($0) }
    let moved = draft.moves.compactMap { move -> ObjectID? in
      guard case .id(let id)? = move.new, id != newest, !snapshots.contains(id) else { return nil }
      return id
    }
    if moved.isEmpty && revived.isEmpty { return }
    let present = Set(try repository.refresh().refs.values)
    revived += moved.filter { !present.contains(.id($0)) }
    if revived.isEmpty { return }
    let erased = Set(try repository.refLog.rewritten(prefix: "").map(\.old))
    var walk = LiveWalk(reader, countsCondemned: false)
    for id in revived {
      if erased.contains(id) {
        throw RepositoryError(
          .notFound, "snapshot \(id.short) was written again without what was erased", object: id)
      }
      do throws(RepositoryError) { try walk.mark(id) } catch {
        guard error.code == .corrupt else { throw error }
        throw RepositoryError(
          .notFound, "the content of snapshot \(id.short) was collected after it was pruned",
          object: id)
      }
    }
  }

  private func commitOnce(
    _ draft: RecordDraft, at time: Timestamp
  ) throws(RepositoryError) -> RefLogState {
    try flush()
    let open = PackKind.allCases.compactMap { current[$0] }.map { writers[$0] }
    try LivePackWriter.synchronize(open, repository.files)
    var draft = draft
    draft.livePacks = open.map { LivePack(id: $0.id, kind: $0.kind, length: $0.length) }
    draft.removedPacks = sealed
    try repository.packs.catalog.settle()
    try checkRevived(draft)
    try epoch.check()
    let state = try repository.refLog.append(draft, at: time)
    if !sealed.isEmpty || storedBytes >= Self.muchBytes { repository.keepReserve() }
    let hasSealed = !sealed.isEmpty
    sealed = []
    places = [:]
    sealedObjects.removeAll()
    try repository.packs.catalog.refresh(state, hasSealed: hasSealed)
    repository.packs.catalog.writeIndexes(repository.packLimits)
    return state
  }
}
