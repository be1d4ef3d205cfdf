internal import DTMRepository
internal import DTMSystem
internal import SystemPackage

/// Bringing back states of the folder.
extension Folder {
  /// Brings the folder, or paths of it, back to a state; or lays that out elsewhere.
  ///
  /// First a restore that was cut off is finished or taken back. Then: safety snapshot, plan and
  /// journal, everything built beside its target, everything into place, the operation recorded, a
  /// snapshot of the result. Only what differs is touched. After return it is durable (but for
  /// `destination`). Blocks.
  ///
  /// `recorder`: makes the snapshots, where a daemon holds the folder. Throws `.notFound` for a path that
  /// the state does not have, `.exists` for a destination that is not empty, `.busy` when another restore
  /// or capture is at work, `.corrupt` where a tree is damaged: then nothing has changed. What could not
  /// be done for single paths is in the outcome's problems, and, where their content is damaged, in its
  /// `damaged` paths.
  package func restore(
    _ request: RestoreRequest, recorder: (any RestoreRecorder)? = nil,
    reached: @escaping @Sendable (RestorePoint) throws(FolderError) -> Void = { _ in }
  ) throws(FolderError) -> RestoreOutcome {
    if let destination = request.destination {
      return try StateLayOut(
        prospector, request, head: try history().head, progress: environment.progress
      ).run(in: destination) { () throws(FolderError) in try working().tree }
    }
    if request.isInPlace, !request.takesSafetySnapshot {
      throw FolderError(
        .invalidInput, "what is written in place has to be recorded first",
        hint: "leave the safety snapshot on")
    }
    if request.isDryRun { return try planned(request) }
    let lock = try restoreLock()
    defer { withExtendedLifetime(lock) {} }
    var outcome = RestoreOutcome()
    outcome.recovery = try recoverLocked(recorder)
    let recorder =
      recorder
      ?? FolderRecorder(
        self, host: request.host, user: request.user, writerVersion: request.writerVersion)
    let head = try history().head
    // A restore of paths that are as they are wanted needs no safety snapshot.
    if !request.paths.isEmpty, request.branch == nil, request.undoes == nil {
      let prospect = try prospector.prospect(request, from: try working().tree, head: head)
      if prospect.plan.isEmpty { return outcome.merging(prospect) }
    }
    let prospect: Prospect
    if request.takesSafetySnapshot {
      let (safety, wasCreated) = try recorder.takeSnapshot(
        trigger: "safety", message: "before \(request.kind)", ifChanged: true, isWhole: false,
        since: nil)
      if wasCreated { outcome.safetySnapshot = safety }
      let tree = Tree(root: safety.snapshot.tree, objects: repository.objects)
      prospect = try prospector.prospect(request, from: tree, head: head, before: safety.id)
    } else {
      prospect = try prospector.prospect(request, from: try working().tree, head: head)
    }
    outcome = outcome.merging(prospect)
    if prospect.plan.isEmpty && request.branch == nil && request.undoes == nil { return outcome }
    let intent = intent(request, prospect, before: prospect.before ?? head)
    let since = prospect.before.map { OwnChanges(prospect.plan, since: $0) }
    return try carryOut(
      prospect.plan, intent, isWhole: request.isAnew, since: since, recorder, outcome, reached)
  }

  /// Whether a restore was cut off, and the next writing command has to finish it or take it back.
  package func needsRecovery() throws(FolderError) -> Bool {
    if try RestoreJournal.names(of: id, files: repository.files, sweeps: false).isEmpty {
      return false
    }
    // While one is at work its journal is its own.
    do throws(FolderError) {
      _ = try restoreLock()
      return true
    } catch {
      if error.code == .busy { return false }
      // Who may not lock can't tell whether it is at work; most likely it is not.
      if error.code == .permissionDenied { return true }
      throw error
    }
  }

  /// Finishes a restore that was cut off, or takes it back where not everything was built yet; nil
  /// where there is none.
  ///
  /// Can itself be cut off and done again. Throws `.busy` while a restore is at work.
  package func recover(
    recorder: (any RestoreRecorder)? = nil,
    reached: @escaping @Sendable (RestorePoint) throws(FolderError) -> Void = { _ in }
  ) throws(FolderError) -> RecoveryOutcome? {
    let lock = try restoreLock()
    defer { withExtendedLifetime(lock) {} }
    return try recoverLocked(recorder, reached)
  }

  // MARK: - Carrying out

