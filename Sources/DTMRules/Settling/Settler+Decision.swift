extension Settler {
  /// When the caller has to report `.timer` if nothing else happens before; nil when time alone
  /// changes nothing. May lie in the past only if the caller is late.
  package var deadline: Duration? {
    if capture != nil || isStopping || isHeld { return nil }
    let earliest = retryTime ?? .zero
    if !requests.isEmpty { return earliest }
    guard let dirt else { return nil }
    if dirt.isFromStart { return earliest }
    let intervalEnd = lastStart.map { $0 + policy.minInterval } ?? .zero
    var due = latest(dirt)
    if canBecomeQuiet { due = min(due, quietTime(dirt)) }
    return max(due, earliest, intervalEnd)
  }

  /// When the folder is quiet, as far as events go; own writes count until their end.
  private func quietTime(_ dirt: Dirt) -> Duration {
    max(dirt.lastChange, ownWritesEnd ?? .zero) + policy.quiet
  }

  /// Whether the folder is quiet, or has to be asked about its writers, once `quiet` is over.
  private var canBecomeQuiet: Bool {
    switch writers {
    case _ where policy.openFiles == .capture: true
    case .absent: true
    case .unknown: examination == .none
    case .open: false
    }
  }

  mutating func decide() -> SettleAction {
    if capture != nil { return .nothing }
    if let first = inOrder(where: \.kind.isExplicit).first {
      return order(first.request.kind, [first])
    }
    if isStopping { return stop(isHeld: isHeld) }
    if isHeld { return .nothing }
    if let retryTime, now < retryTime { return .nothing }
    // Rules that fired together make one snapshot, and ignore minInterval.
    let rules = inOrder { _ in true }
    if let first = rules.first { return order(first.request.kind, rules) }
    return decideOnDirt()
  }

  private mutating func decideOnDirt() -> SettleAction {
    guard let dirt else { return .nothing }
    if dirt.isFromStart { return order(.start) }
    if let lastStart, now < lastStart + policy.minInterval { return .nothing }
    if now >= latest(dirt) { return order(.atMost) }
    guard now >= quietTime(dirt), canBecomeQuiet else { return .nothing }
    if policy.openFiles == .wait && writers == .unknown {
      examination = .asked
      return .examineWriters
    }
    return order(.quiet)
  }

  /// One last snapshot, tried once: there is no time for a second try.
  private mutating func stop(isHeld: Bool) -> SettleAction {
    if isHeld || hasTriedStop || (dirt == nil && requests.isEmpty) { return .stopped }
    hasTriedStop = true
    return order(.stop, inOrder { _ in true })
  }

  private mutating func order(_ kind: TriggerKind, _ served: [Waiting] = []) -> SettleAction {
    let arrivals = Set(served.map(\.arrival))
    requests.removeAll { arrivals.contains($0.arrival) }
    let trigger = SettleTrigger(kind: kind, requests: served.map(\.request))
    capture = Capture(trigger: trigger, requests: served)
    return .snapshot(trigger)
  }

  /// By priority, then by arrival.
  private func inOrder(where isWanted: (SettleRequest) -> Bool) -> [Waiting] {
    requests.filter { isWanted($0.request) }
      .sorted { ($0.request.priority, $0.arrival) < ($1.request.priority, $1.arrival) }
  }

  /// When changes are captured though the folder is not quiet.
  private func latest(_ dirt: Dirt) -> Duration {
    max(dirt.since, pauseEnd ?? dirt.since) + policy.atMost
  }
}
