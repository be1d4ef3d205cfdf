import DTMRules
import DTMTestSupport
import Testing

/// Random histories on a clock of ticks: the settler, woken by events and its deadline alone,
/// against the model, asked at each tick.
@Suite struct SettlerPropertyTests {
  static let tick = Duration.milliseconds(100)

  static func policy(_ random: inout SplitMix) -> SettlePolicy {
    let quiet = 1 + random.below(20)
    let atMost = quiet + random.below(100)
    return SettlePolicy(
      quiet: tick * quiet, atMost: tick * atMost, minInterval: tick * random.below(atMost + 1),
      openFiles: random.oneIn(3) ? .capture : .wait)
  }

  /// One world: what happens at which tick, and how captures and questions are answered.
  struct World {
    var random: SplitMix
    let policy: SettlePolicy
    var settler: Settler
    var model: SettlerModel
    var scheduled: [Int: [SettleEvent]] = [:]
    var tickets: UInt64 = 0
    /// The settler said `.stopped`, and the daemon is gone.
    var isOver = false
    /// Each wake-up and what came of it.
    var actions: [(tick: Int, action: SettleAction)] = []

    init(random: SplitMix) {
      self.random = random
      policy = SettlerPropertyTests.policy(&self.random)
      settler = Settler(policy: policy)
      model = SettlerModel(policy: policy)
    }

    mutating func randomEvent() -> SettleEvent {
      switch random.below(40) {
      case 0: return .started(dirty: random.oneIn(2))
      case 1: return .writers(open: random.oneIn(2))
      case 2, 3, 4, 5:
        tickets += 1
        let kinds: [TriggerKind] = [.manual, .stage, .rule, .rule, .schedule, .guard, .restore]
        let kind = kinds[random.below(kinds.count)]
        return .requested(
          SettleRequest(
            kind: kind, priority: kind == .rule && random.oneIn(2) ? .threshold : nil,
            ticket: tickets))
      case 6: return .ownWritesBegan
      case 7, 8: return .ownWritesEnded
      case 9: return .paused
      case 10, 11: return .resumed
      case 12: return .unavailable
      case 13, 14: return .available
      case 15: return .policyChanged(SettlerPropertyTests.policy(&random))
      case 16: return .timer
      default: return .changed
      }
    }

    private var tick: Duration { SettlerPropertyTests.tick }

    mutating func schedule(_ event: SettleEvent, at place: Int) {
      scheduled[place, default: []].append(event)
    }

    mutating func perform(_ action: SettleAction, at place: Int) {
      actions.append((place, action))
      switch action {
      case .nothing: break
      case .stopped: isOver = true
      case .examineWriters:
        // Sometimes nobody answers.
        if !random.oneIn(10) {
          schedule(.writers(open: random.oneIn(3)), at: place + 1 + random.below(4))
        }
      case .snapshot:
        let start = place + 1 + random.below(3)
        let end = start + 1 + random.below(8)
        if random.oneIn(12) {
          schedule(.snapshotFailed, at: start)
        } else {
          schedule(.snapshotStarted, at: start)
          schedule(
            random.oneIn(5) ? .snapshotFailed : .snapshotFinished(stillDirty: random.oneIn(6)),
            at: end)
        }
      }
    }

    /// Lets both see the event; false where they disagree.
    mutating func tell(_ event: SettleEvent, at place: Int) -> Bool {
      let time = tick * place
      let action = settler.on(event, at: time)
      let expected = model.on(event, at: time)
      if action != expected {
        Issue.record(
          "tick \(place), \(event): \(action) and not \(expected); seed \(random.seed)")
        return false
      }
      perform(action, at: place)
      return true
    }

    /// One tick; false where the two disagree.
    mutating func step(_ place: Int) -> Bool {
      for event in scheduled.removeValue(forKey: place) ?? [] {
        guard tell(event, at: place) else { return false }
        if isOver { return true }
      }
      for _ in 0..<4 {
        if let deadline = settler.deadline, deadline <= tick * place {
          guard tell(.timer, at: place) else { return false }
        } else {
          var asked = model
          let action = asked.on(.timer, at: tick * place)
          if action == .nothing { return true }
          Issue.record("tick \(place): no deadline for \(action); seed \(random.seed)")
          return false
        }
      }
      Issue.record("tick \(place): the deadline stays in the past; seed \(random.seed)")
      return false
    }
  }

