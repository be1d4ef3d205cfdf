internal import DTMSystem
internal import SystemPackage

/// The steps of a repair, under its locks.
struct RepairRun {
  private(set) var report = RepairReport()

  private let files: any FileOperations
  private let context: RepositoryRepair.Context
  private var setAside: SetAside

  /// Bytes of facts that go from segments that are given up into the new one.
  private static let factLimit = 16 << 20

  init(_ files: any FileOperations, _ context: RepositoryRepair.Context) {
    self.files = files
    self.context = context
    setAside = SetAside(files)
  }

  /// Makes the directories that are missing. Throws `.notFound` where there is no repository.
  func makeDirectories() throws(RepositoryError) {
    let there = try onFile("", "list") { () throws(Errno) in try files.list("") }
    var isThere = there.contains("format.json")
    if !isThere { isThere = try Repository.holdsPacks(files) }
    guard isThere else {
      throw RepositoryError(.notFound, "there is no repository", file: "format.json")
    }
    for name in Repository.directories where !there.contains(name) {
      try onFile(name, "create") { () throws(Errno) in
        try files.makeDirectory(name, mode: 0o700)
        try files.synchronizeDirectory("")
      }
    }
  }

  /// Does all of it, and opens the repository.
  mutating func repair() throws(RepositoryError) -> Repository {
    let format = try repairFormat()
    try dropCaches()
    let log = RefLog(files: files, repository: format.repository)
    let loss = try log.loss()
    // What a collection was about to free counts until it is gone.
    let condemned = CondemnedPacks(files)
    try condemned.settle()
    try condemned.rescue(try condemned.names())
    var packs = try PackRepair(files, format: format)
    if loss.isAny {
      try rebuild(log, loss, &packs, format)
    } else {
      // What a repair that was cut off has left.
      let leftovers = try log.leftovers()
      if !leftovers.isEmpty { try log.renewNote() }
      try giveUp(leftovers)
      try mend(log)
      let logged = try log.read().livePacks
      try packs.run(logged: logged, isLogLost: false, &setAside)
      try forget(Set(logged.keys).subtracting(packs.live.keys), log)
    }
    report.damagedFiles += packs.damagedFiles
    let repository = try Repository(files)
    try settleHistory(repository)
    try repository.packs.catalog.settle()
    repository.packs.catalog.writeIndexes(PackLimits())
    return repository
  }

  // MARK: - format.json and the caches

  /// `format.json` as it is, or from a pack's header where it can't be read.
  private mutating func repairFormat() throws(RepositoryError) -> RepositoryFormat {
    let stored = try FormatCopies(files)
    do throws(RepositoryError) {
      let bytes = try onFile("format.json", "read") { () throws(Errno) in
        let file = try files.open("format.json", writable: false)
        return try file.read(at: 0, count: RepositoryFormat.lengthLimit)
      }
      let (format, permissions) = try RepositoryFormat.decode(bytes)
      try permissions.checkWriting()
      // Flipped digits may make another id; the headers of packs have checksums.
      guard stored.most != nil, !stored.has(format) else {
        return format
      }
    } catch {
      guard error.code == .corrupt || error.code == .notFound else { throw error }
    }
    guard let most = stored.most else {
      throw RepositoryError(
        .corrupt, "format.json can't be read, and no pack has a whole copy of it",
        file: "format.json")
    }
    try setAside.move("format.json")
    report.damagedFiles.append(
      RepairReport.DamagedFile(
        file: "format.json", reasons: ["format.json was missing or damaged"],
        movedTo: setAside.moved.last { $0.from == "format.json" }?.to))
    report.remarks.append("format.json was written anew from the header of \(most.pack)")
    try Repository.publish("format.json", most.format.encoded, files)
    return most.format
  }

  private mutating func dropCaches() throws(RepositoryError) {
    for directory in ["index", "state"] {
      let names = try onFile(directory, "list") { () throws(Errno) in try files.list(directory) }
      for name in names.sorted() {
        let path = "\(directory)/\(name)"
        try onFile(path, "remove") { () throws(Errno) in
          do throws(Errno) { try files.remove(path) } catch {
            if error != .noSuchFileOrDirectory { throw error }
          }
        }
        report.droppedCaches += 1
      }
    }
  }

  // MARK: - The ref log

  private mutating func mend(_ log: RefLog) throws(RepositoryError) {
    let damages = try log.mend()
    report.mended = Set(damages.filter { $0.kind == .mendable }.map(\.file)).sorted()
  }

  /// Takes packs that are no more out of the log's live packs.
  private mutating func forget(_ packs: Set<PackID>, _ log: RefLog) throws(RepositoryError) {
    if packs.isEmpty { return }
    var draft = draft("damaged packs were set aside")
    draft.removedPacks = packs.sorted()
    _ = try log.append(draft, at: context.time)
  }

  private func draft(_ summary: String) -> RecordDraft {
    RecordDraft(
      kind: RefLog.repairKind, summary: summary, pid: context.pid, uid: context.uid)
  }