  private func carryOut(
    _ plan: RestorePlan, _ intent: RestoreIntent, isWhole: Bool, since: OwnChanges?,
    _ recorder: any RestoreRecorder, _ before: RestoreOutcome,
    _ reached: @escaping @Sendable (RestorePoint) throws(FolderError) -> Void
  ) throws(FolderError) -> RestoreOutcome {
    var outcome = before
    let journal = try RestoreJournal.begin(
      plan, intent, folder: id, files: repository.files)
    try reached(.planned)
    let run = RestoreRun(root, plan, progress: environment.progress, reached: reached)
    do throws(FolderError) {
      try run.build(repository.objects, helper: RestoreRun.readers(of: repository))
    } catch {
      // Cut off, as by a crash (tests): the next command takes it back.
      if error.code == .needsRecovery { throw error }
      // Nothing is in place yet. Should taking it back fail too, the next command does it.
      do throws(FolderError) {
        try run.rollBack()
        try journal.close()
      } catch let second {
        throw FolderError(
          error.code, error.message, details: error.details + [second.message], hint: error.hint,
          path: error.path, cause: error.cause)
      }
      throw error
    }
    try reached(.synchronized)
    try journal.markBuilt(skipped: run.skipped)
    try reached(.marked)
    try run.apply(repository.objects)
    outcome.operation = try record(intent, journal: plan.name)
    let (result, _) = try recorder.takeSnapshot(
      trigger: intent.kind, message: intent.summary, ifChanged: false, isWhole: isWhole,
      since: since)
    outcome.restoreSnapshot = result
    try reached(.recorded)
    try journal.close()
    run.report(to: &outcome)
    return outcome
  }

  private func recoverLocked(
    _ given: (any RestoreRecorder)?,
    _ reached: @escaping @Sendable (RestorePoint) throws(FolderError) -> Void = { _ in }
  ) throws(FolderError) -> RecoveryOutcome? {
    var outcome: RecoveryOutcome?
    for name in try RestoreJournal.names(of: id, files: repository.files, sweeps: true) {
      let (journal, contents) = try RestoreJournal.open(name, files: repository.files)
      let intent = contents.intent
      let run = RestoreRun(
        root, contents.plan, skipped: contents.built ?? [], isResumed: true,
        progress: environment.progress, reached: reached)
      guard contents.built != nil else {
        try run.rollBack()
        try journal.close()
        outcome = RecoveryOutcome(
          isFinished: false, kind: intent.kind, problems: run.problems.all, snapshot: nil)
        continue
      }
      try run.apply(repository.objects)
      _ = try record(intent, journal: contents.plan.name)
      let recorder =
        given
        ?? FolderRecorder(
          self, host: intent.host, user: intent.user, writerVersion: intent.writerVersion)
      let (result, _) = try recorder.takeSnapshot(
        trigger: intent.kind, message: intent.summary, ifChanged: true, isWhole: false, since: nil)
      try reached(.recorded)
      try journal.close()
      outcome = RecoveryOutcome(
        isFinished: true, kind: intent.kind, problems: run.problems.all, snapshot: result)
    }
    return outcome
  }

  /// So often, 20 ms apart, another's lock is asked for.
  private static let lockAttempts = 50

  /// Held while a restore or a recovery is at work; ends with the value, at the latest with the process.
  func restoreLock() throws(FolderError) -> any OpenFile {
    let name = "locks/restore-\(id.hex)"
    do throws(Errno) {
      let file: any OpenFile
      do throws(Errno) { file = try repository.files.create(name, mode: 0o600) } catch {
        guard error == .fileExists else { throw error }
        file = try repository.files.open(name, writable: true)
      }
      // One that is about to end is waited for.
      for attempt in 0...Self.lockAttempts {
        if try file.lock(.exclusive, wait: false) { return file }
        if attempt < Self.lockAttempts { environment.pause(.milliseconds(20)) }
      }
    } catch { throw FolderError(error, "lock", name) }
    throw FolderError(
      .busy, "another restore of this folder is at work", hint: "try again when it has ended")
  }
}

/// The folder's own snapshots.
private struct FolderRecorder: RestoreRecorder {
  let folder: Folder
  let host: String
  let user: String
  let writerVersion: String

  init(_ folder: Folder, host: String, user: String, writerVersion: String) {
    self.folder = folder
    self.host = host
    self.user = user
    self.writerVersion = writerVersion
  }

  func takeSnapshot(
    trigger: String, message: String, ifChanged: Bool, isWhole: Bool, since: OwnChanges?
  ) throws(FolderError) -> (snapshot: KnownSnapshot, wasCreated: Bool) {
    var changes = ChangeSet(basis: isWhole ? .full : .scan)
    if let since, !isWhole { changes.paths = since.paths }
    var snapshot = SnapshotRequest(changes, trigger: trigger)
    if !isWhole { snapshot.continues = since?.snapshot }
    snapshot.message = message
    snapshot.ifChanged = ifChanged
    snapshot.ignoresHotLimit = true
    snapshot.host = host
    snapshot.user = user
    snapshot.writerVersion = writerVersion
    let outcome = try folder.snapshot(snapshot)
    guard let id = outcome.id, let made = outcome.snapshot else {
      throw FolderError(.notFound, "there is no snapshot of the folder yet")
    }
    return (KnownSnapshot(id: id, snapshot: made), outcome.wasCreated)
  }
}
