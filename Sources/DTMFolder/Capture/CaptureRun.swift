internal import DTMRepository
internal import DTMSystem
internal import SystemPackage

/// One capture: compares the folder with what is known, reads what differs, and makes the tree.
///
/// Changes go to the tree and to the state cache in slices, so that memory is bounded whatever
/// changed. Nothing counts before the caller commits both.
final class CaptureRun {
  struct Options {
    /// Read every file, whatever stat says.
    var readsAll = false
    /// Read files that are open for writing however long that takes.
    var ignoresHotLimit = false
    /// Keep the state cache in step; not for a tree that is only looked at.
    var writesState = true
    /// Files that fit together only as they were at one moment.
    var groups: [FileGroup] = []
    /// What an event told of; what else a scan finds is reported.
    var told: (@Sendable (PathKey) -> Bool)?
  }

  /// What the capture found, beside the tree.
  struct Findings {
    /// Whether there is anything to make a snapshot for.
    var hasChanges = false
    var counts = Snapshot.Counts()
    /// Regular files more than in the base.
    var fileDelta = 0
    var problems: [Snapshot.Problem] = []
    var uncovered: [PathKey] = []
    var hot: [PathKey] = []
    /// Directories that are folders of their own.
    var nested: [PathKey] = []
    var revisits: [Revisit] = []
    /// What a scan found and no event had told.
    var untold: [AuditVerdict.Finding] = []
  }

  /// Where an entry stands.
  enum Place {
    case opened(OpenEntry)
    case scanned(ScanDirectory)
  }

  /// Entries of the tree that wait before they are written; records likewise.
  static let sliceLimit = 4096
  /// Bytes of a key (format: Conventions).
  static let keyLimit = 65_536
  /// A hot file is read again at the earliest after so many times its reading took.
  private static let hotRest: Int64 = 9

  let root: FolderRoot
  let environment: CaptureEnvironment
  let scope: IgnoreScope
  let options: Options
  /// What is known from before; nil where the state cache can't be trusted.
  let known: StateCache?
  /// The cache that is kept in step.
  private let written: StateCache?
  let store: any CaptureStore
  /// The tree that the state describes; nil for a first snapshot.
  let base: Tree?

  var findings = Findings()
  var links = LinkGroups()
  var lookup: KnownLookup?
  var capture: EntryCapture
  /// Files that somebody had open for writing when they were captured, as they were then.
  var openFiles: [PathKey: OpenFile] = [:]
  /// Files of configured groups that were written not long before they were captured.
  var freshMembers: Set<PathKey> = []
  var builder: TreeBuilder?
  var current: Tree?
  var batch = TreeBatch()
  private var edits: [StateEdit] = []
  /// Changes that are no reason for a snapshot: a directory's time, a writer that went away.
  var silent: [(entry: TreeEntry, record: StateRecord)] = []
  private var removedSubtree: PathKey?
  private var opened: (key: PathKey, entry: OpenEntry)?
  /// What a scan took for a directory, and is none in the tree: it was swapped for something else, or is
  /// gone. What was listed in it may be reached again by now, and has no place there.
  var swapped: PathKey?
  var moves: [(new: PathKey, old: PathKey)] = []
  private(set) var hotBefore: [PathKey: Revisit] = [:]
  private(set) var uncoveredBefore: [PathKey] = []
  /// What of the base is not as it was in the folder; goes on as long as it is not read anew.
  var carriedProblems: [PathKey: [Snapshot.Problem]] = [:]

  /// `state`: the cache, in which reading has begun; `isTrusted`: whether it describes `base`.
  init(
    _ root: FolderRoot, _ environment: CaptureEnvironment, ignoring scope: IgnoreScope,
    state: StateCache, isTrusted: Bool, base: Tree?, store: any CaptureStore,
    clones: CloneHome? = nil, _ options: Options
  ) {
    self.root = root
    self.environment = environment
    self.scope = scope
    self.options = options
    known = isTrusted ? state : nil
    written = options.writesState ? state : nil
    lookup = isTrusted ? KnownLookup(state) : nil
    self.store = store
    self.base = base
    capture = EntryCapture(root, environment, store: store, clones: clones)
    current = base
    if base == nil { builder = TreeBuilder(writer: store) }
    if !isTrusted { written?.removeAll() }
  }

  /// Reads what has to be looked at again in each snapshot.
  func readRevisits() throws(FolderError) -> [Revisit] {
    guard let known else { return [] }
    let all = try onState { () throws(StateFailure) in try known.revisits() }
    for revisit in all where revisit.reason == .hot { hotBefore[revisit.key] = revisit }
    uncoveredBefore = all.filter { $0.reason == .uncovered }.map(\.key)
    return all
  }

