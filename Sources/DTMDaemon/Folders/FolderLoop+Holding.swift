internal import DTMConfiguration
internal import DTMControl
internal import DTMRules
internal import DTMSystem
internal import Logging
internal import Synchronization
internal import SystemPackage

/// What holds automatic snapshots: a pause, and the writes of restores.
extension FolderLoop {
  // MARK: - Pause

  /// Holds automatic snapshots; returns when they resume by themselves.
  ///
  /// A pause is remembered nowhere: after a restart the folder is protected again.
  mutating func pause(for duration: Duration?) -> Timestamp? {
    let until = duration.map { time.now().advanced(by: $0) }
    pauseEnd = duration.map { time.monotonic() + $0 }
    shared.state.update { $0.face.pause = FolderFace.Pause(until: until) }
    perform(settler.on(.paused, at: time.monotonic()))
    waiters.fail(.busy(reason: "automatic snapshots are paused"))
    logger.record(
      .folderPaused,
      [
        "path": "\(configuration.path)",
        "until": "\(until?.rfc3339 ?? "somebody resumes it")",
      ])
    publish(.paused) { $0.until = until }
    return until
  }

  /// Ends a pause; whether there was one.
  mutating func resume() -> Bool {
    let wasPaused = shared.state.update { state in
      defer { state.face.pause = nil }
      return state.face.pause != nil
    }
    guard wasPaused else { return false }
    pauseEnd = nil
    logger.record(.folderResumed, ["path": "\(configuration.path)"])
    publish(.resumed)
    // While paused nobody told when the folder last changed: what is written just now is not quiet.
    look()
    perform(settler.on(.resumed, at: time.monotonic()))
    return true
  }

  mutating func endPauseIfDue() {
    if let pauseEnd, time.monotonic() >= pauseEnd { _ = resume() }
  }

  // MARK: - Own writes

  mutating func ownWritesBegan(_ operation: String) {
    ownWrites.append(operation)
    if ownWritesSince == nil {
      ownWritesSince = time.monotonic()
      passOwnWrites()
    }
    publish(.restoreBegan) { $0.operation = operation }
    perform(settler.on(.ownWritesBegan, at: time.monotonic()))
  }

  /// Takes note of those that ended since the last look.
  mutating func ownWritesEnded() {
    let ended = shared.endedWrites.withLock { ended in
      defer { ended = [] }
      return ended
    }
    for operation in ended {
      if let place = ownWrites.firstIndex(of: operation) { ownWrites.remove(at: place) }
      if ownWrites.isEmpty { ownWritesSince = nil }
      publish(.restoreEnded) { $0.operation = operation }
      perform(settler.on(.ownWritesEnded, at: time.monotonic()))
    }
  }

  /// An own write that is to be told, as it holds snapshots for longer than they are ever late.
  var stalledWrites: String? {
    guard let ownWritesSince, time.monotonic() >= ownWritesSince + settler.policy.atMost else {
      return nil
    }
    return ownWrites.first
  }

  /// When that has to be looked at; nil where it is told, or nothing is.
  var ownWritesLimit: Duration? {
    stalledWrites == nil ? ownWritesSince.map { $0 + settler.policy.atMost } : nil
  }

  // MARK: - News

  /// Tells those who listen.
  func publish(_ event: ControlEvent) {
    shared.events.publish(event, owner: identity)
    if event.kind == .alert { alerter?.offer(event) }
  }

  func publish(
    _ kind: ControlEvent.Kind, _ fill: (inout ControlEvent) -> Void = { _ in }
  ) {
    var event = ControlEvent(
      kind, at: time.now(), folder: configuration.name, path: configuration.path.string)
    fill(&event)
    publish(event)
  }

  func publish(_ alert: ControlEvent.Alert, _ reason: String) {
    publish(.alert) { event in
      event.alert = alert
      event.reason = reason
    }
  }

  func publish(
    _ snapshot: SnapshotSummary, _ result: CaptureResult, _ trigger: SettleTrigger,
    _ rules: [String], _ lasted: Duration
  ) {
    publish(.snapshot) { event in
      event.snapshot = snapshot
      event.trigger = trigger.kind.rawValue
      if !rules.isEmpty { event.rules = rules }
      event.changedEntries = result.changedEntries
      event.storedBytes = result.storedBytes
      event.duration = lasted
    }
  }
}
