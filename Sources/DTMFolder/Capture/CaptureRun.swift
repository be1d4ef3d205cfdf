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
  }

  /// Where an entry stands.
  enum Place {
    case opened(OpenEntry)
    case scanned(ScanDirectory)
  }

  /// Entries of the tree that wait before they are written; records likewise.
  private static let sliceLimit = 4096
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
  private var capture: EntryCapture
  private var builder: TreeBuilder?
  private var current: Tree?
  private var batch = TreeBatch()
  private var edits: [StateEdit] = []
  /// Changes that are no reason for a snapshot: a directory's time, a writer that went away.
  private var silent: [(entry: TreeEntry, record: StateRecord)] = []
  private var removedSubtree: PathKey?
  private var opened: (key: PathKey, entry: OpenEntry)?
  private var moves: [(new: PathKey, old: PathKey)] = []
  private var hotBefore: [PathKey: Revisit] = [:]

  /// `state`: the cache, in which reading has begun; `isTrusted`: whether it describes `base`.
  init(
    _ root: FolderRoot, _ environment: CaptureEnvironment, ignoring scope: IgnoreScope,
    state: StateCache, isTrusted: Bool, base: Tree?, store: any CaptureStore, _ options: Options
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
    capture = EntryCapture(root, environment, store: store)
    current = base
    if base == nil { builder = TreeBuilder(writer: store) }
    if !isTrusted { written?.removeAll() }
  }

  /// Reads what has to be looked at again in each snapshot.
  func readRevisits() throws(FolderError) -> [Revisit] {
    guard let known else { return [] }
    let all = try onState { () throws(StateFailure) in try known.revisits() }
    for revisit in all where revisit.reason == .hot { hotBefore[revisit.key] = revisit }
    return all
  }

  /// After a scan: goes on looking at files with names elsewhere that the scan found unchanged.
  func keepLinkedElsewhere(_ revisits: [Revisit]) throws(FolderError) {
    for revisit in revisits where revisit.reason == .linkedElsewhere {
      try keep(revisit)
    }
  }

  // MARK: - One entry

  /// Looks at an entry that is there.
  func look(
    _ key: PathKey, _ status: FileStatus, _ place: Place, _ known: KnownEntries.Known?
  ) throws(FolderError) {
    if let known, !options.readsAll,
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
        if let known { try gone(known) }
      } else {
        unreadable(key, error, known)
      }
      return
    }
    switch try capture.capture(key, in: directory, status) {
    case .captured(let captured): try put(captured, known)
    case .vanished: if let known { try gone(known) }
    case .unreadable(let error): unreadable(key, error, known)
    }
  }

  private func put(
    _ captured: CapturedEntry, _ known: KnownEntries.Known?
  ) throws(FolderError) {
    let key = captured.entry.key
    findings.problems += captured.problems
    if captured.entry.kind == .file {
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
      case .unknown: break
      }
    }
    links.note(captured)
    try put(captured.entry, captured.record, known)
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
    if let old {
      if entry.kind != .directory || old.kind != .directory { findings.counts.modified += 1 }
      if old.kind == .directory && entry.kind != .directory { removeSubtree(entry.key) }
      if old.kind == .file { findings.fileDelta -= 1 }
    } else {
      findings.counts.added += 1
    }
    if entry.kind == .file { findings.fileDelta += 1 }
    try write(entry)
    edit(.put(entry.key, record))
    try flushIfFull()
  }

  /// A directory whose time alone changed, or a file that nobody writes any more.
  private static func isSilent(_ old: TreeEntry, _ new: TreeEntry) -> Bool {
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
    if record.kind == .file { findings.fileDelta -= 1 }
    if record.isLinked { links.drop(key, record) }
    edit(.remove(key))
    if let removedSubtree, key == removedSubtree || key.isBeneath(removedSubtree) {
      try flushIfFull()
      return
    }
    if record.isDirectory { removeSubtree(key) } else { batch.removed.append(key) }
    try flushIfFull()
  }

  /// A known entry that can't be looked at now stays as it is.
  func carry(_ known: KnownEntries.Known?) {
    if let known, self.known == nil { edit(.put(known.key, .unseen(known.record.kind))) }
  }

  /// An entry that can't be read: what is known of it is carried forward.
  func unreadable(_ key: PathKey, _ error: Errno, _ known: KnownEntries.Known?) {
    findings.problems.append(
      Snapshot.Problem(key: key, kind: .unreadable, detail: error.description))
    uncover(key)
    carry(known)
  }

  func uncover(_ key: PathKey) {
    findings.uncovered.append(key)
    findings.revisits.append(Revisit(key, .subtree, .uncovered))
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

  // MARK: - Moved directories

  /// A directory at a place where it was not: what is beneath it may be known from another.
  private func noteMove(
    _ key: PathKey, _ status: FileStatus, _ before: KnownEntries.Known?
  ) throws(FolderError) {
    guard let known, !options.readsAll else { return }
    let record = StateRecord(
      status, rootDevice: root.device, captureClass: .stable, isRacy: false)
    if before?.record.identity == record.identity { return }
    let old = try onState { () throws(StateFailure) in try known.directory(record.identity) }
    guard let old, old != key else { return }
    while let last = moves.last, !key.isBeneath(last.new) { moves.removeLast() }
    moves.append((key, old))
  }

  /// The entry of a file in a directory that was moved, unread, where stat says it is the same.
  private func moved(
    _ key: PathKey, _ status: FileStatus
  ) throws(FolderError) -> (TreeEntry, StateRecord)? {
    while let last = moves.last, !key.isBeneath(last.new) { moves.removeLast() }
    guard let move = moves.last, key.parent == move.new else { return nil }
    let old = move.old.appending(key.name)
    guard let record = try knownRecord(old),
      record.vouches(for: status, rootDevice: root.device), var entry = try baseEntry(old)
    else { return nil }
    entry.key = key
    return (entry, record)
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

  private func edit(_ edit: StateEdit) {
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

  // MARK: - The end

  /// The entry as the tree has it now, with all that waits written.
  private func currentEntry(_ key: PathKey) throws(FolderError) -> TreeEntry? {
    guard let current else { return nil }
    return try onRepository { () throws(RepositoryError) in try current.entry(key) }
  }

  /// Ends the capture: link groups, silent changes where they count, and the tree.
  ///
  /// `isWanted`: whether a snapshot is made even without changes.
  func finish(isWanted: Bool) throws(FolderError) -> Tree {
    if var builder {
      self.builder = nil
      current = try onRepository { () throws(RepositoryError) in try builder.finish() }
    }
    try flush()
    try joinLinks()
    if findings.hasChanges || isWanted {
      for (entry, record) in silent {
        batch.entries.append(entry)
        edit(.put(entry.key, record))
      }
      silent = []
    } else {
      for (entry, _) in silent {
        findings.revisits.append(Revisit(entry.key, .entry, .directoryTime))
        // The tree keeps what it has, so what stands here must be looked at again.
        if known == nil { edit(.put(entry.key, .unseen(entry.kind))) }
      }
    }
    try flush()
    guard let current else {
      preconditionFailure("a capture without a base has a builder")
    }
    sortFindings()
    return current
  }

  /// Gives the names of each file that has several the same content and group.
  private func joinLinks() throws(FolderError) {
    for group in links.changed {
      var names = Set(try knownNames(group.identity))
      names.subtract(group.dropped)
      names.formUnion(group.added)
      let sorted = names.sorted()
      if group.links > sorted.count, let first = sorted.first {
        findings.revisits.append(Revisit(first, .entry, .linkedElsewhere))
      }
      for name in sorted {
        guard let entry = try currentEntry(name) else { continue }
        var wanted = group.latest ?? entry
        wanted.key = name
        wanted.linkGroup = sorted.count > 1 ? sorted.first : nil
        if wanted == entry { continue }
        batch.entries.append(wanted)
        if base != nil, try baseEntry(name) == entry {
          findings.counts.modified += 1
          findings.hasChanges = true
        }
      }
      if batch.entries.count >= Self.sliceLimit { try flush() }
    }
    try flush()
  }

  func knownNames(_ identity: InodeIdentity) throws(FolderError) -> [PathKey] {
    guard let known else { return [] }
    return try onState { () throws(StateFailure) in try known.names(of: identity) }
  }

  private func sortFindings() {
    findings.problems.sort { $0.key < $1.key }
    findings.uncovered = Array(Set(findings.uncovered)).sorted()
    findings.hot = Array(Set(findings.hot)).sorted()
    findings.nested.sort()
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

extension StateEdit {
  /// In key order; of several for one key the last.
  package static func inOrder(_ edits: [StateEdit]) -> [StateEdit] {
    var isInOrder = true
    for index in edits.indices.dropFirst() where !(edits[index - 1].key < edits[index].key) {
      isInOrder = false
      break
    }
    if isInOrder { return edits }
    let sorted = edits.enumerated().sorted {
      $0.element.key == $1.element.key
        ? $0.offset < $1.offset : $0.element.key < $1.element.key
    }
    var result: [StateEdit] = []
    for (_, edit) in sorted {
      if result.last?.key == edit.key { result.removeLast() }
      result.append(edit)
    }
    return result
  }
}

extension Duration {
  /// Whole microseconds.
  var microseconds: Int64 {
    components.seconds &* 1_000_000 &+ components.attoseconds / 1_000_000_000_000
  }
}
