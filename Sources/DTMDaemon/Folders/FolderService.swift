package import DTMConfiguration
package import DTMControl
internal import DTMFolder
internal import DTMRules
package import DTMSystem
internal import DTMWatch
package import Logging
internal import Synchronization
package import SystemPackage

/// Protects one folder: its watcher, the settler that decides when, and the thread that captures
/// under the identity of the repository's owner.
///
/// All calls may come from any thread and return at once, but `stop`.
package final class FolderService: Sendable {
  /// How many messages may wait for the thread: while a long capture runs, requests gather.
  private static let mailboxCapacity = 4096

  /// The folder as it was configured at the start.
  package let configuration: FolderConfiguration
  /// Whether the folder's threads live.
  package let pulse: any Pulse
  private let shared: FolderShared
  private let thread: DedicatedThread
  private let lastTicket = Atomic<UInt64>(0)

  /// Begins to protect the folder.
  ///
  /// `onStateChange`: called on the folder's thread when its state or phase is another, or it has
  /// settled in; returns at once. Throws when the system gives no thread.
  package init(
    _ configuration: FolderConfiguration, engines: any FolderEngines, time: any TimeSource,
    logger: Logger, events: EventHub = EventHub(),
    onStateChange: @escaping @Sendable () -> Void = {}
  ) throws(Errno) {
    self.configuration = configuration
    let shared = FolderShared(
      mailbox: Mailbox(capacity: Self.mailboxCapacity), events: events,
      onStateChange: onStateChange)
    self.shared = shared
    pulse = FolderPulse(folder: configuration.name, shared: shared)
    var logger = logger
    logger[metadataKey: "folder"] = .string(configuration.name)
    let folderLogger = logger
    thread = try DedicatedThread(named: "f-\(configuration.name)") {
      var loop = FolderLoop(
        configuration: configuration, engines: engines, time: time, logger: folderLogger,
        shared: shared)
      loop.run()
    }
  }

  /// How the folder is now.
  package var status: FolderStatus {
    let (face, watcher) = shared.state.withLock { ($0.face, $0.watcher) }
    return FolderStatus(
      name: configuration.name, path: configuration.path.string, face: face,
      watch: watcher?.status)
  }

  /// What was counted since the daemon began to protect the folder.
  var counts: FolderCounts.Reading { shared.counts.reading }

  /// Whose the repository is; nil until it was found.
  package var owner: FolderOwner? { shared.state.withLock { $0.face.owner } }

  /// Asks for a snapshot. `user`: who asks. The answer comes on the folder's thread.
  package func snapshot(
    _ request: DTMControl.SnapshotRequest, user: UInt32,
    answer: @escaping @Sendable (Result<DTMControl.SnapshotOutcome, DaemonFault>) -> Void
  ) {
    let word = request.kind ?? TriggerKind.manual.rawValue
    guard let kind = TriggerKind(rawValue: word), kind.isExplicit else {
      answer(.failure(.invalidParameter("kind")))
      return
    }
    offer(.snapshot(request, kind: kind, user: user, answer)) { answer(.failure($0)) }
  }

  /// Records a boundary of a pipeline. `user`: who asks. `holds`: the stage is abandoned when what is
  /// returned is called before its end; that may be at any time.
  @discardableResult
  package func stage(
    _ request: StageRequest, user: UInt32, holds: Bool = false,
    answer: @escaping @Sendable (Result<StageOutcome, DaemonFault>) -> Void
  ) -> @Sendable () -> Void {
    guard let event = StageEvent(rawValue: request.event), event != .abandoned else {
      answer(.failure(.invalidParameter("event")))
      return {}
    }
    let holder = holds ? lastTicket.add(1, ordering: .relaxed).newValue : nil
    offer(.stage(request, event, user: user, holder: holder, answer)) { answer(.failure($0)) }
    let shared = shared
    return {
      guard let holder else { return }
      // Not lost in a full mailbox; bounded, as each of these follows one begin.
      shared.goneHolders.withLock { $0.append(holder) }
      shared.mailbox.offer(.look)
    }
  }

  /// Waits until everything written before the call is in a snapshot; returns what abandons it.
  package func wait(
    _ request: WaitRequest,
    answer: @escaping @Sendable (Result<SnapshotSummary?, DaemonFault>) -> Void
  ) -> @Sendable () -> Void {
    let id = lastTicket.add(1, ordering: .relaxed).newValue
    offer(.wait(request, id: id, answer)) { answer(.failure($0)) }
    let mailbox = shared.mailbox
    return { mailbox.offer(.waitAbandoned(id: id)) }
  }

  /// Holds automatic snapshots while a restore or checkout writes; where it is true, one
  /// `ownWritesEnded` has to follow.
  @discardableResult
  package func ownWritesBegan(
    _ operation: String, answer: @escaping @Sendable (Result<Void, DaemonFault>) -> Void
  ) -> Bool {
    offer(.ownWritesBegan(operation: operation, answer)) { answer(.failure($0)) }
  }

  /// The restore or checkout ended, well or not.
  package func ownWritesEnded(_ operation: String) {
    // Not lost in a full mailbox: the thread finds it at its next turn. Bounded, as each of these
    // follows one beginning.
    shared.endedWrites.withLock { $0.append(operation) }
    shared.mailbox.offer(.look)
  }

  /// Holds automatic snapshots for so long, or until `resume`; a pause that holds already is replaced.
  package func pause(
    for duration: Duration?,
    answer: @escaping @Sendable (Result<Timestamp?, DaemonFault>) -> Void
  ) {
    offer(.pause(duration, answer)) { answer(.failure($0)) }
  }

  /// Ends a pause, so that what was written meanwhile is captured.
  package func resume(answer: @escaping @Sendable (Result<Bool, DaemonFault>) -> Void) {
    offer(.resume(answer)) { answer(.failure($0)) }
  }

  /// Settles by other words of the configuration from now on.
  package func setPolicy(_ configuration: FolderConfiguration) {
    offer(.policy(configuration.settle)) { _ in }
  }

  /// Has the thread look at its clock and its watcher: for those who moved a clock.
  package func look() {
    shared.mailbox.offer(.look)
  }

  /// Has everything be compared soon: the machine slept.
  package func woke() {
    shared.mailbox.offer(.woke)
  }

  /// Has the folder's protection end: a last snapshot if something is dirty, the watcher stopped,
  /// the capture lock given back. Wait for the end with `join`.
  package func stop() {
    shared.isStopping.store(true, ordering: .relaxed)
    shared.mailbox.close()
  }

  /// Waits for the end after `stop`; false when the deadline passed first.
  @discardableResult
  package func join(until deadline: Deadline = .never) -> Bool {
    thread.join(until: deadline)
  }

  /// Whether the folder is watched, or it is known that it can't be for now.
  package var isSettledIn: Bool { shared.state.withLock { $0.isSettledIn } }

  @discardableResult
  private func offer(_ message: FolderMessage, refused: (DaemonFault) -> Void) -> Bool {
    if shared.mailbox.offer(message) { return true }
    refused(.busy(reason: "the folder \(configuration.name) takes no requests now"))
    return false
  }
}

/// What the service and its thread share.
final class FolderShared: Sendable {
  struct State: Sendable {
    var face = FolderFace()
    var watcher: FolderWatcher?
    /// The watcher is armed, or can't be for now.
    var isSettledIn = false
  }

  let mailbox: Mailbox<FolderMessage>
  let state = Monitor(State())
  let gate = ActivityGate()
  /// The operations that ended since the thread last looked.
  let endedWrites = Mutex<[String]>([])
  /// The holders of stages that went since the thread last looked.
  let goneHolders = Mutex<[UInt64]>([])
  let events: EventHub
  let counts = FolderCounts()
  /// Where captures count what they have done.
  let progress = WorkProgress()
  /// The end of the folder's protection was asked for.
  let isStopping = Atomic<Bool>(false)
  let onStateChange: @Sendable () -> Void

  init(
    mailbox: Mailbox<FolderMessage>, events: EventHub,
    onStateChange: @escaping @Sendable () -> Void
  ) {
    self.mailbox = mailbox
    self.events = events
    self.onStateChange = onStateChange
  }
}