  /// After a scan: goes on looking at files with names elsewhere that the scan found unchanged.
  func keepLinkedElsewhere(_ revisits: [Revisit]) throws(FolderError) {
    for revisit in revisits where revisit.reason == .linkedElsewhere {
      try keep(revisit)
    }
  }

  // MARK: - One entry

  /// Looks at an entry that is there; `isTold`: an event tells that it changed.
  func look(
    _ key: PathKey, _ status: FileStatus, _ place: Place, _ known: KnownEntries.Known?,
    isTold: Bool = false
  ) throws(FolderError) {
    environment.progress.add(entries: 1)
    // On tmpfs what is stored through a mapping that was read before moves no time.
    let isSilent = isTold && root.fileSystem == .tmpfs && status.kind == .file
    if let known, !options.readsAll, !isSilent,
      known.record.vouches(for: status, rootDevice: root.device)
    {
      return
    }
    if status.kind == .directory {
      try noteMove(key, status, known)
    } else if let (entry, record) = try moved(key, status) {
      try put(entry, record, known)
      return
    } else if let (entry, record) = links.captured(status, rootDevice: root.device, as: key) {
      try put(entry, record, known)
      return
    }
    if isResting(key, status) {
      findings.hot.append(key)
      if let revisit = hotBefore[key] { findings.revisits.append(revisit) }
      carry(known)
      return
    }
    let directory: OpenEntry
    do throws(Errno) {
      directory = try open(place)
    } catch {
      if error == .noSuchFileOrDirectory || error == .notDirectory {
        swapped = key
        if let known { try gone(known) }
      } else {
        if known == nil { swapped = key }
        unreadable(key, error, known)
      }
      return
    }
    let outcome = try capture.capture(key, in: directory, status)
    if status.kind == .directory, !outcome.leavesDirectory(known?.record) { swapped = key }
    switch outcome {
    case .captured(let captured): try put(captured, known)
    case .vanished: if let known { try gone(known) }
    case .unreadable(let error): unreadable(key, error, known)
    }
  }

  private func put(
    _ captured: CapturedEntry, _ known: KnownEntries.Known?
  ) throws(FolderError) {
    note(captured)
    links.note(captured)
    try put(captured.entry, captured.record, known)
  }

  /// Counts what vouches for an entry, and keeps in mind what has to be looked at again.
  func note(_ captured: CapturedEntry) {
    let key = captured.entry.key
    findings.problems += captured.problems
    dropCarriedProblems(of: captured.entry)
    if captured.entry.kind == .file {
      noteMember(key, captured.record)
      switch captured.record.captureClass {
      case .proven: findings.counts.proven += 1
      case .stable: if !captured.record.isRacy { findings.counts.stable += 1 }
      case .hot, .changing:
        let ended = environment.time.now()
        findings.revisits.append(
          Revisit(
            key, .entry, .hot,
            ended: ended.seconds &* 1_000_000 &+ Int64(ended.nanoseconds / 1000),
            took: captured.took.microseconds))
        if captured.record.captureClass == .hot { findings.hot.append(key) }
        openFiles[key] = OpenFile(record: captured.record, took: captured.took)
      case .unknown: break
      }
    }
  }

  /// Takes an entry into the tree and the state.
  func put(
    _ new: TreeEntry, _ record: StateRecord, _ known: KnownEntries.Known?
  ) throws(FolderError) {
    var entry = new
    let old = known == nil ? nil : try baseEntry(entry.key)
    if record.isLinked {
      entry.linkGroup = old?.linkGroup
      links.add(entry.key, record)
    }
    if let known, known.record.isLinked,
      !record.isLinked || known.record.identity != record.identity
    {
      links.drop(entry.key, known.record)
    }
    if let old, old == entry {
      edit(.put(entry.key, record))
      try flushIfFull()
      return
    }
    if let old, Self.isSilent(old, entry) {
      silent.append((entry, record))
      return
    }
    findings.hasChanges = true
    reportUntold(entry.key, record, known)
    if let old {
      if entry.kind != .directory || old.kind != .directory { findings.counts.modified += 1 }
      if old.kind == .directory && entry.kind != .directory { removeSubtree(entry.key) }
      if old.kind == .file { findings.fileDelta -= 1 }
    } else if !entry.key.isRoot {
      findings.counts.added += 1
    }
    if entry.kind == .file { findings.fileDelta += 1 }
    try write(entry)
    edit(.put(entry.key, record))
    try flushIfFull()
  }