  @Test func `the settler decides as the model does, and wakes for nothing else`() {
    var seeds = SplitMix.fresh("settler against the model")
    for _ in 0..<400 {
      var world = World(random: SplitMix(seed: seeds.next()))
      // From a folder that is busy to one that hardly changes.
      let rarity = 1 + world.random.below(40)
      for place in 0..<300 {
        if world.random.oneIn(rarity) { world.schedule(world.randomEvent(), at: place) }
        if place == 280 && world.random.oneIn(2) { world.schedule(.stopping, at: place) }
        guard world.step(place) else { return }
        if world.isOver { break }
      }
    }
  }

  @Test func `every capture kind occurs in the random histories`() {
    // Else the test above would say little.
    var kinds: [TriggerKind: Int] = [:]
    for seed in 1...250 {
      var world = World(random: SplitMix(seed: UInt64(seed)))
      let rarity = 1 + world.random.below(40)
      for place in 0..<300 {
        if world.random.oneIn(rarity) { world.schedule(world.randomEvent(), at: place) }
        if place == 280 { world.schedule(.stopping, at: place) }
        guard world.step(place) else { return }
        if world.isOver { break }
      }
      for case .snapshot(let trigger) in world.actions.map(\.action) {
        kinds[trigger.kind, default: 0] += 1
      }
    }
    for kind: TriggerKind in [
      .manual, .quiet, .atMost, .rule, .schedule, .guard, .stage, .restore, .start, .stop,
    ] {
      #expect(kinds[kind, default: 0] >= 20, "\(kind)")
    }
  }

  @Test func `eternal activity is captured within atMost, and says so`() {
    var seeds = SplitMix.fresh("eternal activity")
    for _ in 0..<200 {
      var random = SplitMix(seed: seeds.next())
      let policy = Self.policy(&random)
      var settler = Settler(policy: policy)
      var firstChange: Duration?
      var captured = 0
      for place in 0..<2000 {
        let time = Self.tick * place
        // Never quiet: a change at each tick, and quiet is at least one.
        var action = settler.on(.changed, at: time)
        if firstChange == nil { firstChange = time }
        if action == .examineWriters {
          // Only where quiet is one tick; somebody writes for ever.
          action = settler.on(.writers(open: true), at: time)
        }
        if case .snapshot(let trigger) = action, let first = firstChange {
          #expect(trigger.kind == .atMost || policy.quiet <= Self.tick)
          #expect(time - first <= policy.atMost, "seed \(random.seed)")
          _ = settler.on(.snapshotStarted, at: time)
          _ = settler.on(.snapshotFinished(stillDirty: false), at: time)
          firstChange = nil
          captured += 1
        }
      }
      #expect(captured >= 2000 / (Self.ticks(policy.atMost) + 2), "seed \(random.seed)")
    }
  }

  private static func ticks(_ span: Duration) -> Int {
    Int(span.components.seconds * 10 + span.components.attoseconds / 100_000_000_000_000_000)
  }

  @Test func `quiet is never early, minInterval is kept, an idle folder has no deadline`() {
    var seeds = SplitMix.fresh("quiet, minInterval, idle")
    var quietCount = 0
    for _ in 0..<300 {
      var random = SplitMix(seed: seeds.next())
      let policy = Self.policy(&random)
      var settler = Settler(policy: policy)
      var lastChange = Duration.zero
      var lastStart: Duration?
      let rarity = 1 + random.below(30)
      for place in 0..<1000 {
        let time = Self.tick * place
        var action = SettleAction.nothing
        if random.oneIn(rarity) {
          lastChange = time
          action = settler.on(.changed, at: time)
        } else if let deadline = settler.deadline, deadline <= time {
          action = settler.on(.timer, at: time)
        }
        if action == .examineWriters { action = settler.on(.writers(open: false), at: time) }
        guard case .snapshot(let trigger) = action else { continue }
        if trigger.kind == .quiet {
          quietCount += 1
          #expect(time - lastChange >= policy.quiet, "seed \(random.seed)")
        }
        if let lastStart {
          #expect(time - lastStart >= policy.minInterval, "seed \(random.seed)")
        }
        lastStart = time
        _ = settler.on(.snapshotStarted, at: time)
        _ = settler.on(.snapshotFinished(stillDirty: false), at: time)
        #expect(settler.deadline == nil)
      }
    }
    #expect(quietCount > 1000)
  }
}
