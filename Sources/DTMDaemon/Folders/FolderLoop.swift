internal import DTMConfiguration
internal import DTMControl
internal import DTMFolder
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
  /// Of more files that may be open for writing it is not found out whether they are.
  static let writerLimit = 64
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
  var lastTicket: UInt64 = 0
  /// The last event of the watcher that the settler was told.
  var lastToldEvent: Duration?
  /// Since when the folder is looked at as it is now: of what was before, nobody knows when.
  var lookedAtSince = Duration.zero
  /// How the watcher was when it was last looked at.
  var condition: WatchCondition?
  var overflows = 0
  var engineFailures = 0
  var nextOpening: Duration?
  var nextPoll: Duration?
  /// When files that are open for writing are looked at again, and how long they wait each time.
  var nextHotLook: Duration?
  var hotWait = Duration.zero
  var audit = AuditSchedule()
  /// What a scan that somebody asked for found and no event had told, until it is sure that none does.
  var untold: [AuditVerdict.Finding] = []
  var untoldTime: Duration?
  var identity: FolderOwner?
  var toldState: FolderStatus.State?
  var toldPhase: FolderStatus.Phase?
  var toldReasons: [String] = []
  /// When the pause that holds ends by itself.
  var pauseEnd: Duration?
  /// Restores and checkouts that write now, and since when.
  var ownWrites: [String] = []
  var ownWritesSince: Duration?

  /// Nil where there are no rules, or their memory was not read yet.
  var rules: RuleEngine?
  /// What would be a boundary if nobody wrote it.
  var openBoundaries = OpenBoundarySchedule()
  /// Firings whose snapshot was asked for, by ticket.
  var firings: [UInt64: RuleEngine.Firing] = [:]
  /// Firings that wait until those before have their snapshot, for their labels differ.
  var heldFirings: [RuleEngine.Firing] = []
  /// The snapshot of a firing is made also where nothing changed since the one before.
  var needsOwnSnapshot: Set<UInt64> = []
  /// The newest snapshot that rules gave labels, and those: others are for another one.
  var labelled: (snapshot: String, labels: [String: String])?
  /// Nil where there are no checks.
  var checker: FolderChecker?
  /// At work, or just finished; nil between.
  var upkeeper: FolderUpkeeper?
  var nextUpkeep: Duration?
  /// Nil where alerts go to the journal alone, or it is not known yet whose the repository is.
  var alerter: FolderAlerter?
  /// What snapshots removed and rewrote.
  var watchfulness: Guard
  /// Alarms that hold, the newest first, and when it is looked whether somebody has ended them.
  var alarms: [GuardRecord] = []
  var nextAlarmLook: Duration?
  /// The newest snapshot that was compared with those before the damage.
  var comparedWithGood: String?
  /// When files that changed are measured again.
  var nextMeasure: Duration?
  /// When the folder's protection began, for what was there before.
  var protectionStart: Timestamp?
  /// Stages that are abandoned when their holder goes, by holder.
  var heldStages: [UInt64: StageKey] = [:]

  struct Request {
    let request: DTMControl.SnapshotRequest
    let user: UInt32
    var stage: StageFact?
    /// Rules that fire with it.
    var firings: [RuleEngine.Firing] = []
    let answer: FolderMessage.Answer<DTMControl.SnapshotOutcome>
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
    watchfulness = Guard(configuration.guarding)
  }

  /// Runs until the mailbox is closed, then takes the last snapshot and cleans up.
  mutating func run() {
    while true {
      openIfDue()
      auditIfDue()
      judgeUntoldIfDue()
      look()
      endPauseIfDue()
      upkeepIfDue()
      lookAtHotIfDue()
      fireIfDue()
      lookAtAlarmsIfDue()
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
    case .woke: woke()
    case .ping(let answer): answer()
    case .snapshot(let request, let kind, let user, let answer):
      openNow()
      lastTicket += 1
      requests[lastTicket] = Request(request: request, user: user, answer: answer)
      perform(
        settler.on(
          .requested(SettleRequest(kind: kind, ticket: lastTicket)), at: time.monotonic()))
    case .stage(let request, let event, let user, let holder, let answer):
      openNow()
      stage(request, event, user: user, holder: holder, answer)
    case .wait(let request, let id, let answer):
      openNow()
      wait(request, id: id, answer: answer)
    case .waitAbandoned(let id): waiters.remove(id: id)
    case .ownWritesBegan(let operation, let answer):
      ownWritesBegan(operation)
      answer(.success(()))
    case .pause(let duration, let answer): answer(.success(pause(for: duration)))
    case .resume(let answer): answer(.success(resume()))
    case .policy(let policy): perform(settler.on(.policyChanged(policy), at: time.monotonic()))
    }
  }

  // MARK: - Looking

  /// Tells the settler what the watcher saw.
  mutating func look() {
    shared.gate.willLook()
    ownWritesEnded()
    abandonStages()
    guard let watcher else { return }
    var activity = watcher.activity
    if activity.condition != condition {
      conditionChanged(to: activity.condition)
      // The first look is taken in there: what was dirty before is captured.
      activity = watcher.activity
    }
    let isNew = activity.lastEvent != lastToldEvent || !settler.isDirty
    if activity.isDirty, isNew, condition != .arming {
      lastToldEvent = activity.lastEvent
      perform(settler.on(.changed, at: activity.lastEvent ?? time.monotonic()))
    }
    pollIfDue(watcher)
    lookAtBoundaries()
  }

  private mutating func conditionChanged(to new: WatchCondition) {
    let isFirst = condition == nil || condition == .arming
    condition = new
    let now = time.monotonic()
    if new != .arming { settledIn() }
    if new != .watching { shared.state.update { $0.face.needsScan = true } }
    switch new {
    case .arming: break
    case .held:
      perform(settler.on(.unavailable, at: now))
      waiters.fail(.busy(reason: "the folder \(configuration.path) is not there as it was"))
    case .watching, .unwatched:
      lookedAtSince = now
      perform(settler.on(.available, at: now))
      // What happened while nobody watched is found by a scan at once.
      if isFirst { perform(settler.on(.started(dirty: true), at: now)) }
    }
    let count = watcher?.status.overflows ?? 0
    if count > overflows {
      overflows = count
      logger.record(.eventsLost, ["path": "\(configuration.path)", "overflows": "\(count)"])
      publish(.eventsLost, "the kernel dropped events; the folder is scanned")
    }
  }

  func settledIn() {
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

  /// When something last happened in the folder, as far as can be vouched for.
  private var lastChange: Duration { max(lastToldEvent ?? .zero, lookedAtSince) }

  private func nextWake() -> Deadline {
    let isDirty = settler.isDirty
    shared.gate.setWantsChanges(
      !isDirty || settler.isWaitingForWriters || !waiters.isEmpty || rules?.countsFiles == true)
    let times = [
      settler.deadline, nextOpening, nextPoll, nextHotLook, auditTime, untoldTime, upkeepTime,
      pauseEnd, ownWritesLimit, ruleTime, openBoundaryTime, nextMeasure, nextAlarmLook,
      waiters.deadline(isDirty: isDirty, lastChange: lastChange),
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
      at: time.monotonic(), isDirty: settler.isDirty, lastChange: lastChange,
      snapshot: shared.state.withLock { $0.face.lastSnapshot })
  }
}
