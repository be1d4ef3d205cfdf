internal import DTMRepository
internal import DTMSystem

extension Folder {
  /// How often the branch may be moved by others before a snapshot gives up.
  private static let commitAttempts = 5

  /// Takes a snapshot.
  ///
  /// After return it is durable. Blocks. Throws `.busy` when another process captures; `.refused`
  /// for a change set that does not begin where the state ends (then ask for a scan); `.held` when
  /// the folder is gone, or another empty directory stands in its place (but for the trigger
  /// `manual`). What can't be read is no error but a problem of the snapshot.
  package func snapshot(_ request: SnapshotRequest) throws(FolderError) -> SnapshotOutcome {
    let lock = try captureLock(patience: request.patience)
    defer { withExtendedLifetime(lock) {} }
    let started = environment.time.monotonic()
    let isAfresh: Bool
    do throws(FolderError) {
      return try capture(request, started: started)
    } catch {
      state.rollBack()
      guard error.code == .stateDamaged || error.code == .corrupt else { throw error }
      // A damaged tree is no base: the folder is read whole, which stores what is lost again.
      isAfresh = error.code == .corrupt
      state.reset()
      if request.changes.basis == .events { throw FolderError(.refused, error.message) }
    }
    do throws(FolderError) {
      return try capture(request, started: started, isAfresh: isAfresh)
    } catch {
      state.rollBack()
      throw error
    }
  }

  private func capture(
    _ request: SnapshotRequest, started: Duration, isAfresh: Bool = false
  ) throws(FolderError) -> SnapshotOutcome {
    let isReplaced = try refreshRoot()
    let session = try onRepository { () throws(RepositoryError) in
      try repository.beginSession()
    }
    // Who wants everything read wants what is stored of it checked too.
    session.checksContent = request.changes.basis == .full || isAfresh
    let basis = try basis(session, isAfresh: isAfresh)
    try check(request.changes, basis)
    try checkRoot(request, basis, isReplaced: isReplaced)
    let base = basis.base.map { Tree(root: $0.snapshot.tree, objects: session) }
    let run = CaptureRun(
      root, environment, ignoring: scope, state: state, isTrusted: basis.isTrusted, base: base,
      store: session, clones: clones,
      CaptureRun.Options(
        readsAll: request.changes.basis == .full, ignoresHotLimit: request.ignoresHotLimit,
        groups: groups, told: told(request, basis)))
    run.carryProblems(of: basis.base)
    let revisits = try run.readRevisits()
    let continues = request.continues != nil && request.continues == basis.header?.head
    if request.changes.basis == .events || continues {
      try run.lookAt(request.changes, revisits)
    } else {
      try run.scanAll()
      try run.keepLinkedElsewhere(revisits)
    }
    let isMoved = basis.parent?.id != basis.base?.id
    let isWanted = !request.ifChanged || basis.parent == nil
    let tree = try run.finish(isWanted: isWanted || isMoved)
    let hasNews =
      isMoved ? tree.root != basis.parent?.snapshot.tree : run.findings.hasChanges
    try confirmRoot()
    guard isWanted || hasNews else {
      return try unchanged(request, basis, run, revisits, started: started)
    }
    return try commit(
      request, basis, run, tree, session, revisits, started: started)
  }

  /// What the watcher has told, where a scan of what it had told can be held against that: the set begins
  /// where the state ends.
  private func told(_ request: SnapshotRequest, _ basis: Basis) -> (@Sendable (PathKey) -> Bool)? {
    guard let isTold = request.isTold, request.changes.basis != .events, basis.isTrusted,
      let header = basis.header, !header.clock.isEmpty,
      header.clock == request.changes.baseClock, header.rules == rules
    else { return nil }
    return isTold
  }

  /// Nothing changed in content: the snapshot that is there is the answer, and the state learns
  /// what was proven anew.
  private func unchanged(
    _ request: SnapshotRequest, _ basis: Basis, _ run: CaptureRun, _ revisits: [Revisit],
    started: Duration
  ) throws(FolderError) -> SnapshotOutcome {
    guard let parent = basis.parent else {
      preconditionFailure("without a snapshot there is always a new one")
    }
    finishState(
      run, basis, head: parent.id, sequence: basis.header?.sequence ?? 0, request.changes, revisits)
    return SnapshotOutcome(
      id: parent.id, snapshot: parent.snapshot, wasCreated: false,
      duration: environment.time.monotonic() - started, storedBytes: 0, facts: [:],
      nested: run.findings.nested, problems: run.findings.problems,
      uncovered: run.findings.uncovered, hot: run.findings.hot,
      untold: run.findings.untold)
  }

