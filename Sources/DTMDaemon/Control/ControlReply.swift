package import DTMControl
package import DTMSystem
internal import Synchronization

/// A call that waits for its answer, which any thread gives, once.
package final class ControlReply: Sendable {
  /// Who asks.
  package let peer: PeerCredentials
  /// Which connection of the server, since its start.
  let connection: UInt64
  private let outbox: ControlOutbox
  private let isOneway: Bool
  private let state = Mutex(State())

  private struct State {
    var isAnswered = false
    var abandoned: (@Sendable () -> Void)?
    var stream: ControlStream?
    var ended: [@Sendable () -> Void] = []
  }

  init(peer: PeerCredentials, connection: UInt64, isOneway: Bool, outbox: ControlOutbox) {
    self.peer = peer
    self.connection = connection
    self.isOneway = isOneway
    self.outbox = outbox
  }

  /// Answers with the bytes of a reply; a second answer is ignored, as is one to a caller that is
  /// gone or wants none.
  package func send(_ bytes: [UInt8]) {
    let isFirst = state.withLock { state in
      defer { state.isAnswered = true }
      return !state.isAnswered
    }
    if isFirst { outbox.deliver(isOneway ? [] : bytes, to: connection) }
  }

  /// Answers with an error.
  package func fail(_ fault: DaemonFault) {
    send(VarlinkReply.bytes(fault: fault))
  }

  /// Begins to answer with as many replies as come, instead of one; the caller has asked for that.
  ///
  /// To be called before the handler returns. `droppedMessage`: the reply that says how many a slow
  /// client has missed.
  package func stream(
    droppedMessage: @escaping @Sendable (Int) -> [UInt8]
  ) -> ControlStream {
    let stream = ControlStream(
      connection: connection, outbox: outbox, droppedMessage: droppedMessage)
    state.withLock { state in
      state.isAnswered = true
      state.stream = stream
    }
    return stream
  }

  /// The replies that follow one another; nil where there is one reply.
  var stream: ControlStream? { state.withLock { $0.stream } }

  /// Has `body` run when the connection ends before the answer; on the server's thread, briefly.
  ///
  /// To be called before the handler returns, as `whenConnectionEnds` is.
  package func whenAbandoned(_ body: @escaping @Sendable () -> Void) {
    state.withLock { $0.abandoned = body }
  }

  /// Has `body` run when the connection ends, whenever that is; on the server's thread, briefly.
  package func whenConnectionEnds(_ body: @escaping @Sendable () -> Void) {
    state.withLock { $0.ended.append(body) }
  }

  /// What was to be run when the connection ends; the server keeps it with the connection.
  func takeEndings() -> [@Sendable () -> Void] {
    state.withLock { state in
      defer { state.ended = [] }
      return state.ended
    }
  }

  /// The connection ended before the answer.
  func abandon() {
    let body = state.withLock { state in
      defer { state.abandoned = nil }
      return state.isAnswered ? nil : state.abandoned
    }
    body?()
  }
}

/// Answers on their way to the server's thread.
final class ControlOutbox: Sendable {
  private struct State {
    var deliveries: [(connection: UInt64, bytes: [UInt8])] = []
    /// Connections whose stream has something.
    var streams: [UInt64] = []
  }

  private let state = Mutex(State())
  private let wake: WakeSignal

  init(wake: WakeSignal) {
    self.wake = wake
  }

  /// Bounded by the number of connections: each has one call at a time.
  func deliver(_ bytes: [UInt8], to connection: UInt64) {
    state.withLock { $0.deliveries.append((connection, bytes)) }
    wake.signal()
  }

  /// Has the server's thread look at a connection's stream; each stream announces itself once.
  func announce(_ connection: UInt64) {
    state.withLock { $0.streams.append(connection) }
    wake.signal()
  }

  func take() -> (answers: [(connection: UInt64, bytes: [UInt8])], streams: [UInt64]) {
    state.withLock { state in
      defer { state = State() }
      return (state.deliveries, state.streams)
    }
  }
}

/// Who answers calls.
package protocol ControlHandler: Sendable {
  /// Answers now or later; called on the server's thread, so it never blocks.
  func handle(_ call: DaemonCall, reply: ControlReply)

  /// Whether a user owns the repository of a folder that is protected. Called on the server's thread too.
  func isOwner(_ user: UInt32) -> Bool
}
