internal import DTMConfiguration
internal import DTMControl
internal import DTMFolder
internal import DTMRules
internal import DTMSystem
internal import DTMWatch
internal import Logging

extension FolderLoop {
  /// Does what the settler says, and what it says to that.
  mutating func perform(_ action: SettleAction) {
    var action = action
    while true {
      switch action {
      case .nothing, .stopped: return
      case .examineWriters:
        // Each close is an event and asks again.
        action = settler.on(.writers(open: hasOpenWriters), at: time.monotonic())
      case .snapshot(let trigger): action = capture(trigger)
      }
    }
  }

  /// Whether a file that was written since the last capture is open for writing. One that has been
  /// open since before, and was captured as it was, holds nothing back.
  private var hasOpenWriters: Bool {
    guard let watcher, watcher.activity.hasOpenWrites else { return false }
    guard let engine, let files = watcher.openWrites(atMost: Self.writerLimit) else { return true }
    // truncate(2) writes and closes nothing.
    return engine.isOpenForWriting(files)
  }

  /// Takes one snapshot, and answers those who asked for it.
  private mutating func capture(_ trigger: SettleTrigger) -> SettleAction {
    let request = trigger.requests.first.flatMap { requests.removeValue(forKey: $0.ticket) }
    let began = time.monotonic()
    do throws(FolderEngineError) {
      var (result, basis) = try capture(trigger, for: request)
      try commitFirings(of: trigger, &result)
      if basis != .events { try lookAtRules(result.snapshot) }
      let lasted = time.monotonic() - began
      succeed(result, basis, trigger, lasted, request)
      return settler.on(
        .snapshotFinished(stillDirty: result.isStillChanging), at: time.monotonic())
    } catch {
      fail(error, request)
      return settler.on(.snapshotFailed, at: time.monotonic())
    }
  }

  private mutating func capture(
    _ trigger: SettleTrigger, for request: Request?
  ) throws(FolderEngineError) -> (CaptureResult, SnapshotBasis) {
    guard let engine, let watcher else {
      let reason = shared.state.withLock { $0.face.engineError }
      throw FolderEngineError(.unavailable, reason ?? "the repository is not open")
    }
    let set = try take(from: watcher, acceptsHeld: trigger.kind == .manual)
    untold.removeAll { set.covers($0.key) }
    // What the set holds is told to the settler by taking it.
    lastToldEvent = watcher.activity.lastEvent
    // Only tells the settler that its capture has begun: it has nothing to say to that.
    _ = settler.on(.snapshotStarted, at: time.monotonic())

    var order = CaptureOrder(
      changes: set, basis: set.basis == .events ? .events : .scan, trigger: trigger.kind)
    if let request { order.take(request.request, user: request.user) }
    if let stage = request?.stage { order.facts[StageFact.name] = stage.encoded }
    order.give(note(of: trigger, request))
    order.note.marks += rules?.silentMarks ?? []
    if needsOwnSnapshot(trigger, order.note) { order.isForced = true }
    let isHotLook = trigger.requests.contains { $0.kind == .atMost }
    do throws(FolderEngineError) {
      if set.isEmpty, request == nil, order.basis == .events, !isHotLook,
        !order.isForced
      {
        // Nothing to look at after all. The engine does not learn of it, so that the next set has
        // to begin where this one did.
        watcher.giveBack(set)
        return (CaptureResult(snapshot: lastSnapshot, isCreated: false), .events)
      }
      shared.state.update { $0.face.capturing = order.basis }
      defer { shared.state.update { $0.face.capturing = nil } }
      shared.onStateChange()
      var result = try captureOrScan(engine, &order)
      result.rules = order.rules
      watcher.release(
        hot: result.settledFiles, open: result.hotFiles, capturedIn: set)
      planHotLook(result, wasHotLook: isHotLook)
      if order.basis != .events { audit.everythingLookedAt(at: time.monotonic()) }
      suspect(result.untold)
      // Whether the next set will be a scan too, since the watches were not all there yet.
      let isUnknown = watcher.baseClock == nil
      shared.state.update { $0.face.needsScan = isUnknown }
      if result.isExclusionChanged { watcher.reconcile() }
      return (result, order.basis)
    } catch {
      watcher.giveBack(set)
      throw error
    }
  }

  /// A set that the engine can't build on becomes a scan, which can always be done.
  private func captureOrScan(
    _ engine: any FolderEngine, _ order: inout CaptureOrder
  ) throws(FolderEngineError) -> CaptureResult {
    do throws(FolderEngineError) {
      return try engine.capture(order)
    } catch {
      if error.code != .refused || order.basis != .events { throw error }
      logger.info("the folder is scanned", metadata: ["reason": "\(error.description)"])
    }
    order.basis = .scan
    shared.state.update { $0.face.capturing = .scan }
    return try engine.capture(order)
  }

