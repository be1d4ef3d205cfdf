internal import DTMControl
internal import DTMFolder
internal import DTMRepository
internal import DTMSystem
internal import SystemPackage

/// Brings states back, as the caller; the snapshots that go with it are the daemon's, where one protects
/// the folder.
struct Restoring {
  /// What came of a restore.
  struct Result {
    let outcome: RestoreOutcome
    /// The folder was gone, and is there again.
    let isAnew: Bool
  }

  private let access: FolderAccess
  private var invocation: Invocation { access.invocation }

  init(_ access: FolderAccess) {
    self.access = access
  }

  /// Restores or checks out. A folder that is gone is made anew.
  func run(_ wanted: RestoreRequest) throws -> Result {
    let request = filled(wanted)
    if request.isDryRun || request.destination != nil {
      let outcome =
        try isGone() ? restoreMissing(request, nil) : access.openFolder().restore(request)
      return Result(outcome: outcome, isAnew: false)
    }
    return try withRecorder(request.kind, request.paths) { recorder in
      if try isGone() {
        return Result(outcome: try restoreMissing(request, recorder), isAnew: true)
      }
      return Result(
        outcome: try access.openFolder().restore(request, recorder: recorder),
        isAnew: false)
    }
  }

  /// Takes an operation back, the last one where none is named.
  func undo(_ operation: UInt64?, inPlace: Bool = false) throws -> UndoOutcome {
    var request = filled(RestoreRequest(.newest))
    request.isInPlace = inPlace
    return try withRecorder("undo", []) { [request] recorder in
      try access.openFolder().undo(operation, as: request, recorder: recorder)
    }
  }

  /// Does an operation again that was taken back.
  func redo(_ operation: UInt64?, inPlace: Bool = false) throws -> UndoOutcome {
    var request = filled(RestoreRequest(.newest))
    request.isInPlace = inPlace
    return try withRecorder("redo", []) { [request] recorder in
      try access.openFolder().redo(operation, as: request, recorder: recorder)
    }
  }

  private func filled(_ wanted: RestoreRequest) -> RestoreRequest {
    var request = wanted
    request.host = ProcessPlace.hostName
    request.user = UserDirectory.name(ofUser: invocation.user) ?? String(invocation.user)
    request.writerVersion = ProgramVersion.current
    return request
  }

  /// Finishes a restore that was cut off, or takes it back, before something else is written.
  func recoverIfNeeded() throws {
    let folder = try access.openFolder()
    guard try folder.needsRecovery() else { return }
    let outcome = try withRecorder("restore", []) { try folder.recover(recorder: $0) }
    guard let outcome else { return }
    invocation.remark(
      "a \(outcome.kind) that was cut off was \(outcome.isFinished ? "finished" : "taken back") first"
    )
    try access.refresh()
  }

  /// Runs `body` with what takes its snapshots; a daemon knows of the writes for as long.
  private func withRecorder<Value>(
    _ operation: String, _ paths: [PathKey], _ body: ((any RestoreRecorder)?) throws -> Value
  ) throws -> Value {
    guard let daemon = try DaemonLink(invocation).folder(access.location.folder) else {
      return try invocation.progress.during("restoring") { try body(nil) }
    }
    try daemon.client.announce(
      AnnounceRequest(folder: daemon.name, operation: operation, paths: paths))
    let recorder = DaemonRecorder(daemon: daemon, access: access)
    let result = try invocation.progress.during("restoring") { try body(recorder) }
    try access.refresh()
    return result
  }

  // MARK: - A folder that is gone

  private func isGone() throws -> Bool {
    try PathStatus.of(access.location.folder) == nil
  }

  private func restoreMissing(
    _ request: RestoreRequest, _ recorder: (any RestoreRecorder)?
  ) throws -> RestoreOutcome {
    try Folder.restoreMissing(
      access.location, id: access.id, repository: access.repository,
      ignoring: access.configuredPatterns(), environment: access.environment, request,
      recorder: recorder)
  }
}

/// Has the daemon take a restore's snapshots, as it is the folder's one capturer.
struct DaemonRecorder: RestoreRecorder {
  let daemon: DaemonLink.ProtectedFolder
  let access: FolderAccess

  func takeSnapshot(
    trigger: String, message: String, ifChanged: Bool, isWhole: Bool, since: OwnChanges?
  ) throws(FolderError) -> (snapshot: KnownSnapshot, wasCreated: Bool) {
    var request = DTMControl.SnapshotRequest(folder: daemon.name)
    request.message = message.isEmpty ? nil : message
    request.kind = trigger
    request.ifChanged = ifChanged
    request.look = isWhole ? .full : .changes
    let outcome: DTMControl.SnapshotOutcome
    do throws(ControlError) { outcome = try daemon.client.snapshot(request) } catch {
      throw FolderError(error)
    }
    guard let id = ObjectID(hex: outcome.snapshot.id) else {
      throw FolderError(.inputOutput, "the daemon's answer holds no id")
    }
    // Its packs are new to this process.
    _ = try History(access.repository, folder: access.id)
    return (try access.history.snapshot(id), outcome.isCreated)
  }
}

extension FolderError {
  /// What the daemon said, as if it had happened here.
  fileprivate init(_ error: ControlError) {
    let code: Code =
      switch error.code {
      case .busy, .timedOut, .unavailable: .busy
      case .permissionDenied: .permissionDenied
      case .notFound: .notFound
      case .invalidInput: .invalidInput
      default: .inputOutput
      }
    self.init(code, "the daemon: \(error.message)")
  }
}
