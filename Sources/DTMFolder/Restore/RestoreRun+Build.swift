internal import DTMRepository
internal import DTMSystem
internal import Synchronization
internal import SystemPackage

/// Building everything beside its target.
extension RestoreRun {
  typealias ReaderFactory = @Sendable () throws(FolderError) -> any ObjectReader

  /// Opens a second reader in the thread that uses it.
  static func readers(of repository: Repository) -> ReaderFactory {
    let files = repository.files
    return { () throws(FolderError) in
      try onRepository { () throws(RepositoryError) in try Repository(files).objects }
    }
  }

  /// From so many files or bytes on, a second thread is worth its start.
  private static let fewFiles = 256
  private static let fewBytes = 8 << 20
  /// Files are handed out in runs of about so many bytes and at most so many files: neighbours share
  /// frames.
  private static let runBytes = 4 << 20
  private static let runFiles = 256

  /// Builds all that the plan says, and makes it durable.
  ///
  /// `helper`: makes a reader for a second thread, where there is much to do. After return everything
  /// built is on disk where that is asked for. Throws `.noSpace`, `.inputOutput`; what concerns one path
  /// is a problem, damaged content too.
  func build(
    _ objects: any ObjectReader, helper: ReaderFactory? = nil
  ) throws(FolderError) {
    var builder = EntryBuilder(self, objects)
    let items = builtItems { _ in true }
    expect(
      entries: items.count,
      bytes: items.reduce(0) { $0 + Int(clamping: plan.items[$1].new?.size ?? 0) })
    try checkTargets(&builder)
    try checkOverwritten(&builder)
    try makeDirectories(&builder)
    try fillFiles(&builder, helper)
    try makeLinks(&builder)
    try finishDirectories(&builder)
    if isDurable { try synchronizeBuilt(&builder) }
  }

  /// Indices of the items that are built, in key order.
  private func builtItems(_ isIncluded: (RestorePlan.Item) -> Bool) -> [Int] {
    plan.items.indices.filter { plan.items[$0].action.builds && isIncluded(plan.items[$0]) }
  }

  /// Compares what is to be replaced with what the plan knows of it.
  private func checkTargets(_ builder: inout EntryBuilder) throws(FolderError) {
    for (index, item) in plan.items.enumerated()
    where item.action.writes && item.container == nil {
      let status: FileStatus?
      do throws(DirectoryObstacle) {
        status = try builder.target(of: item.key)
      } catch {
        try skip(index, error, "open")
        continue
      }
      guard let status else {
        if item.action != .add { skip(index, .changing, Self.changedDetail) }
        continue
      }
      if item.action == .add {
        skip(index, .changing, "something that no snapshot has stands in its place; it is left")
      } else if isAsPlanned(status, index) {
        remember(status, at: index)
      } else {
        skip(index, .changing, Self.changedDetail)
      }
    }
    try lookForWriters(&builder)
  }

  /// Makes sure that what is written in place can be, and can be taken back, before anything is touched.
  private func checkOverwritten(_ builder: inout EntryBuilder) throws(FolderError) {
    var growth = 0
    for (index, item) in plan.items.enumerated()
    where item.action == .overwrite && !isSkipped(index) {
      guard let old = item.old, let new = item.new else { continue }
      if builder.hasWriter(item.key) {
        skip(
          index, .changing,
          "somebody has it open for writing: it can't be written in place meanwhile")
        continue
      }
      do throws(FolderError) { try builder.checkOverwriting(old, new) } catch {
        try skip(index, damage: error)
        continue
      }
      growth += max(0, Int(clamping: new.size) - Int(clamping: old.size))
    }
    if growth == 0 { return }
    let free = try onPath(.root, "statvfs") { () throws(Errno) in
      try root.openDirectory(.root).descriptor.space().freeBytes
    }
    if growth > free {
      throw FolderError(
        .noSpace, "the files grow by \(growth) bytes, and the file system has \(free)")
    }
  }

  /// Finds out who has open for writing what is to be replaced or removed: what they write from now
  /// on goes to the file that is not there any more.
  private func lookForWriters(_ builder: inout EntryBuilder) throws(FolderError) {
    var files: [PathKey: FileIdentity] = [:]
    for (index, item) in plan.items.enumerated() where !isSkipped(index) && item.isFileThatGoes {
      guard builder.hasWriter(item.key) else { continue }
      do throws(DirectoryObstacle) {
        files[item.key] = try builder.target(of: item.key).map { FileIdentity($0) }
      } catch { continue }
    }
    if files.isEmpty { return }
    let writers = FileWriters.find(Set(files.values))
    note(
      files.keys.sorted().map { key in
        RestoreOutcome.OpenFile(
          path: key, writers: files[key].flatMap { writers[$0] } ?? [])
      })
  }

