package import DTMControl
internal import DTMSystem
internal import Synchronization

/// Hands what happens to those who asked for `Events`.
///
/// Any thread may publish; nobody waits for a reader. All events of one folder come in the order in
/// which they were published.
package final class EventHub: Sendable {
  private struct Subscriber {
    let peer: PeerCredentials
    /// A folder's name; nil for all that the peer may see.
    let folder: String?
    let stream: ControlStream
  }

  private struct State {
    var subscribers: [UInt64: Subscriber] = [:]
    var lastNumber: UInt64 = 0
  }

  private let state = Mutex(State())
  private let policy: ControlPolicy

  /// `policy`: who may see which folder.
  init(policy: ControlPolicy) {
    self.policy = policy
  }

  /// A hub whose folders the process's user and root may see.
  package convenience init() {
    self.init(policy: ControlPolicy(daemonUser: ThreadIdentity.processUser))
  }

  /// How many there are who listen.
  package var count: Int { state.withLock { $0.subscribers.count } }

  /// Begins to hand events to a caller; returns what ends that.
  ///
  /// `first`: what the stream begins with. It is asked under the hub's lock, so that nothing that is
  /// published is older than it and comes after it.
  func subscribe(
    _ peer: PeerCredentials, folder: String?, stream: ControlStream, first: () -> [ControlEvent]
  ) -> @Sendable () -> Void {
    let number = state.withLock { state in
      for event in first() { stream.send(event.reply()) }
      state.lastNumber += 1
      state.subscribers[state.lastNumber] = Subscriber(peer: peer, folder: folder, stream: stream)
      return state.lastNumber
    }
    return { [weak self] in self?.state.withLock { $0.subscribers[number] = nil } }
  }

  /// Tells those who may see it. `owner`: whose the repository of the event's folder is; nil while it
  /// is not known, or where the event is about no folder.
  ///
  /// Never called with a folder's lock held: a subscriber that begins looks at the folders under this
  /// one's.
  package func publish(_ event: ControlEvent, owner: FolderOwner? = nil) {
    state.withLock { state in
      if state.subscribers.isEmpty { return }
      let bytes = event.reply()
      for subscriber in state.subscribers.values
      where sees(subscriber, event, owner) { subscriber.stream.send(bytes) }
    }
  }

  /// Ends all streams; who subscribes later is not told.
  func end(at time: Timestamp) {
    let all = state.withLock { state in
      defer { state.subscribers = [:] }
      return state.subscribers
    }
    let bytes = ControlEvent(.end, at: time).reply(isLast: true)
    for subscriber in all.values { subscriber.stream.end(bytes) }
  }

  private func sees(
    _ subscriber: Subscriber, _ event: ControlEvent, _ owner: FolderOwner?
  ) -> Bool {
    guard let folder = event.folder else { return true }
    return (subscriber.folder ?? folder) == folder && policy.mayUse(subscriber.peer, owner: owner)
  }
}