  /// Begins the log anew with what its records and the packs still tell.
  private mutating func rebuild(
    _ log: RefLog, _ loss: RefLogLoss, _ packs: inout PackRepair, _ format: RepositoryFormat
  ) throws(RepositoryError) {
    if try !log.segments.numbers().isEmpty { try mend(log) }
    let lock = try log.lock()
    defer { withExtendedLifetime(lock) {} }
    let salvage = try RefLogSalvage(log.segments)
    // A torn end is none any more once a newer segment follows.
    if let newest = salvage.numbers.last, !loss.gone.contains(newest) {
      let contents = try log.segments.read(newest, isNewest: true)
      if contents.isTorn { _ = try log.segments.publish(newest, contents.bytes) }
    }
    var known = salvage.knowledge
    // A log whose newest segment is whole says itself where everything is.
    if !loss.isEndLost { known.state = try log.read() }
    try packs.run(
      logged: known.state.livePacks, isLogLost: loss.isEndLost, &setAside)
    var refs = known.state.refs
    var state = RefLogState()
    state.assume(livePacks: packs.live)
    let reader = PackReader(PackCatalog(files), files: files, zstd: try Zstd())
    try reader.catalog.refresh(state)
    let snapshots = try reader.allSnapshots()
    if loss.isEndLost {
      var rebuilt = RefRebuild(refs, snapshots)
      rebuilt.extend(known)
      refs = rebuilt.refs
      report.refs += rebuilt.changes
      report.remarks.append(Self.remark(on: salvage, known))
    }
    let (facts, dropped) = salvage.facts(
      of: loss.gone, passing: { snapshots[$0] != nil }, limit: Self.factLimit)
    if dropped > 0 {
      report.remarks.append(
        "\(dropped) old facts about snapshots (labels, checks) did not find room")
    }
    var operation = known.state.checkpoint(
      at: context.time, pid: context.pid, uid: context.uid
    ).operation
    operation.summary = "the ref log was begun anew"
    operation.livePacks = packs.live.values.sorted { $0.id < $1.id }
    operation.facts = facts.sorted { ($0.subject, $0.key) < ($1.subject, $1.key) }
    _ = try log.beginAnew(
      RecordBody(operation: operation, refs: refs, operations: known.state.operations),
      number: (salvage.numbers.last ?? 0) + 1, gone: loss.gone, after: known.state, in: lock)
    try giveUp(loss.gone.union(try log.leftovers()))
    report.isLogRebuilt = true
  }

  private static func remark(
    on salvage: RefLogSalvage, _ known: RefLogSalvage.Knowledge
  ) -> String {
    let lost = "tags, pins, labels and operations of the time that the log lost can't be had back"
    guard let last = salvage.records.last else {
      return "nothing of the ref log could be read: all tags, pins, labels and operations are lost"
    }
    if known.checkpointTime == nil {
      let count = salvage.records.count
      return "no checkpoint of the ref log could be read, only \(count) records: \(lost)"
    }
    return "the ref log could be read up to record \(last.sequence): \(lost)"
  }

  /// Moves the segments away that the new one does without.
  private mutating func giveUp(_ gone: Set<Int>) throws(RepositoryError) {
    for number in gone.sorted() {
      for copy in SegmentCopyName.allCases {
        let name = Segment.name(number, copy)
        let before = setAside.moved.count
        try setAside.move(name)
        report.damagedFiles.append(
          RepairReport.DamagedFile(
            file: name, reasons: ["\(name) was damaged, and so was the other copy"],
            movedTo: setAside.moved.count > before ? setAside.moved.last?.to : nil))
      }
    }
  }

  // MARK: - Branches

  /// Takes branches back whose newest snapshot is lost, and notes what came before each snapshot that is
  /// lost, so that history does not end there.
  private mutating func settleHistory(_ repository: Repository) throws(RepositoryError) {
    let state = try repository.refresh()
    var rebuilt = RefRebuild(state.refs, try repository.packs.allSnapshots())
    rebuilt.settleHeads()
    var draft = draft("what is lost of the history was passed over")
    draft.moves = rebuilt.changes.map { RefMove(ref: $0.ref, old: $0.old, new: $0.new) }
    for (lost, predecessor) in rebuilt.lostParents {
      let log = repository.refLog
      if try log.isPruned(lost) { continue }
      if try log.predecessor(of: lost) != nil { continue }
      draft.facts.append(
        Fact(subject: lost, key: RefLog.predecessorFact, value: predecessor.bytes))
    }
    if draft.moves.isEmpty && draft.facts.isEmpty { return }
    try repository.packs.catalog.refresh(try repository.refLog.append(draft, at: context.time))
    report.refs += rebuilt.changes
    for change in rebuilt.changes {
      guard case .id(let head) = change.old else { continue }
      try passOver(head, repository)
    }
  }

  /// Notes a snapshot that is lost, and those before it, up to one that is there.
  private mutating func passOver(
    _ head: ObjectID, _ repository: Repository
  ) throws(RepositoryError) {
    var next: ObjectID? = head
    while let id = next, !report.lostSnapshots.contains(id),
      repository.packs.catalog.locations(of: id, .snapshot).isEmpty
    {
      report.lostSnapshots.append(id)
      next = try repository.refLog.predecessor(of: id)
    }
  }
}
