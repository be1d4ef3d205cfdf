internal import DTMRepository
internal import DTMSystem
internal import Synchronization
internal import SystemPackage

/// Carries a plan out beneath the folder's root: builds, puts in place, settles; or takes back what
/// was built.
///
/// All of it can be done again after it was cut off at any point: what is done already is seen by
/// what is there. Used by one thread; building uses a second one.
final class RestoreRun: Sendable {
  /// Above this many built entries, one syncfs(2) is cheaper than an fsync(2) each.
  static let singleSyncLimit = 64

  let root: FolderRoot
  let plan: RestorePlan
  let problems = RestoreProblems()
  let metadata: MetadataWriter
  /// Whether each phase ends on disk.
  let isDurable: Bool
  /// Whether it goes on after it was cut off: what is written in place may be a mixture.
  let isResumed: Bool
  /// Counts what is built.
  private let progress: WorkProgress
  let reached: @Sendable (RestorePoint) throws(FolderError) -> Void

  /// Items that can't be carried out; what is there stays.
  private let skippedItems: Mutex<Set<Int>>
  /// What was found at the targets when building began.
  private let targets = Mutex<[Int: FileStatus]>([:])
  private let openFiles = Mutex<[RestoreOutcome.OpenFile]>([])
  private let bytes = Atomic<Int>(0)

  /// `skipped`: items that an earlier run gave up.
  init(
    _ root: FolderRoot, _ plan: RestorePlan, skipped: Set<Int> = [], isDurable: Bool = true,
    isResumed: Bool = false, progress: WorkProgress,
    reached: @escaping @Sendable (RestorePoint) throws(FolderError) -> Void = { _ in }
  ) {
    self.root = root
    self.plan = plan
    self.isDurable = isDurable
    self.isResumed = isResumed
    self.progress = progress
    self.reached = reached
    metadata = MetadataWriter(problems: problems)
    skippedItems = Mutex(skipped)
    for problem in plan.problems { problems.add(problem.key, problem.kind, problem.detail) }
  }

  /// Bytes of content that were written; shared blocks don't count.
  var bytesWritten: Int { bytes.load(ordering: .relaxed) }

  func addBytes(_ count: Int) { bytes.wrappingAdd(count, ordering: .relaxed) }

  /// Something is built whole.
  func hasBuilt(_ index: Int) throws(FolderError) {
    progress.add(entries: 1, bytes: Int(clamping: plan.items[index].new?.size ?? 0))
    try reached(.built(index))
  }

  /// So many entries and bytes are to be built.
  func expect(entries: Int, bytes: Int) { progress.begin(entries: entries, bytes: bytes) }

  var skipped: Set<Int> { skippedItems.withLock { $0 } }

  func isSkipped(_ index: Int) -> Bool { skippedItems.withLock { $0.contains(index) } }

  /// Whether an item, or the new directory that holds it, was given up.
  func isOff(_ index: Int) -> Bool {
    isSkipped(index) || plan.items[index].container.map(isSkipped) ?? false
  }

  /// Says what was done where the outcome said what was planned.
  func report(to outcome: inout RestoreOutcome) {
    let done = plan.items.indices.filter { !isOff($0) }.map { plan.items[$0].action }
    outcome.written = done.count { $0.writes }
    outcome.removed = done.count { $0 == .remove || $0 == .removeDirectory }
    outcome.metadata = done.count { $0 == .adjust } + plan.settlings.count { $0.isChange }
    outcome.bytesWritten = bytesWritten
    outcome.openFiles = openFiles.withLock { $0 }
    outcome.problems = problems.all
    outcome.damaged = problems.damaged
  }

  /// Gives an item up and says why; what is there stays.
  func skip(_ index: Int, _ kind: Snapshot.Problem.Kind, _ detail: String) {
    skippedItems.withLock { _ = $0.insert(index) }
    problems.add(plan.items[index].key, kind, detail)
  }

  /// Gives up an item whose content is damaged in the repository; throws all other failures.
  func skip(_ index: Int, damage error: FolderError) throws(FolderError) {
    guard error.code == .corrupt else { throw error }
    skipDamaged(index, error.message)
  }

  /// Gives up an item of which the repository can't give something back; what is there stays.
  func skipDamaged(_ index: Int, _ detail: String) {
    skippedItems.withLock { _ = $0.insert(index) }
    problems.addDamage(plan.items[index].key, detail)
  }

  /// The attributes of an entry; nil, and a problem, where the repository can't give them back.
  func attributes(
    of entry: TreeEntry, _ objects: any ObjectReader
  ) throws(FolderError) -> [ExtendedAttribute]? {
    do throws(FolderError) { return try entry.attributes.decoded(objects) } catch {
      guard error.code == .corrupt else { throw error }
      problems.addDamage(entry.key, "its attributes are damaged: \(error.message)")
      return nil
    }
  }

  /// Gives up the item for an error of its path alone; throws what concerns everything.
  func skip(_ index: Int, _ cause: Errno, _ operation: String) throws(FolderError) {
    let key = plan.items[index].key
    guard cause.isOfOnePath else {
      throw FolderError(cause, operation, Quoting.path(key.path), path: key)
    }
    skip(index, .unreadable, "\(operation): \(cause.description)")
  }

  func skip(
    _ index: Int, _ obstacle: DirectoryObstacle, _ operation: String
  ) throws(FolderError) {
    switch obstacle {
    case .nested: skip(index, .unsupported, obstacle.detail)
    case .system(let cause):
      guard cause.isOfOnePath else { return try skip(index, cause, operation) }
      skip(index, .unsupported, "\(operation): \(obstacle.detail)")
    }
  }

  // MARK: - What is there

  func remember(_ status: FileStatus, at index: Int) {
    targets.withLock { $0[index] = status }
  }

  func note(_ files: [RestoreOutcome.OpenFile]) { openFiles.withLock { $0 = files } }

  /// Whether what is there is what the plan, and the safety snapshot, know.
  func isAsPlanned(_ status: FileStatus, _ index: Int) -> Bool {
    guard let old = plan.items[index].old, Self.matches(status, old) else { return false }
    guard let seen = targets.withLock({ $0[index] }) else { return true }
    // Another name of a file that comes or goes changes its ctime.
    return seen.inode == status.inode && (seen.links > 1 || seen.changed == status.changed)
  }

  /// Whether a status can be that of an entry, by all that both tell.
  static func matches(_ status: FileStatus, _ entry: TreeEntry) -> Bool {
    guard status.kind == entry.kind else { return false }
    switch entry.kind {
    case .directory: return true
    case .file:
      return status.size == entry.size && status.modified == entry.modified
        && status.permissions == entry.permissions && status.uid == entry.owner.id
        && status.gid == entry.group.id
    case .symlink, .fifo, .socket, .characterDevice, .blockDevice:
      return status.modified == entry.modified && status.uid == entry.owner.id
    }
  }

  static let changedDetail =
    "it has changed since the snapshot before the restore; it is left as it is"
}
