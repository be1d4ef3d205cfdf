package import DTMSystem
package import SystemPackage

/// A blocking client of the control socket: one connection, one call at a time.
///
/// Call on a thread that may block. The connection ends with the last reference.
package final class ControlClient {
  /// How long a call may take that the daemon answers at once.
  package static let promptly = Duration.seconds(10)

  private var stream: UnixStream
  private let path: FilePath
  private var decoder = MessageDecoder(limitInBytes: MessageDecoder.replyLimitInBytes)

  /// Connects. Throws `.unavailable` when nobody listens there, `.permissionDenied` when the socket
  /// is not for this user.
  package init(socket path: FilePath, limit: Duration = ControlClient.promptly) throws(ControlError)
  {
    self.path = path
    stream = try Self.connect(path, limit)
  }

  private static func connect(
    _ path: FilePath, _ limit: Duration
  ) throws(ControlError) -> UnixStream {
    do throws(Errno) {
      return try UnixStream.connect(to: path, limit: limit)
    } catch {
      throw connectError(error, path)
    }
  }

  /// Calls a method and returns the reply's parameters.
  ///
  /// `limit`: how long the whole call may take; nil for as long as it takes. Throws the daemon's
  /// answer with its `fault`, `.timedOut`, `.unavailable` when the connection ends first, and
  /// `.malformed`. After any error but a fault the connection is of no more use.
  package func call(
    _ method: String, limit: Duration? = ControlClient.promptly,
    parameters: (inout JSONWriter) -> Void = { _ in }
  ) throws(ControlError) -> JSONNode {
    let deadline = limit.map(Deadline.after) ?? .never
    try send(VarlinkCall.bytes(method: method, parameters: parameters), until: deadline)
    let reply = try VarlinkReply(parsing: try receive(until: deadline))
    if let name = reply.error {
      throw ControlError(DaemonFault(name: name, parameters: reply.parameters))
    }
    if reply.continues { throw .malformed("more replies than were asked for") }
    return reply.parameters
  }

  /// Asks something that changes nothing: once more, where the daemon ended the connection unanswered, as one
  /// does that is restarted.
  private func ask(
    _ method: String, parameters: (inout JSONWriter) -> Void = { _ in }
  ) throws(ControlError) -> JSONNode {
    do throws(ControlError) {
      return try call(method, parameters: parameters)
    } catch {
      guard error.code == .unavailable, !decoder.hasPartialMessage else { throw error }
      stream = try Self.connect(path, Self.promptly)
      return try call(method, parameters: parameters)
    }
  }

  /// How the daemon is; of one folder only, where one is named.
  package func status(folder: String? = nil) throws(ControlError) -> DaemonStatus {
    let reply = try ask("io.dtm.Daemon.Status") { writer in
      if let folder { writer.field("folder", folder) }
    }
    return try read(reply) { fields throws(FieldError) in try DaemonStatus(fields) }
  }

  /// Takes a snapshot. Without a limit: a first snapshot may take hours.
  package func snapshot(
    _ request: SnapshotRequest, limit: Duration? = nil
  ) throws(ControlError) -> SnapshotOutcome {
    let reply = try call("io.dtm.Daemon.Snapshot", limit: limit, parameters: request.write)
    return try read(reply) { fields throws(FieldError) in
      SnapshotOutcome(
        snapshot: try SnapshotSummary(fields.object("snapshot")),
        isCreated: try fields.bool("created"))
    }
  }

  /// Waits until everything written before the call is in a snapshot, and returns the newest.
  ///
  /// Throws `.busy` when the request's time is over.
  package func wait(_ request: WaitRequest) throws(ControlError) -> SnapshotSummary? {
    // The daemon ends the wait; the client's own limit is for a daemon that hangs.
    let limit = request.timeout.map { $0 + ControlClient.promptly }
    let reply = try call("io.dtm.Daemon.Wait", limit: limit, parameters: request.write)
    return try read(reply) { fields throws(FieldError) in
      try fields.optionalObject("snapshot")
        .map { fields throws(FieldError) in try SnapshotSummary(fields) }
    }
  }

  /// Says that changes to these paths are the caller's own until this client goes.
  package func announce(_ request: AnnounceRequest) throws(ControlError) {
    _ = try call("io.dtm.Daemon.Announce", parameters: request.write)
  }

  /// Makes the daemon read its configuration again. Throws `.configuration` when it is refused.
  package func reload() throws(ControlError) -> ConfigurationStatus {
    let reply = try call("io.dtm.Daemon.Reload", limit: .seconds(60))
    return try read(reply) { fields throws(FieldError) in
      try ConfigurationStatus(fields.object("configuration"))
    }
  }

  /// Holds automatic snapshots; returns when they resume by themselves, nil where somebody has to.
  package func pause(_ request: PauseRequest) throws(ControlError) -> Timestamp? {
    let reply = try call("io.dtm.Daemon.Pause", parameters: request.write)
    return try read(reply) { fields throws(FieldError) in try fields.optionalTime("until") }
  }

  /// Ends a pause; whether there was one.
  package func resume(folder: String) throws(ControlError) -> Bool {
    let reply = try call("io.dtm.Daemon.Resume") { $0.field("folder", folder) }
    return try read(reply) { fields throws(FieldError) in try fields.bool("wasPaused") }
  }

  /// Records a boundary of a pipeline. Without a limit: a first snapshot may take hours.
  ///
  /// Throws `.exists` for a stage that has ended otherwise, `.notFound` for the end of one that nobody began.
  package func stage(_ request: StageRequest) throws(ControlError) -> StageOutcome {
    let reply = try call("io.dtm.Daemon.Stage", limit: nil, parameters: request.write)
    return try read(reply) { fields throws(FieldError) in try StageOutcome(fields) }
  }

  /// Counters and gauges as OpenMetrics text.
  package func metrics() throws(ControlError) -> String {
    let reply = try ask("io.dtm.Daemon.Metrics")
    return try read(reply) { fields throws(FieldError) in try fields.string("text") }
  }

  /// Hands on what happens, of one folder or of all, until the daemon ends the stream or `body`
  /// wants no more, which is false. The connection is of no other use then.
  package func events<Failure: Error>(
    folder: String? = nil, until limit: Deadline = .never,
    _ body: (ControlEvent) throws(Failure) -> Bool
  ) throws {
    try send(
      VarlinkCall.bytes(method: "io.dtm.Daemon.Events", more: true) { writer in
        if let folder { writer.field("folder", folder) }
      }, until: limit)
    while true {
      let reply = try VarlinkReply(parsing: try receive(until: limit))
      if let name = reply.error {
        throw ControlError(DaemonFault(name: name, parameters: reply.parameters))
      }
      let event = try read(reply.parameters) { fields throws(FieldError) in
        try ControlEvent.known(fields.object("event"))
      }
      if let event, try !body(event) { return }
      if !reply.continues { return }
    }
  }

  private func read<Value>(
    _ reply: JSONNode, _ body: (MessageFields) throws(FieldError) -> Value
  ) throws(ControlError) -> Value {
    do throws(FieldError) {
      return try body(try MessageFields(reply))
    } catch {
      throw .malformed("the daemon's reply has no right \(error.name)")
    }
  }

  private func send(_ bytes: [UInt8], until deadline: Deadline) throws(ControlError) {
    do throws(Errno) {
      try stream.writeAll(bytes, until: deadline)
    } catch {
      throw connectionError(error)
    }
  }

  private func receive(until deadline: Deadline) throws(ControlError) -> [UInt8] {
    while true {
      if let message = try decoder.next() { return message }
      do throws(Errno) {
        guard try stream.wait(for: .readable, until: deadline) else { throw .timedOut }
        guard let bytes = try stream.read(limit: 64 * 1024) else { continue }
        if bytes.isEmpty { throw .connectionReset }
        decoder.append(bytes)
      } catch {
        throw connectionError(error)
      }
    }
  }

  private func connectionError(_ error: Errno) -> ControlError {
    if error == .timedOut {
      return ControlError(
        code: .timedOut, message: "the daemon did not answer in time", path: path, cause: error)
    }
    return ControlError(
      code: .unavailable, message: "the daemon ended the connection", path: path, cause: error)
  }

  private static func connectError(_ error: Errno, _ path: FilePath) -> ControlError {
    let shown = Quoting.path(Array(path.string.utf8))
    switch error {
    case .permissionDenied, .notPermitted:
      return ControlError(
        code: .permissionDenied, message: "no permission to talk to the daemon at \(shown)",
        path: path, cause: error)
    case .resourceTemporarilyUnavailable:
      return ControlError(
        code: .timedOut, message: "the daemon at \(shown) takes no connection", path: path,
        cause: error)
    default:
      return ControlError(
        code: .unavailable, message: "no daemon listens at \(shown)", path: path, cause: error)
    }
  }
}