  /// A directory whose time alone changed, or a file that nobody writes any more.
  static func isSilent(_ old: TreeEntry, _ new: TreeEntry) -> Bool {
    var same = new
    if new.kind == .directory { same.modified = old.modified }
    same.isHot = old.isHot
    return same == old
  }

  /// Takes an entry out that is not there any more.
  func gone(_ known: KnownEntries.Known) throws(FolderError) {
    let (key, record) = (known.key, known.record)
    findings.hasChanges = true
    findings.counts.removed += 1
    carriedProblems[key] = nil
    if record.kind == .file { findings.fileDelta -= 1 }
    if record.isLinked { links.drop(key, record) }
    edit(.remove(key))
    if let removedSubtree, key == removedSubtree || key.isBeneath(removedSubtree) {
      try flushIfFull()
      return
    }
    reportUntold(key, nil, known)
    if record.isDirectory { removeSubtree(key) } else { batch.removed.append(key) }
    try flushIfFull()
  }

  /// A known entry that can't be looked at now stays as it is.
  func carry(_ known: KnownEntries.Known?) {
    if let known, self.known == nil { edit(.put(known.key, .unseen(known.record.kind))) }
  }

  private func isResting(_ key: PathKey, _ status: FileStatus) -> Bool {
    guard !options.ignoresHotLimit, !options.readsAll, status.kind == .file,
      let before = hotBefore[key]
    else { return false }
    let now = environment.time.now()
    let microseconds = now.seconds &* 1_000_000 &+ Int64(now.nanoseconds / 1000)
    let since = microseconds &- before.ended
    return since >= 0 && since < before.took &* Self.hotRest
  }

  private func open(_ place: Place) throws(Errno) -> OpenEntry {
    switch place {
    case .opened(let entry): return entry
    case .scanned(let directory):
      if let opened, opened.key == directory.key { return opened.entry }
      let entry = try directory.open(root)
      opened = (directory.key, entry)
      return entry
    }
  }

  // MARK: - The tree and the state

  func knownRecord(_ key: PathKey) throws(FolderError) -> StateRecord? {
    guard var lookup else {
      // Without a state to trust, the tree tells what is known.
      guard let entry = try baseEntry(key) else { return nil }
      return .unseen(entry.kind)
    }
    self.lookup = nil
    defer { self.lookup = lookup }
    return try onState { () throws(StateFailure) in try lookup.record(key) }
  }

  func baseEntry(_ key: PathKey) throws(FolderError) -> TreeEntry? {
    guard let base else { return nil }
    return try onRepository { () throws(RepositoryError) in try base.entry(key) }
  }

  private func removeSubtree(_ key: PathKey) {
    batch.removedSubtrees.append(key)
    removedSubtree = key
  }

  private func write(_ entry: TreeEntry) throws(FolderError) {
    guard var builder else {
      batch.entries.append(entry)
      return
    }
    // Out of the property while it changes, or its buffers are copied.
    self.builder = nil
    defer { self.builder = builder }
    try onRepository { () throws(RepositoryError) in try builder.append(entry) }
  }

  func edit(_ edit: StateEdit) {
    if written != nil { edits.append(edit) }
  }

  private func flushIfFull() throws(FolderError) {
    if edits.count >= Self.sliceLimit || batch.entries.count >= Self.sliceLimit
      || batch.removed.count >= Self.sliceLimit
    {
      try flush()
    }
  }

  /// Writes what waits.
  func flush() throws(FolderError) {
    if !batch.isEmpty, let tree = current {
      let batch = self.batch
      self.batch = TreeBatch()
      current = try onRepository { () throws(RepositoryError) in
        try tree.applying(batch, to: store)
      }
    }
    if edits.isEmpty { return }
    written?.apply(StateEdit.inOrder(edits))
    edits = []
  }

  /// Wraps a damaged state cache: the caller empties it and captures again.
  func onState<Result>(
    _ body: () throws(StateFailure) -> Result
  ) throws(FolderError) -> Result {
    do throws(StateFailure) {
      return try body()
    } catch {
      if let repository = error.repository { throw FolderError(repository) }
      throw FolderError(.stateDamaged, "the state cache is damaged: \(error.message)")
    }
  }
}

extension Duration {
  /// Whole microseconds.
  var microseconds: Int64 {
    components.seconds &* 1_000_000 &+ components.attoseconds / 1_000_000_000_000
  }
}
