internal import DTMControl
internal import DTMFolder
internal import DTMRepository
internal import DTMSystem
internal import SystemPackage

/// What a snapshot is asked for with, by whoever takes it: the daemon or this process.
struct SnapshotWish {
  var trigger = "manual"
  var message = ""
  var labels: [String: String] = [:]
  var tag: String?
  var isPinned = false
  /// None where nothing changed.
  var ifChanged = false
  /// `.changes` is for the daemon; this process looks at everything then.
  var look = DTMControl.SnapshotRequest.Look.changes
  /// Another time than now.
  var time: Timestamp?
  /// What is recorded of it beside the usual; for this process only.
  var facts: [String: [UInt8]] = [:]
}

/// A snapshot that was asked for.
struct TakenSnapshot {
  let known: KnownSnapshot
  let isCreated: Bool
  /// What the ref log says of it, where that is known without reading the log again.
  var facts: [String: [UInt8]]?
}

/// Takes snapshots: by the daemon that protects the folder, else here.
struct SnapshotTaking {
  /// How long another command that captures is waited for.
  private static let patience = Duration.seconds(30)

  let access: FolderAccess
  private var invocation: Invocation { access.invocation }

  /// Takes one; after return it is durable, and `access` knows of it.
  func take(_ wish: SnapshotWish) throws -> TakenSnapshot {
    try Restoring(access).recoverIfNeeded()
    if let daemon = try DaemonLink(invocation).folder(access.location.folder) {
      return try take(wish, by: daemon)
    }
    return try takeHere(wish)
  }

  private func take(
    _ wish: SnapshotWish, by daemon: DaemonLink.ProtectedFolder
  ) throws -> TakenSnapshot {
    let request = DTMControl.SnapshotRequest(
      folder: daemon.name, message: wish.message.isEmpty ? nil : wish.message,
      labels: wish.labels, tag: wish.tag, pin: wish.isPinned, kind: wish.trigger,
      ifChanged: wish.ifChanged, look: wish.look, time: wish.time)
    let outcome = try invocation.progress.during("the daemon takes a snapshot") {
      try daemon.client.snapshot(request)
    }
    guard let id = ObjectID(hex: outcome.snapshot.id) else {
      throw CommandFailure(.inputOutput, "the daemon's answer holds no id")
    }
    try access.refresh()
    return TakenSnapshot(known: try access.history.snapshot(id), isCreated: outcome.isCreated)
  }

  /// Takes one in this process, which looks at the whole folder.
  func takeHere(_ wish: SnapshotWish) throws -> TakenSnapshot {
    let basis: Snapshot.Basis = wish.look == .full ? .full : .scan
    var request = DTMFolder.SnapshotRequest(ChangeSet(basis: basis), trigger: wish.trigger)
    request.message = wish.message
    request.labels = wish.labels
    request.tags = wish.tag.map { [$0] } ?? []
    request.isPinned = wish.isPinned
    request.facts = wish.facts
    request.ifChanged = wish.ifChanged
    request.ignoresHotLimit = true
    request.time = wish.time
    request.host = ProcessPlace.hostName
    request.user = UserDirectory.name(ofUser: invocation.user) ?? String(invocation.user)
    request.writerVersion = ProgramVersion.current
    request.patience = isHeldByDaemon ? .zero : Self.patience
    let outcome: DTMFolder.SnapshotOutcome
    let folder = try access.openFolder()
    do {
      outcome = try invocation.progress.during("taking a snapshot") { try folder.snapshot(request) }
    } catch let error as FolderError {
      throw explained(error)
    }
    try access.refresh()
    guard let id = outcome.id, let snapshot = outcome.snapshot else {
      throw CommandFailure(.inputOutput, "the snapshot was not recorded")
    }
    return TakenSnapshot(
      known: KnownSnapshot(id: id, snapshot: snapshot), isCreated: outcome.wasCreated,
      facts: outcome.wasCreated ? outcome.facts : nil)
  }

  /// Whether the one that holds the capture lock is a daemon, which never gives it back.
  private var isHeldByDaemon: Bool {
    do throws(Errno) {
      let path = access.location.repository.appending("locks").appending("capture")
      let text = try Descriptor.open(path, [.readOnly]).readToEnd(limit: 64)
      guard let pid = Int(String(decoding: text, as: UTF8.self).filter(\.isNumber)) else {
        return false
      }
      let name = try Descriptor.open(FilePath("/proc/\(pid)/comm"), [.readOnly])
        .readToEnd(limit: 64)
      return name.starts(with: "dtmd".utf8)
    } catch {
      // No such lock or process: nobody holds it.
      return false
    }
  }

  private func explained(_ error: FolderError) -> any Error {
    guard error.code == .busy, isHeldByDaemon else { return error }
    return CommandFailure(
      .busy, error.message, details: ["it is a dtmd, which could not be asked for the snapshot"],
      hint: "set DTM_SOCKET to its socket; dtmd status tells whether it answers")
  }
}
