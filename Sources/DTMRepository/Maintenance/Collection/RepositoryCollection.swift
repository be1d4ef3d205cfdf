package import DTMSystem
internal import SystemPackage

/// Frees the room of what no snapshot needs that is kept.
///
/// Safe beside readers and writers by epochs, not by time (see `EpochLock`): what is needed is marked;
/// packs without any of it are condemned; a new epoch begins, whose sessions build on none of them; when
/// all older sessions have ended, what they committed is marked too, and takes back what it needs; the
/// rest is deleted. Packs with much waste are then copied without it, and go the same way. It may be cut
/// off anywhere: what is condemned counts for readers until it is gone, and the next collection goes on.
package final class RepositoryCollection {
  private let repository: Repository
  private let policy: CollectionPolicy
  private let context: RepositoryRepair.Context
  private let isCancelled: () -> Bool
  private let waits: () -> Bool
  private var report = CollectionReport()
  private var walk: LiveWalk
  /// The record up to which `walk` knows everything.
  private var markedSequence: UInt64 = 0

  private var files: any FileOperations { repository.files }
  private var condemned: CondemnedPacks { CondemnedPacks(files) }
  private var cutoff: Timestamp { context.time.advanced(by: .zero - policy.grace) }

  /// `waits`: called while older sessions live; waits a moment and returns whether to go on waiting.
  /// `isCancelled`: asked now and then.
  package init(
    _ repository: Repository, _ policy: CollectionPolicy, _ context: RepositoryRepair.Context,
    waits: @escaping () -> Bool, isCancelled: @escaping () -> Bool = { false }
  ) {
    self.repository = repository
    self.policy = policy
    self.context = context
    self.waits = waits
    self.isCancelled = isCancelled
    walk = LiveWalk(repository.packs, isCancelled: isCancelled)
  }

  /// Does it all. Memory: a bit an object, and the tables of the packs, which are mapped.
  ///
  /// Throws `.locked` while another collects or repairs, `.corrupt` where damage hides what is needed (then
  /// nothing was freed), `.unsupportedVersion` when this program must not free anything, `.cancelled`.
  package func run() throws(RepositoryError) -> CollectionReport {
    try repository.permissions.checkCollecting()
    let lock = try CollectLock(files)
    defer { withExtendedLifetime(lock) {} }
    try Self.checkRestores(files)
    try condemned.settle()
    try repository.packs.listAnew(in: try EpochLock.newest(files) ?? "")
    var roots = try mark()
    report.keptSnapshots = roots.count
    try announce(&roots)
    var isDone = try endRound(condemning: deadPacks())
    if isDone { isDone = try rewriteWasteful() }
    report.packBytes = try size()
    repository.packs.catalog.dropGoneRows()
    repository.keepReserve()
    return report
  }

  /// Holds that no restore is under way, nor was cut off: it may need what no ref leads to. Throws
  /// `.locked`.
  package static func checkRestores(_ files: any FileOperations) throws(RepositoryError) {
    let names = try onFile("journal", "list") { () throws(Errno) in try files.list("journal") }
    if names.isEmpty { return }
    throw RepositoryError(
      .locked, "a restore is under way, or was cut off; dtm undo or dtm restore finishes it first",
      file: "journal")
  }

  // MARK: - Marking

  private func mark() throws(RepositoryError) -> CollectionRoots {
    let state = try repository.refresh()
    let roots = try CollectionRoots(repository, state, cutoff: cutoff, marking: &walk)
    markedSequence = state.sequence
    return roots
  }

  /// Records what will be missing, before it is: where history goes on behind it, and which live packs
  /// are sealed because they have much waste.
  private func announce(_ roots: inout CollectionRoots) throws(RepositoryError) {
    var draft = RecordDraft(kind: RefLog.collectKind, pid: context.pid, uid: context.uid)
    draft.facts = try roots.facts()
    draft.removedPacks = try sealWastefulLivePacks()
    if draft.facts.isEmpty && draft.removedPacks.isEmpty && !roots.isNews { return }
    draft.details = [(RefLog.cutoffDetail, "\(cutoff.seconds).\(cutoff.nanoseconds)")]
    draft.summary = "collected what none of \(roots.count) snapshots needs"
    let announced = draft
    let state = try repository.onFullDisk { () throws(RepositoryError) in
      try repository.refLog.append(announced, at: context.time)
    }
    // Else somebody has committed meanwhile.
    if state.sequence == markedSequence + 1 { markedSequence = state.sequence }
    try repository.packs.catalog.refresh(state)
  }

  // MARK: - What goes

  /// Seals the live packs that nobody writes and that have much waste; returns those.
  private func sealWastefulLivePacks() throws(RepositoryError) -> [PackID] {
    var sealed: [PackID] = []
    let catalog = repository.packs.catalog
    var wasteful: Set<PackID> = []
    for handle in catalog.allPacks() {
      let pack = try handle.file(files)
      if pack.isSealed { continue }
      let total = try total(ofLive: pack)
      if policy.sealsLivePacks || isWasteful(total.bytes, needed: total.needed) {
        wasteful.insert(pack.id)
      }
    }
    do throws(RepositoryError) {
      for kind in PackKind.allCases {
        while let writer = try adopt(kind, among: wasteful.subtracting(sealed)) {
          let length = writer.length
          _ = try writer.seal()
          sealed.append(writer.id)
          report.freedBytes -= try size(of: writer.file, "live/\(writer.id.hex)") - length
        }
      }
    } catch {
      // What goes as a whole needs no room, and makes some.
      guard error.code == .noSpace else { throw error }
    }
    return sealed
  }

  private func adopt(
    _ kind: PackKind, among wanted: Set<PackID>
  ) throws(RepositoryError) -> LivePackWriter? {
    if wanted.isEmpty { return nil }
    return try LivePackWriter.adopt(kind, files: files) {
      [repository] id throws(RepositoryError) -> LivePackWriter.Committed in
      let committed = try repository.committed(id)
      // Of others nothing is wrong: they are only not taken.
      if case .whole = committed, !wanted.contains(id) { return .damaged }
      return committed
    }
  }

  /// Bytes of all objects of a live pack, unpacked, and of those that are needed.
  private func total(
    ofLive pack: PackFile
  ) throws(RepositoryError) -> (bytes: Int, needed: Int) {
    var (bytes, needed) = (0, 0)
    do throws(RepositoryError) {
      try pack.forEachFrame { _, header in
        bytes += header.rawLength
        for row in header.rows {
          let name = ObjectName(id: row.id, kind: row.kind)
          if walk.objects.isMarked(name, inLive: pack.id) { needed += row.length }
        }
      }
    } catch {
      // A damaged one stays as it is: repair sees to it.
      guard error.code == .corrupt else { throw error }
      return (0, 0)
    }
    return (bytes, needed)
  }

  private func isWasteful(_ bytes: Int, needed: Int) -> Bool {
    Double(bytes - needed) > policy.waste * Double(bytes)
  }

  /// The sealed packs that may go: whose table is whole, whose name is durable, and which no record
  /// takes for live.
  private func sealedPacks() throws(RepositoryError) -> [PackFile] {
    let state = try repository.refresh()
    try repository.packs.catalog.settle()
    var packs: [PackFile] = []
    for handle in repository.packs.catalog.allPacks() where state.livePacks[handle.id] == nil {
      let pack = try handle.file(files)
      guard pack.isSealed, pack.table != nil else { continue }
      walk.sealed(pack)
      packs.append(pack)
    }
    return packs
  }

  private func deadPacks() throws(RepositoryError) -> [PackFile] {
    try sealedPacks().filter { walk.objects.shares[$0.id] == nil }
  }

  // MARK: - Rounds

  /// Condemns packs, and deletes all that are condemned once nobody can need them any more. Returns
  /// false where somebody still may.
  private func endRound(condemning packs: [PackFile]) throws(RepositoryError) -> Bool {
    try condemned.condemn(packs.map { ($0.id, $0.kind) })
    let all = try condemned.names()
    if all.isEmpty { return true }
    try EpochLock.begin(files)
    try repository.packs.listAnew(in: try EpochLock.newest(files) ?? "")
    while try !EpochLock.endOlder(files) {
      if isCancelled() { throw RepositoryError(.cancelled, "the collection was ended") }
      guard waits() else {
        report.waitingBytes = try condemnedBytes()
        return false
      }
    }
    try Self.checkRestores(files)
    // All who may have built on what is condemned have ended; what they committed is known now.
    if try repository.refresh().sequence != markedSequence { _ = try mark() }
    let rescued = all.filter { walk.rescued.contains($0.id) }
    try condemned.rescue(rescued)
    let dead = all.filter { !walk.rescued.contains($0.id) }
    report.freedBytes += try condemnedBytes()
    try condemned.delete(dead)
    report.deletedPacks += dead.count
    if !rescued.isEmpty { try repository.packs.listAnew(in: try EpochLock.newest(files) ?? "") }
    return true
  }

  /// Copies the packs with much waste without it, a few at a time, so that little more room is taken
  /// meanwhile.
  private func rewriteWasteful() throws(RepositoryError) -> Bool {
    var wasteful: [PackFile] = []
    for pack in try sealedPacks() {
      guard let table = pack.table else { continue }
      let needed = walk.objects.shares[pack.id]?.bytes ?? 0
      if isWasteful(LiveObjects.total(of: table).bytes, needed: needed) { wasteful.append(pack) }
    }
    var rest = wasteful[...]
    while !rest.isEmpty {
      let batch = rest.prefix(Self.batchCount)
      rest = rest.dropFirst(Self.batchCount)
      do throws(RepositoryError) {
        guard try rewrite(Array(batch)) else { return false }
      } catch {
        guard error.code == .noSpace else { throw error }
        report.remarks.append(
          "there was no room to write packs anew that have waste; run it again when there is some")
        return true
      }
    }
    return true
  }

  private static let batchCount = 16

  private func rewrite(_ packs: [PackFile]) throws(RepositoryError) -> Bool {
    let rewriter = PackRewriter(repository, level: policy.level)
    var copied: [PackFile] = []
    for pack in packs {
      if isCancelled() { throw RepositoryError(.cancelled, "the collection was ended") }
      do throws(RepositoryError) {
        try rewriter.copy(pack, walk.objects)
        copied.append(pack)
      } catch {
        guard error.code == .corrupt else { throw error }
        report.remarks.append("\(error.message); the pack stays as it is")
      }
    }
    try rewriter.finish()
    for pack in rewriter.sealed {
      walk.markAll(pack)
      report.freedBytes -= try size(of: pack.file, pack.name)
    }
    try repository.packs.listAnew(in: try EpochLock.newest(files) ?? "")
    report.rewrittenPacks += copied.count
    return try endRound(condemning: copied)
  }

  /// Bytes of all packs that are there, condemned ones too.
  private func size() throws(RepositoryError) -> Int {
    var total = 0
    for handle in repository.packs.catalog.allPacks() {
      do throws(RepositoryError) {
        let pack = try handle.file(files)
        total += try size(of: pack.file, pack.name)
      } catch {
        guard error.code == .notFound || error.code == .corrupt else { throw error }
      }
    }
    return try total + condemnedBytes()
  }

  private func condemnedBytes() throws(RepositoryError) -> Int {
    var total = 0
    for pack in try condemned.packs() { total += try size(of: pack.file, pack.name) }
    return total
  }

  private func size(of file: any OpenFile, _ name: String) throws(RepositoryError) -> Int {
    try onFile(name, "stat") { () throws(Errno) in try file.size() }
  }
}
