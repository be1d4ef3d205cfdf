internal import DTMControl
internal import DTMRules
internal import DTMSystem

/// Answers the calls of `io.dtm.Daemon`.
struct DaemonHandler: ControlHandler {
  let core: DaemonCore

  init(core: DaemonCore) {
    self.core = core
  }

  func isOwner(_ user: UInt32) -> Bool {
    core.roster.all.contains { $0.owner?.uid == user }
  }

  func handle(_ call: DaemonCall, reply: ControlReply) {
    do throws(DaemonFault) {
      switch call {
      case .getInfo: reply.send(ServiceReply.info(version: ProgramVersion.current))
      case .getInterfaceDescription(let interface):
        reply.send(try ServiceReply.description(ofInterface: interface))
      case .status(let folder):
        reply.send(VarlinkReply.bytes(parameters: try status(folder, reply.peer).writeMessage))
      case .snapshot(let request): try snapshot(request, reply)
      case .wait(let request): try wait(request, reply)
      case .announce(let request): try announce(request, reply)
      case .events(let folder): try events(folder, reply)
      case .stage(let request): try stage(request, reply)
      case .pause(let request): try pause(request, reply)
      case .resume(let folder): try resume(folder, reply)
      case .metrics: try metrics(reply)
      case .reload: try reload(reply)
      }
    } catch {
      reply.fail(error)
    }
  }

  private func status(_ folder: String?, _ peer: PeerCredentials) throws(DaemonFault)
    -> DaemonStatus
  {
    if let folder { return core.status(of: [try service(for: folder, peer)]) }
    return core.status(of: try visibleFolders(peer))
  }

  /// What one who names no folder may see; throws for one who may see nothing.
  func visibleFolders(_ peer: PeerCredentials) throws(DaemonFault) -> [FolderService] {
    let visible = core.roster.all.filter { core.policy.mayUse(peer, owner: $0.owner) }
    if visible.isEmpty, !core.policy.isAdministrator(peer) { throw ControlPolicy.refusal }
    return visible
  }

  private func snapshot(_ request: SnapshotRequest, _ reply: ControlReply) throws(DaemonFault) {
    try service(for: request.folder, reply.peer).snapshot(request, user: reply.peer.uid) { result in
      answer(reply, result) { outcome, writer in
        writer.key("snapshot")
        writer.object(outcome.snapshot.write)
        writer.field("created", outcome.isCreated)
      }
    }
  }

  private func wait(_ request: WaitRequest, _ reply: ControlReply) throws(DaemonFault) {
    let abandon = try service(for: request.folder, reply.peer).wait(request) { result in
      answer(reply, result) { snapshot, writer in
        guard let snapshot else { return }
        writer.key("snapshot")
        writer.object(snapshot.write)
      }
    }
    reply.whenAbandoned(abandon)
  }

  private func announce(_ request: AnnounceRequest, _ reply: ControlReply) throws(DaemonFault) {
    guard TriggerKind(rawValue: request.operation)?.isExplicit == true else {
      throw .invalidParameter("operation")
    }
    let service = try service(for: request.folder, reply.peer)
    let isTold = service.ownWritesBegan(request.operation) { result in
      answer(reply, result) { _, _ in }
    }
    if isTold { reply.whenConnectionEnds { service.ownWritesEnded(request.operation) } }
  }

  private func reload(_ reply: ControlReply) throws(DaemonFault) {
    if !core.policy.isAdministrator(reply.peer) { throw ControlPolicy.adminRefusal }
    let isAccepted = core.requestReload { result in
      answer(reply, result) { configuration, writer in
        writer.key("configuration")
        writer.object(configuration.write)
      }
    }
    if !isAccepted { throw .busy(reason: "other reloads are waiting already") }
  }

  /// The folder that a call names, for those who may use it.
  func service(
    for folder: String, _ peer: PeerCredentials
  ) throws(DaemonFault) -> FolderService {
    guard let service = core.roster.service(for: folder) else { throw .noSuchFolder(folder) }
    if !core.policy.mayUse(peer, owner: service.owner) { throw ControlPolicy.refusal }
    return service
  }

  func answer<Value>(
    _ reply: ControlReply, _ result: Result<Value, DaemonFault>,
    _ write: (Value, inout JSONWriter) -> Void
  ) {
    switch result {
    case .success(let value): reply.send(VarlinkReply.bytes { write(value, &$0) })
    case .failure(let fault): reply.fail(fault)
    }
  }
}