  private func take(
    from watcher: FolderWatcher, acceptsHeld: Bool
  ) throws(FolderEngineError) -> DirtySet {
    do throws(WatchError) {
      if acceptsHeld, case .held(let reason) = watcher.activity.condition,
        reason == .empty || reason == .otherFileSystem
      {
        watcher.accept()
        watcher.wait(within: Self.watcherLimit) { status in
          if case .held = status.condition { return false }
          return true
        }
      }
      try watcher.barrier(within: Self.watcherLimit)
      return try watcher.take()
    } catch {
      throw FolderEngineError(.unavailable, error.description)
    }
  }

  private var lastSnapshot: SnapshotSummary? { shared.state.withLock { $0.face.lastSnapshot } }

  private mutating func succeed(
    _ result: CaptureResult, _ basis: SnapshotBasis, _ trigger: SettleTrigger, _ lasted: Duration,
    _ request: Request?
  ) {
    shared.state.update { state in
      state.face.captureError = nil
      state.face.lastSnapshot = result.snapshot ?? state.face.lastSnapshot
      state.face.hot = result.hotFiles
      state.face.problems = result.problems
      state.face.uncovered = result.uncovered
    }
    waiters.captured()
    if result.isCreated, let snapshot = result.snapshot {
      record(snapshot, result, basis, trigger, lasted)
      checker?.offer(snapshot.id)
      guardAgainst(result, trigger.kind)
    }
    guard let request else { return }
    if let snapshot = result.snapshot {
      request.answer(
        .success(DTMControl.SnapshotOutcome(snapshot: snapshot, isCreated: result.isCreated)))
    } else {
      request.answer(.failure(.snapshotFailed(reason: "there is no snapshot yet", path: nil)))
    }
  }

  private func record(
    _ snapshot: SnapshotSummary, _ result: CaptureResult, _ basis: SnapshotBasis,
    _ trigger: SettleTrigger, _ lasted: Duration
  ) {
    var details: Logger.Metadata = [
      "path": "\(configuration.path)", "snapshot": "\(snapshot.id)",
      "trigger": "\(trigger.kind.rawValue)", "files": "\(result.changedEntries)",
      "bytes": "\(result.storedBytes)", "basis": "\(basis.rawValue)",
      "durationUsec": "\(Int(lasted / .microseconds(1)))",
    ]
    let rules = result.rules
    if !rules.isEmpty { details["rule"] = "\(rules.joined(separator: " "))" }
    logger.record(snapshot.isComplete ? .snapshotTaken : .snapshotIncomplete, details)
    shared.counts.snapshotTaken(
      trigger.kind, isComplete: snapshot.isComplete, result: result, lasted: lasted)
    publish(snapshot, result, trigger, rules, lasted)
  }

  private mutating func fail(_ error: FolderEngineError, _ request: Request?) {
    let isNews = shared.state.update { state in
      defer { state.face.captureError = error.description }
      return state.face.captureError != error.description
    }
    // The same failure at each try is said once.
    if isNews {
      logger.record(
        .snapshotFailed, ["path": "\(configuration.path)", "error": "\(error.description)"])
    }
    shared.counts.snapshotFailed()
    if isNews { publish(.snapshotFailed, error.description) }
    guard let request else { return }
    switch error.code {
    case .locked: request.answer(.failure(.busy(reason: error.message)))
    case .permissionDenied: request.answer(.failure(.permissionDenied(reason: error.message)))
    default:
      request.answer(.failure(.snapshotFailed(reason: error.message, path: error.path)))
    }
  }
}

extension CaptureOrder {
  /// Takes over what rules give it.
  fileprivate mutating func give(_ note: RuleNote) {
    self.note = note
    rules = note.rules
    labels.merge(note.labels) { asked, _ in asked }
    if note.isPinned { isPinned = true }
  }

  /// Takes over what somebody asked for.
  fileprivate mutating func take(_ request: DTMControl.SnapshotRequest, user: UInt32) {
    message = request.message ?? ""
    labels = request.labels
    tag = request.tag
    isPinned = request.pin
    time = request.time
    isForced = !request.ifChanged
    self.user = user
    switch request.look {
    case .changes: break
    case .scan: if basis == .events { basis = .scan }
    case .full: basis = .full
    }
  }
}
