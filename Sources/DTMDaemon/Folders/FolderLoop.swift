internal import DTMConfiguration
internal import DTMControl
internal import DTMRules
internal import DTMSystem
internal import DTMWatch
internal import Logging
internal import Synchronization
internal import SystemPackage

/// What a folder's thread does: it waits for messages and for its settler's time, and captures.
///
/// Everything here runs on that one thread. Idle, it waits without a timer.
struct FolderLoop {
  /// How often what no event tells is looked for.
  static let pollInterval = Duration.seconds(60)
  /// How long an answer of the watcher's thread is waited for.
  static let watcherLimit = Duration.seconds(30)

  let configuration: FolderConfiguration
  let engines: any FolderEngines
  let time: any TimeSource
  let logger: Logger
  let shared: FolderShared

  var settler: Settler
  var waiters = FolderWaiters()
  var engine: (any FolderEngine)?
  var watcher: FolderWatcher?
  /// Requests that the settler holds, by ticket.
  var requests: [UInt64: Request] = [:]
  private var lastTicket: UInt64 = 0
  /// The last event of the watcher that the settler was told.
  var lastToldEvent: Duration?
  /// How the watcher was when it was last looked at.
  private var condition: WatchCondition?
  private var overflows = 0
  private var engineFailures = 0
  private var nextOpening: Duration?
  private var nextPoll: Duration?
  private var identity: FolderOwner?
  private var toldState: FolderStatus.State?
  private var toldPhase: FolderStatus.Phase?

  struct Request {
    let request: SnapshotRequest
    let user: UInt32
    let answer: FolderMessage.Answer<SnapshotOutcome>
  }

  init(
    configuration: FolderConfiguration, engines: any FolderEngines, time: any TimeSource,
    logger: Logger, shared: FolderShared
  ) {
    self.configuration = configuration
    self.engines = engines
    self.time = time
    self.logger = logger
    self.shared = shared
    settler = Settler(policy: configuration.settle)
  }

  /// Runs until the mailbox is closed, then takes the last snapshot and cleans up.
  mutating func run() {
    while true {
      openIfDue()
      look()
      perform(settler.on(.timer, at: time.monotonic()))
      settleWaiters()
      tellState()
      switch shared.mailbox.receive(until: nextWake()) {
      case .element(let message): handle(message)
      case .timedOut: break
      case .closed: return finish()
      }
    }
  }

  private mutating func handle(_ message: FolderMessage) {
    switch message {
    case .look: break
    case .snapshot(let request, let kind, let user, let answer):
      lastTicket += 1
      requests[lastTicket] = Request(request: request, user: user, answer: answer)
      perform(
        settler.on(
          .requested(SettleRequest(kind: kind, ticket: lastTicket)), at: time.monotonic()))
    case .wait(let request, let id, let answer): wait(request, id: id, answer: answer)
    case .waitAbandoned(let id): waiters.remove(id: id)
    case .ownWritesBegan(let answer):
      perform(settler.on(.ownWritesBegan, at: time.monotonic()))
      answer(.success(()))
    case .ownWritesEnded: break
    case .policy(let policy): perform(settler.on(.policyChanged(policy), at: time.monotonic()))
    }
  }

  // MARK: - Looking

  /// Tells the settler what the watcher saw.
  mutating func look() {
    shared.gate.willLook()
    for _ in 0..<shared.endedWrites.exchange(0, ordering: .acquiring) {
      perform(settler.on(.ownWritesEnded, at: time.monotonic()))
    }
    guard let watcher else { return }
    let activity = watcher.activity
    if activity.condition != condition { conditionChanged(to: activity.condition) }
    let isNew = activity.lastEvent != lastToldEvent || !settler.isDirty
    if activity.isDirty, isNew, condition != .arming {
      lastToldEvent = activity.lastEvent
      perform(settler.on(.changed, at: activity.lastEvent ?? time.monotonic()))
    }
    pollIfDue(watcher)
  }

