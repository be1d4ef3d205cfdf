import DTMRules

/// What the settler has to decide, worked out from the whole history each time: no state but the
/// list of what happened. Slow, and written from the rules' words, not from the settler's code.
struct SettlerModel {
  enum Entry {
    case event(SettleEvent)
    case action(SettleAction)
  }

  let initialPolicy: SettlePolicy
  private(set) var history: [(time: Duration, entry: Entry)] = []

  init(policy: SettlePolicy) {
    initialPolicy = policy
  }

  mutating func on(_ event: SettleEvent, at time: Duration) -> SettleAction {
    history.append((time, .event(event)))
    let action = decide(at: time)
    if action != .nothing { history.append((time, .action(action))) }
    return action
  }

  // MARK: - Facts

  struct Capture {
    var trigger: SettleTrigger
    var started: Int?
    var end: Int?
    var failed = false
  }

  var captures: [Capture] {
    var result: [Capture] = []
    for (index, item) in history.enumerated() {
      switch item.entry {
      case .action(.snapshot(let trigger)): result.append(Capture(trigger: trigger))
      case .event(.snapshotStarted): result[result.count - 1].started = index
      case .event(.snapshotFinished): result[result.count - 1].end = index
      case .event(.snapshotFailed):
        result[result.count - 1].end = index
        result[result.count - 1].failed = true
      default: break
      }
    }
    return result
  }

  /// Changes that no capture took and kept.
  var uncovered: [Int] {
    let captures = captures
    return history.indices.filter { index in
      guard isChange(index) else { return false }
      return !captures.contains { ($0.started ?? -1) > index && !$0.failed }
    }
  }

  private func isChange(_ index: Int) -> Bool {
    switch history[index].entry {
    case .event(.changed), .event(.started(dirty: true)),
      .event(.snapshotFinished(stillDirty: true)):
      true
    default: false
    }
  }

  private func last(_ matches: (SettleEvent) -> Bool) -> Int? {
    history.lastIndex { item in
      if case .event(let event) = item.entry { matches(event) } else { false }
    }
  }

  var policy: SettlePolicy {
    for item in history.reversed() {
      if case .event(.policyChanged(let policy)) = item.entry { return policy }
    }
    return initialPolicy
  }

  func isHeld(at time: Duration) -> Bool {
    var paused = false
    var owners = 0
    var unavailable = false
    for item in history {
      guard case .event(let event) = item.entry else { continue }
      switch event {
      case .paused: paused = true
      case .resumed: paused = false
      case .ownWritesBegan: owners += 1
      case .ownWritesEnded: owners = max(0, owners - 1)
      case .unavailable: unavailable = true
      case .available: unavailable = false
      default: break
      }
    }
    return paused || owners > 0 || unavailable
  }

  /// When the last pause ended; zero before the first.
  private var pauseEnd: Duration {
    var end = Duration.zero
    var isPaused = false
    for item in history {
      switch item.entry {
      case .event(.paused): isPaused = true
      case .event(.resumed):
        if isPaused { end = item.time }
        isPaused = false
      default: break
      }
    }
    return end
  }

  /// Requests that still want a snapshot, in order of arrival.
  var waiting: [SettleRequest] {
    let captures = captures
    var result: [SettleRequest] = []
    for item in history {
      if case .event(.requested(let request)) = item.entry { result.append(request) }
    }
    return result.filter { request in
      !captures.contains {
        $0.trigger.requests.contains(request) && (!$0.failed || request.kind.isExplicit)
      }
    }
  }

  enum Writers { case unknown, asked, absent, open }

  var writers: Writers {
    var known = Writers.unknown
    var asked: Int?
    var lastForgotten = -1
    for (index, item) in history.enumerated() {
      switch item.entry {
      case _ where isChange(index), .event(.snapshotStarted):
        known = .unknown
        lastForgotten = index
      case .action(.examineWriters): asked = index
      case .event(.writers(let open)):
        if lastForgotten < asked ?? index { known = open ? .open : .absent }
        asked = nil
      default: break
      }
    }
    return known == .unknown && asked != nil ? .asked : known
  }

  private func retryTime(_ captures: [Capture]) -> Duration? {
    let ended = captures.filter { $0.end != nil }
    let failures = ended.reversed().prefix { $0.failed }.count
    guard failures > 0, let end = ended.last?.end else { return nil }
    let waits = [1, 2, 4, 8, 16, 32, 64, 128, 256, 300]
    return history[end].time + .seconds(waits[min(failures, waits.count) - 1])
  }

  // MARK: - The rules

  private func decide(at time: Duration) -> SettleAction {
    let captures = captures
    if let latest = captures.last, latest.end == nil { return .nothing }
    let waiting = waiting.enumerated()
      .sorted { ($0.element.priority, $0.offset) < ($1.element.priority, $1.offset) }
      .map(\.element)
    if let explicit = waiting.first(where: { $0.kind.isExplicit }) {
      return .snapshot(SettleTrigger(kind: explicit.kind, requests: [explicit]))
    }
    let uncovered = uncovered
    let held = isHeld(at: time)
    if last({ $0 == .stopping }) != nil {
      if held || captures.contains(where: { $0.trigger.kind == .stop }) { return .stopped }
      if uncovered.isEmpty && waiting.isEmpty { return .stopped }
      return .snapshot(SettleTrigger(kind: .stop, requests: waiting))
    }
    if held { return .nothing }
    if let retry = retryTime(captures), time < retry { return .nothing }
    if let first = waiting.first {
      return .snapshot(SettleTrigger(kind: first.kind, requests: waiting))
    }
    guard let oldest = uncovered.first, let newest = uncovered.last else { return .nothing }
    let startsDirty = uncovered.contains { index in
      if case .event(.started(dirty: true)) = history[index].entry { true } else { false }
    }
    if startsDirty { return .snapshot(SettleTrigger(kind: .start)) }
    if let started = captures.last(where: { $0.started != nil })?.started,
      time - history[started].time < policy.minInterval
    {
      return .nothing
    }
    if time - max(history[oldest].time, pauseEnd) >= policy.atMost {
      return .snapshot(SettleTrigger(kind: .atMost))
    }
    var lastActivity = history[newest].time
    if let ended = last({ $0 == .ownWritesEnded }) {
      lastActivity = max(lastActivity, history[ended].time)
    }
    if time - lastActivity < policy.quiet { return .nothing }
    if policy.openFiles == .capture { return .snapshot(SettleTrigger(kind: .quiet)) }
    switch writers {
    case .unknown: return .examineWriters
    case .absent: return .snapshot(SettleTrigger(kind: .quiet))
    case .asked, .open: return .nothing
    }
  }
}
