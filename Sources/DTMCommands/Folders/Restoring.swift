internal import DTMControl
internal import DTMFolder
internal import DTMRepository
internal import DTMSystem
internal import SystemPackage

/// Brings states back, as the caller; the snapshots that go with it are the daemon's, where one protects
/// the folder.
struct Restoring {
  private let access: FolderAccess
  private var invocation: Invocation { access.invocation }

  init(_ access: FolderAccess) {
    self.access = access
  }

  /// Restores or checks out. A folder that is gone is made anew first.
  func run(_ wanted: RestoreRequest) throws -> RestoreOutcome {
    var request = wanted
    request.host = ProcessPlace.hostName
    request.user = UserDirectory.name(ofUser: invocation.user) ?? String(invocation.user)
    request.writerVersion = ProgramVersion.current
    if request.isDryRun || request.destination != nil {
      return try access.openFolder().restore(request)
    }
    return try withRecorder(request.kind, request.paths) { recorder in
      if try isGone() {
        try remake()
        // Nothing is there that could be lost, and missing is not deleted.
        request.takesSafetySnapshot = false
      }
      return try access.openFolder().restore(request, recorder: recorder)
    }
  }

  /// Finishes a restore that was cut off, or takes it back, before something else is written.
  func recoverIfNeeded() throws {
    let folder = try access.openFolder()
    guard try folder.needsRecovery() else { return }
    let outcome = try withRecorder("restore", []) { try folder.recover(recorder: $0) }
    guard let outcome else { return }
    invocation.remark(
      "a \(outcome.kind) that was cut off was \(outcome.isFinished ? "finished" : "taken back") first")
    try access.refresh()
  }

  /// Runs `body` with what takes its snapshots; a daemon knows of the writes for as long.
  private func withRecorder<Result>(
    _ operation: String, _ paths: [PathKey], _ body: ((any RestoreRecorder)?) throws -> Result
  ) throws -> Result {
    guard let daemon = try DaemonLink(invocation).folder(access.location.folder) else {
      return try body(nil)
    }
    try daemon.client.announce(
      AnnounceRequest(folder: daemon.name, operation: operation, paths: paths))
    let result = try body(DaemonRecorder(daemon: daemon, access: access))
    try access.refresh()
    return result
  }

  // MARK: - A folder that is gone

  private func isGone() throws -> Bool {
    do throws(Errno) {
      _ = try Descriptor.open(access.location.folder, [.path, .directory])
      return false
    } catch {
      if error == .noSuchFileOrDirectory { return true }
      throw CommandFailure(error, "open \(Quoting.path(access.location.folder))")
    }
  }

  /// Makes the folder, with the file that says where its repository is.
  private func remake() throws {
    let location = access.location
    do throws(Errno) {
      _ = try DirectoryMaking.directory(location.folder, mode: 0o700)
    } catch {
      throw CommandFailure(error, "make \(Quoting.path(location.folder))")
    }
    if !location.isInside {
      try FolderMaking(
        folder: location.folder, repository: location.repository, branch: nil,
        time: invocation.time
      ).point(to: location.repository, access.id)
    }
    invocation.explain("made \(Quoting.path(location.folder)) anew")
  }
}

/// Has the daemon take a restore's snapshots, as it is the folder's one capturer.
struct DaemonRecorder: RestoreRecorder {
  let daemon: DaemonLink.ProtectedFolder
  let access: FolderAccess

  func takeSnapshot(
    trigger: String, message: String, ifChanged: Bool, isWhole: Bool
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
