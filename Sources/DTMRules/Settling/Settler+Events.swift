extension Settler {
  /// Takes an event in and says what is to be done at once.
  package mutating func on(_ event: SettleEvent, at time: Duration) -> SettleAction {
    now = max(now, time)
    switch event {
    case .timer: break
    case .changed: change(isFromStart: false)
    case .started(let dirty): if dirty { change(isFromStart: true) }
    case .writers(let open): answer(open: open)
    case .requested(let request): enqueue(request)
    case .requestedTogether(let requests): for request in requests { enqueue(request) }
    case .snapshotStarted: captureStarted()
    case .snapshotFinished(let stillDirty): captureFinished(stillDirty: stillDirty)
    case .snapshotFailed: captureFailed()
    case .ownWritesBegan: ownWriters += 1
    case .ownWritesEnded:
      ownWriters = max(0, ownWriters - 1)
      ownWritesEnd = now
    case .paused: isPaused = true
    case .resumed:
      if isPaused { pauseEnd = now }
      isPaused = false
    case .unavailable: isUnavailable = true
    case .available: isUnavailable = false
    case .policyChanged(let policy): self.policy = policy
    case .stopping: isStopping = true
    }
    return decide()
  }

  private mutating func change(isFromStart: Bool) {
    dirt = Dirt(
      since: dirt?.since ?? now, lastChange: now,
      isFromStart: isFromStart || dirt?.isFromStart ?? false)
    forgetWriters()
  }

  private mutating func forgetWriters() {
    writers = .unknown
    if examination == .asked { examination = .stale }
  }

  private mutating func answer(open: Bool) {
    if examination != .stale { writers = open ? .open : .absent }
    examination = .none
  }

  // MARK: - Captures

  private mutating func captureStarted() {
    guard capture != nil else { return }
    capture?.dirt = dirt
    dirt = nil
    lastStart = now
    forgetWriters()
  }

  private mutating func captureFinished(stillDirty: Bool) {
    guard capture != nil else { return }
    capture = nil
    failures = 0
    retryTime = nil
    if stillDirty { change(isFromStart: false) }
  }

  private mutating func captureFailed() {
    guard let failed = capture else { return }
    capture = nil
    failures += 1
    retryTime = now + Self.backOff(afterFailures: failures)
    if let taken = failed.dirt {
      dirt = Dirt(
        since: taken.since, lastChange: dirt?.lastChange ?? taken.lastChange,
        isFromStart: taken.isFromStart || dirt?.isFromStart ?? false)
    }
    requests += failed.requests.filter { !$0.request.kind.isExplicit }
  }

  /// How long automatic snapshots wait after so many failures in a row: 1 s, doubled each time, at
  /// most 5 min, so that a full disk that was mended is noticed within minutes.
  package static func backOff(afterFailures count: Int) -> Duration {
    let longest = Duration.seconds(300)
    // 2^9 s is beyond the longest.
    return min(.seconds(1 << min(max(count, 1) - 1, 9)), longest)
  }
}
