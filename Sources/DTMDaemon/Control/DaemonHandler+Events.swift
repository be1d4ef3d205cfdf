internal import DTMConfiguration
internal import DTMControl
internal import DTMFolder
internal import DTMSystem

/// Streaming, pausing and counting.
extension DaemonHandler {
  func events(_ folder: String?, _ reply: ControlReply) throws(DaemonFault) {
    let named = try folder.map { folder throws(DaemonFault) in try service(for: folder, reply.peer)
    }
    let visible = named == nil ? try visibleFolders(reply.peer) : []
    let time = core.time
    let stream = reply.stream { count in
      var event = ControlEvent(.dropped, at: time.now())
      event.count = count
      return event.reply()
    }
    let end = core.events.subscribe(
      reply.peer, folder: named?.configuration.name, stream: stream
    ) {
      var begin = ControlEvent(.begin, at: time.now())
      begin.version = ProgramVersion.current
      let services = named.map { [$0] } ?? visible
      return [begin] + services.map { ControlEvent(state: $0.status, at: time.now()) }
    }
    reply.whenConnectionEnds(end)
  }

  func stage(_ request: StageRequest, _ reply: ControlReply) throws(DaemonFault) {
    let names = [request.pipeline, request.runID, request.stage.isEmpty ? nil : request.stage]
    for name in names.compactMap({ $0 }) {
      if let fault = StageFact.objection(to: name) {
        throw .invalidParameter("\(Quoting.path(Array(name.utf8))): \(fault)")
      }
    }
    let gone = try service(for: request.folder, reply.peer).stage(
      request, user: reply.peer.uid, holds: request.holds
    ) { result in
      answer(reply, result) { outcome, writer in outcome.write(&writer) }
    }
    if request.holds { reply.whenConnectionEnds(gone) }
  }

  func pause(_ request: PauseRequest, _ reply: ControlReply) throws(DaemonFault) {
    try service(for: request.folder, reply.peer).pause(for: request.duration) { result in
      answer(reply, result) { until, writer in writer.field("until", until?.rfc3339) }
    }
  }

  func resume(_ folder: String, _ reply: ControlReply) throws(DaemonFault) {
    try service(for: folder, reply.peer).resume { result in
      answer(reply, result) { wasPaused, writer in writer.field("wasPaused", wasPaused) }
    }
  }

  func metrics(_ reply: ControlReply) throws(DaemonFault) {
    let text = core.metrics(of: try visibleFolders(reply.peer))
    reply.send(VarlinkReply.bytes { $0.field("text", text) })
  }
}

extension ControlEvent {
  /// How a folder is.
  init(state status: FolderStatus, at time: Timestamp) {
    self.init(.state, at: time, folder: status.name, path: status.path)
    state = status.state
    phase = status.phase
    reasons = status.reasons
    until = status.pausedUntil
  }
}
