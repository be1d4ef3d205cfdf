internal import Synchronization

/// The replies of a call that streams, on their way to one client.
///
/// A queue with a bound: a client that reads more slowly than things happen misses some, and gets a
/// message that says how many, in their place. Whoever sends never waits.
package final class ControlStream: Sendable {
  /// What waits for one client, beyond what its socket took already.
  package static let limitInMessages = 256
  package static let limitInBytes = 256 * 1024

  private struct State {
    var queue: [[UInt8]] = []
    var bytes = 0
    /// Messages that found no room since the queue was last taken.
    var dropped = 0
    /// The server's thread knows that there is something to take.
    var isAnnounced = false
    var last: [UInt8]?
    var isEnded = false
  }

  private let state = Mutex(State())
  private let connection: UInt64
  private let outbox: ControlOutbox
  private let droppedMessage: @Sendable (Int) -> [UInt8]

  init(
    connection: UInt64, outbox: ControlOutbox,
    droppedMessage: @escaping @Sendable (Int) -> [UInt8]
  ) {
    self.connection = connection
    self.outbox = outbox
    self.droppedMessage = droppedMessage
  }

  /// Sends a reply that others follow, or counts it where the client is too far behind.
  package func send(_ message: [UInt8]) {
    announce { state in
      if state.isEnded { return false }
      let isFull =
        state.queue.count >= Self.limitInMessages
        || state.bytes + message.count > Self.limitInBytes
      // Once something was dropped, what follows goes behind the message that says so.
      if isFull || state.dropped > 0 {
        state.dropped += 1
      } else {
        state.queue.append(message)
        state.bytes += message.count
      }
      return true
    }
  }

  /// Sends the last reply, for which there is always room; what is sent after it is ignored.
  package func end(_ message: [UInt8]) {
    announce { state in
      if state.isEnded { return false }
      state.isEnded = true
      state.last = message
      return true
    }
  }

  /// Everything that waits, for the server's thread; `isLast`: nothing will follow.
  func take() -> (bytes: [UInt8], isLast: Bool) {
    state.withLock { state in
      var bytes: [UInt8] = []
      bytes.reserveCapacity(state.bytes)
      for message in state.queue { bytes += message }
      if state.dropped > 0 { bytes += droppedMessage(state.dropped) }
      if let last = state.last.take() { bytes += last }
      state.queue = []
      state.bytes = 0
      state.dropped = 0
      state.isAnnounced = false
      return (bytes, state.isEnded)
    }
  }

  private func announce(_ change: (inout State) -> Bool) {
    let isNews = state.withLock { state in
      if !change(&state) || state.isAnnounced { return false }
      state.isAnnounced = true
      return true
    }
    if isNews { outbox.announce(connection) }
  }
}