  private func commit(
    _ request: SnapshotRequest, _ first: Basis, _ run: CaptureRun, _ tree: Tree,
    _ session: WriteSession, _ revisits: [Revisit], started: Duration
  ) throws(FolderError) -> SnapshotOutcome {
    var parent = first.parent
    var branch = first.branch
    var hasHead = first.hasHead
    for attempt in 1...Self.commitAttempts {
      var snapshot = try snapshot(request, run, tree, base: first.base, parent: parent, branch)
      if parent?.id != first.base?.id, let parent {
        do throws(FolderError) { try recount(&snapshot, tree, parent, session) } catch {
          // Against a damaged tree everything is new.
          guard error.code == .corrupt else { throw error }
        }
      }
      do throws(RepositoryError) {
        let id = try session.write(.snapshot, snapshot.encoded)
        // The record says how much was stored.
        try session.flush()
        let duration = environment.time.monotonic() - started
        let record = draft(
          request, snapshot, id, parent: parent?.id, hasHead: hasHead,
          storedBytes: session.storedBytes, duration)
        let log = try session.commit(record, at: environment.time.now())
        finishState(run, first, head: id, sequence: log.sequence, request.changes, revisits)
        return SnapshotOutcome(
          id: id, snapshot: snapshot, wasCreated: true,
          duration: environment.time.monotonic() - started, storedBytes: session.storedBytes,
          facts: Dictionary(record.facts.map { ($0.key, $0.value) }) { $1 },
          nested: run.findings.nested, problems: run.findings.problems,
          uncovered: run.findings.uncovered, hot: run.findings.hot,
          untold: run.findings.untold)
      } catch {
        guard error.code == .conflict, attempt < Self.commitAttempts else {
          throw FolderError(error)
        }
      }
      // The branch moved meanwhile: the tree is the folder's all the same, on another parent.
      let history = try History(repository, folder: id)
      branch = history.currentBranch
      hasHead = history.state.refs[refs.head] != nil
      parent = nil
      if let head = history.head { parent = try history.snapshot(head) }
    }
    preconditionFailure("the last attempt returns or throws")
  }

  // MARK: - The snapshot

  private func snapshot(
    _ request: SnapshotRequest, _ run: CaptureRun, _ tree: Tree, base: KnownSnapshot?,
    parent: KnownSnapshot?, _ branch: String
  ) throws(FolderError) -> Snapshot {
    var snapshot = Snapshot(
      tree: tree.root, parent: parent?.id, branch: branch,
      time: request.time ?? environment.time.now(), trigger: request.trigger,
      basis: request.changes.basis, folder: id)
    let totals = try onRepository { () throws(RepositoryError) in try tree.totals(of: .root) }
    snapshot.message = request.message
    snapshot.rules = request.rules
    snapshot.labels = request.labels
    snapshot.host = request.host
    snapshot.user = request.user
    snapshot.counts = run.findings.counts
    snapshot.counts.files = (base?.snapshot.counts.files ?? 0) + run.findings.fileDelta
    snapshot.counts.bytes = Int(clamping: totals.bytes)
    snapshot.counts.entries = totals.entries
    snapshot.problems = run.findings.problems
    snapshot.uncovered = run.findings.uncovered
    snapshot.hot = run.findings.hot
    snapshot.baseClock = request.changes.baseClock
    snapshot.endClock = request.changes.endClock
    snapshot.writerVersion = request.writerVersion
    return snapshot
  }

  /// Counts against the parent where the capture began from another snapshot.
  private func recount(
    _ snapshot: inout Snapshot, _ tree: Tree, _ parent: KnownSnapshot, _ session: WriteSession
  ) throws(FolderError) {
    let old = Tree(root: parent.snapshot.tree, objects: session)
    var counts = snapshot.counts
    try onRepository { () throws(RepositoryError) in
      try counts.countDifferences(of: tree, from: old)
    }
    snapshot.counts = counts
  }

  private func draft(
    _ request: SnapshotRequest, _ snapshot: Snapshot, _ snapshotID: ObjectID, parent: ObjectID?,
    hasHead: Bool, storedBytes: Int, _ duration: Duration
  ) -> RecordDraft {
    var draft = RecordDraft(
      kind: request.operation,
      summary: request.message.isEmpty ? request.trigger : request.message)
    draft.moves = [
      RefMove(
        ref: refs.branch(snapshot.branch), old: parent.map { .id($0) }, new: .id(snapshotID))
    ]
    if !hasHead {
      draft.moves.append(RefMove(ref: refs.head, old: nil, new: .name(snapshot.branch)))
    }
    if request.isPinned {
      draft.moves.append(RefMove(ref: refs.pin(snapshotID), old: nil, new: .id(snapshotID)))
    }
    for tag in request.tags {
      draft.moves.append(RefMove(ref: refs.tag(tag), old: nil, new: .id(snapshotID)))
    }
    draft.facts = [
      Fact(
        subject: snapshotID, key: RefLog.durationFact,
        value: Array(String(duration.microseconds).utf8)),
      Fact(
        subject: snapshotID, key: "storedBytes", value: Array(String(storedBytes).utf8)),
    ]
    for (key, value) in request.facts {
      draft.facts.append(Fact(subject: snapshotID, key: key, value: value))
    }
    draft.pid = ProcessSignals.processID
    draft.uid = ThreadIdentity.current.uid
    return draft
  }

  // MARK: - The state

  /// Brings the state cache up to a snapshot; failing is no error, the next snapshot scans.
  private func finishState(
    _ run: CaptureRun, _ basis: Basis, head: ObjectID, sequence: UInt64, _ changes: ChangeSet,
    _ revisits: [Revisit]
  ) {
    let wanted = Dictionary(run.findings.revisits.map { ($0.key, $0) }) { _, last in last }
    let before = Dictionary(revisits.map { ($0.key, $0) }) { _, last in last }
    state.replaceRevisits(
      removing: before.keys.filter { wanted[$0] == nil },
      adding: wanted.values.filter { before[$0.key] != $0 })
    let header = StateHeader(
      head: head, sequence: sequence, clock: changes.endClock, rules: rules,
      entries: basis.header?.entries ?? 0)
    if state.isWriting || header != basis.header { state.commit(header) }
    state.endReading()
  }
}