  private func makeDirectories(_ builder: inout EntryBuilder) throws(FolderError) {
    for index in builtItems({ $0.new?.kind == .directory }) where !isOff(index) {
      try builder.makeDirectory(index)
    }
  }

  // MARK: - Files

  private func fillFiles(
    _ builder: inout EntryBuilder, _ makeReader: ReaderFactory?
  ) throws(FolderError) {
    let indices = builtItems { $0.new?.kind != .directory && $0.link == nil }
    let total = indices.reduce(0) { $0 + Int(clamping: plan.items[$1].new?.size ?? 0) }
    guard let makeReader, indices.count > 1,
      indices.count >= Self.fewFiles || total >= Self.fewBytes
    else {
      for index in indices where !isOff(index) { try builder.build(index) }
      return
    }
    let queue = BuildQueue(runs(of: indices))
    // Without a thread to be had, this one does it all.
    let helper: DedicatedThread?
    do throws(Errno) {
      helper = try DedicatedThread(named: "dtm-restore") { [self] in
        queue.attempt { () throws(FolderError) in
          var builder = EntryBuilder(self, try makeReader())
          try work(queue, &builder)
        }
      }
    } catch { helper = nil }
    queue.attempt { () throws(FolderError) in try work(queue, &builder) }
    helper?.join()
    if let failure = queue.failure { throw failure }
  }

  private func work(_ queue: BuildQueue, _ builder: inout EntryBuilder) throws(FolderError) {
    while let run = queue.next() {
      for index in run where !isOff(index) { try builder.build(index) }
    }
  }

  private func runs(of indices: [Int]) -> [[Int]] {
    var runs: [[Int]] = []
    var run: [Int] = []
    var length = 0
    for index in indices {
      run.append(index)
      length += Int(clamping: plan.items[index].new?.size ?? 0)
      if length >= Self.runBytes || run.count >= Self.runFiles {
        runs.append(run)
        (run, length) = ([], 0)
      }
    }
    if !run.isEmpty { runs.append(run) }
    return runs
  }

  // MARK: - Links, directories

  private func makeLinks(_ builder: inout EntryBuilder) throws(FolderError) {
    for index in builtItems({ $0.link != nil }) where !isOff(index) {
      try builder.makeLink(index)
    }
  }

  /// New directories get their metadata when nothing in them changes any more: the deepest first.
  private func finishDirectories(_ builder: inout EntryBuilder) throws(FolderError) {
    let indices = builtItems { $0.new?.kind == .directory }
    for index in indices.reversed() where !isOff(index) { try builder.finishDirectory(index) }
  }

  /// Few entries are synced one by one, so that a busy disk's other files need not wait; many by one
  /// syncfs(2).
  private func synchronizeBuilt(_ builder: inout EntryBuilder) throws(FolderError) {
    let indices = builtItems { _ in true }.filter { !isOff($0) }
    if indices.isEmpty { return }
    if indices.count <= Self.singleSyncLimit, try builder.synchronize(indices) { return }
    try onPath(.root, "syncfs") { () throws(Errno) in
      try root.openDirectory(.root).descriptor.synchronizeFileSystem()
    }
  }
}

/// Runs of files that wait to be built, shared by the threads; and the first failure.
private final class BuildQueue: Sendable {
  private struct State: Sendable {
    var runs: [[Int]]
    var failure: FolderError?
  }

  private let state: Mutex<State>

  init(_ runs: [[Int]]) {
    state = Mutex(State(runs: runs.reversed()))
  }

  /// The next run in key order; nil when all are taken, or somebody failed.
  func next() -> [Int]? {
    state.withLock { $0.failure == nil ? $0.runs.popLast() : nil }
  }

  func attempt(_ body: () throws(FolderError) -> Void) {
    do throws(FolderError) { try body() } catch {
      state.withLock { if $0.failure == nil { $0.failure = error } }
    }
  }

  var failure: FolderError? { state.withLock { $0.failure } }
}