  private mutating func conditionChanged(to new: WatchCondition) {
    let isFirst = condition == nil || condition == .arming
    condition = new
    let now = time.monotonic()
    if new != .arming { settledIn() }
    switch new {
    case .arming: break
    case .held:
      perform(settler.on(.unavailable, at: now))
      waiters.fail(.busy(reason: "the folder \(configuration.path) is not there as it was"))
    case .watching, .unwatched:
      perform(settler.on(.available, at: now))
      // What happened while nobody watched is found by a scan at once.
      if isFirst { perform(settler.on(.started(dirty: true), at: now)) }
    }
    let count = watcher?.status.overflows ?? 0
    if count > overflows {
      overflows = count
      logger.record(.eventsLost, ["path": "\(configuration.path)", "overflows": "\(count)"])
    }
  }

  private func settledIn() {
    let isFirst = shared.state.update { state in
      defer { state.isSettledIn = true }
      return !state.isSettledIn
    }
    if isFirst { shared.onStateChange() }
  }

  /// What no event tells is looked for now and then.
  private mutating func pollIfDue(_ watcher: FolderWatcher) {
    guard watcher.status.needsPolling else {
      nextPoll = nil
      return
    }
    let now = time.monotonic()
    if let due = nextPoll, now >= due { perform(settler.on(.changed, at: now)) }
    if nextPoll.map({ now >= $0 }) ?? true { nextPoll = now + Self.pollInterval }
  }

  private func nextWake() -> Deadline {
    let isDirty = settler.isDirty
    shared.gate.setWantsChanges(
      !isDirty || settler.isWaitingForWriters || !waiters.isEmpty)
    let times = [
      settler.deadline, nextOpening, nextPoll,
      waiters.deadline(isDirty: isDirty, lastChange: lastToldEvent),
    ].compactMap { $0 }
    guard let earliest = times.min() else { return .never }
    return .after(earliest - time.monotonic())
  }

  private mutating func wait(
    _ request: WaitRequest, id: UInt64, answer: @escaping FolderMessage.Answer<SnapshotSummary?>
  ) {
    if settler.isPaused {
      return answer(.failure(.busy(reason: "automatic snapshots are paused")))
    }
    if case .held = condition {
      return answer(
        .failure(.busy(reason: "the folder \(configuration.path) is not there as it was")))
    }
    var isClean = false
    if let watcher, engine != nil {
      do throws(WatchError) {
        // After it, what was written before the call is in the dirty set.
        try watcher.barrier(within: Self.watcherLimit)
        look()
        isClean = !watcher.activity.isDirty && !settler.isDirty
      } catch {
        return answer(.failure(.busy(reason: error.description)))
      }
    }
    waiters.add(request, id: id, at: time.monotonic(), isCovered: isClean, answer: answer)
  }

  private mutating func settleWaiters() {
    if waiters.isEmpty { return }
    waiters.settle(
      at: time.monotonic(), isDirty: settler.isDirty, lastChange: lastToldEvent,
      snapshot: shared.state.withLock { $0.face.lastSnapshot })
  }

  // MARK: - Opening

  /// Opens the engine and begins to watch; a failure is tried again, at ever longer intervals.
  private mutating func openIfDue() {
    let now = time.monotonic()
    if engine != nil || nextOpening.map({ now < $0 }) ?? false { return }
    do throws(FolderEngineError) {
      try open()
      nextOpening = nil
      engineFailures = 0
    } catch {
      engineFailures += 1
      nextOpening = now + Settler.backOff(afterFailures: engineFailures)
      let isNews = shared.state.update { state in
        defer { state.face.engineError = error.description }
        return state.face.engineError != error.description
      }
      settledIn()
      if isNews {
        logger.record(
          .repositoryUnavailable,
          ["path": "\(configuration.path)", "error": "\(error.description)"])
      }
    }
  }

  private mutating func open() throws(FolderEngineError) {
    if identity == nil {
      let owner = try engines.owner(of: configuration)
      do throws(Errno) {
        try ThreadIdentity.assume(uid: owner.uid, group: owner.gid)
      } catch {
        let name = UserDirectory.name(ofUser: owner.uid) ?? "\(owner.uid)"
        throw FolderEngineError(
          .permissionDenied, "the repository belongs to \(name), and dtmd may not act as \(name)")
      }
      identity = owner
      shared.state.update { $0.face.owner = owner }
    }
    let engine = try engines.open(configuration)
    do throws(FolderEngineError) {
      let newest = try engine.newestSnapshot()
      try watch(engine.exclusion, holdsWhenEmpty: (newest?.files ?? 0) > 0)
      self.engine = engine
      shared.state.update { state in
        state.face.engineError = nil
        state.face.lastSnapshot = newest
      }
    } catch {
      engine.close()
      throw error
    }
  }

  private mutating func watch(
    _ exclusion: @escaping @Sendable (PathKey, Bool) -> Bool, holdsWhenEmpty: Bool
  ) throws(FolderEngineError) {
    var options = FolderWatcher.Options()
    options.holdsWhenEmpty = holdsWhenEmpty
    let gate = shared.gate
    let mailbox = shared.mailbox
    do throws(WatchError) {
      let watcher = try FolderWatcher(
        path: configuration.path, options: options, time: time, isExcluded: exclusion
      ) { activity in
        if gate.opens(for: activity) { mailbox.offer(.look) }
      }
      try watcher.start()
      self.watcher = watcher
      shared.state.update { $0.watcher = watcher }
    } catch {
      throw FolderEngineError(.unavailable, error.description)
    }
  }

  // MARK: - Ending

  private mutating func finish() {
    look()
    perform(settler.on(.stopping, at: time.monotonic()))
    let stopping = DaemonFault.busy(reason: "dtmd stops protecting the folder")
    waiters.fail(stopping)
    for request in requests.values { request.answer(.failure(stopping)) }
    requests = [:]
    engine?.close()
    engine = nil
    watcher?.stop()
    shared.state.update { state in
      state.face.engineError = "dtmd stops protecting the folder"
      state.watcher = nil
      state.isSettledIn = true
    }
    logger.record(.folderLeft, ["path": "\(configuration.path)"])
  }

  // MARK: - Telling

  /// Publishes what others see, and records a state that is another.
  mutating func tellState() {
    let (settlerHolds, isPaused) = (holdsBack, settler.isPaused)
    let (face, watcher) = shared.state.withLock { state in
      state.face.isHoldingBack = settlerHolds
      state.face.isPaused = isPaused
      return (state.face, state.watcher)
    }
    let status = FolderStatus(
      name: configuration.name, path: configuration.path.string, face: face,
      watch: watcher?.status)
    if status.state != toldState, !isStartingUp(status) {
      record(status)
      toldState = status.state
    }
    if status.phase != toldPhase || status.state != toldState {
      toldPhase = status.phase
      shared.onStateChange()
    }
  }

  /// Changes wait for something else than quiet.
  private var holdsBack: Bool {
    settler.isWaitingForWriters || settler.failureCount > 0 || settler.isCapturing
  }

  /// That a folder is not protected in its first moments is no news.
  private func isStartingUp(_ status: FolderStatus) -> Bool {
    toldState == nil && engine != nil && status.state != .protected
      && (condition == nil || condition == .arming || status.lastSnapshot == nil)
      && settler.failureCount == 0
  }

  private func record(_ status: FolderStatus) {
    let reasons = status.reasons.joined(separator: "; ")
    switch status.state {
    case .protected: logger.record(.folderProtected, ["path": "\(status.path)"])
    case .degraded, .paused:
      logger.record(.folderDegraded, ["path": "\(status.path)", "reason": "\(reasons)"])
    case .unprotected:
      logger.record(.folderUnprotected, ["path": "\(status.path)", "reason": "\(reasons)"])
    }
  }
}
