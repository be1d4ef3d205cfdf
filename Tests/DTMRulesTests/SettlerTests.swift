import DTMRules
import Testing

@Suite struct SettlerTests {
  private static let policy = SettlePolicy(
    quiet: .seconds(2), atMost: .seconds(300), minInterval: .seconds(10))

  private var settler = Settler(policy: policy)

  private mutating func on(_ event: SettleEvent, _ seconds: Double) -> SettleAction {
    settler.on(event, at: .seconds(seconds))
  }

  private func snapshot(_ kind: TriggerKind, _ requests: SettleRequest...) -> SettleAction {
    .snapshot(SettleTrigger(kind: kind, requests: requests))
  }

  /// Reports the deadline until something is to be done.
  private mutating func next() -> (action: SettleAction, at: Duration)? {
    while let deadline = settler.deadline {
      let action = settler.on(.timer, at: deadline)
      if action != .nothing { return (action, deadline) }
    }
    return nil
  }

  private mutating func capture(from start: Double, to end: Double) {
    #expect(on(.snapshotStarted, start) == .nothing)
    _ = on(.snapshotFinished(stillDirty: false), end)
  }

  @Test mutating func `a folder that rests is captured after quiet, once`() throws {
    #expect(settler.deadline == nil)
    #expect(on(.changed, 100) == .nothing)
    #expect(on(.changed, 101) == .nothing)
    #expect(settler.deadline == .seconds(103))
    #expect(on(.timer, 102.9) == .nothing)
    #expect(on(.timer, 103) == .examineWriters)
    #expect(on(.writers(open: false), 103) == snapshot(.quiet))
    #expect(settler.isCapturing && settler.deadline == nil)
    capture(from: 103, to: 103.1)
    #expect(settler.deadline == nil && !settler.isDirty)
    #expect(on(.timer, 1000) == .nothing)
  }

  @Test mutating func `open writers hold quiet back until atMost`() {
    _ = on(.changed, 0)
    #expect(on(.timer, 2) == .examineWriters)
    #expect(on(.writers(open: true), 2) == .nothing)
    #expect(settler.isWaitingForWriters)
    #expect(settler.deadline == .seconds(300))
    #expect(on(.timer, 299) == .nothing)
    #expect(on(.timer, 300) == snapshot(.atMost))
  }

  @Test mutating func `a writer that closes starts quiet anew`() {
    _ = on(.changed, 0)
    _ = on(.timer, 2)
    _ = on(.writers(open: true), 2)
    // CLOSE_WRITE is a change.
    #expect(on(.changed, 60) == .nothing)
    #expect(settler.deadline == .seconds(62))
    #expect(on(.timer, 62) == .examineWriters)
    #expect(on(.writers(open: false), 62) == snapshot(.quiet))
  }

  @Test mutating func `an answer that a change overtook says nothing`() {
    _ = on(.changed, 0)
    #expect(on(.timer, 2) == .examineWriters)
    #expect(on(.changed, 2.5) == .nothing)
    #expect(on(.writers(open: false), 5) == .examineWriters)
    #expect(on(.writers(open: false), 5) == snapshot(.quiet))
  }

  @Test mutating func `an answer that never comes delays to atMost and no longer`() throws {
    _ = on(.changed, 0)
    #expect(on(.timer, 2) == .examineWriters)
    let (action, time) = try #require(next())
    #expect(action == snapshot(.atMost) && time == .seconds(300))
  }

  @Test mutating func `with openFiles capture nobody is asked`() {
    settler = Settler(policy: SettlePolicy(openFiles: .capture))
    _ = on(.changed, 0)
    _ = on(.writers(open: true), 1)
    #expect(on(.timer, 2) == snapshot(.quiet))
  }

  @Test mutating func `minInterval keeps snapshots apart, boundaries and requests ignore it`() {
    let rule = SettleRequest(kind: .rule, name: "done")
    let manual = SettleRequest(kind: .manual, ticket: 7)
    _ = on(.started(dirty: true), 0)
    capture(from: 0, to: 0.1)
    _ = on(.changed, 1)
    #expect(settler.deadline == .seconds(10))
    #expect(on(.requested(rule), 4) == snapshot(.rule, rule))
    capture(from: 4, to: 4.5)
    _ = on(.changed, 5)
    #expect(on(.requested(manual), 5) == snapshot(.manual, manual))
    capture(from: 5, to: 5.5)
    _ = on(.changed, 6)
    #expect(settler.deadline == .seconds(15))
  }

  @Test mutating func `what changed before the start is captured at once`() {
    #expect(on(.started(dirty: false), 0) == .nothing)
    #expect(settler.deadline == nil)
    #expect(on(.started(dirty: true), 1) == snapshot(.start))
  }

  @Test mutating func `changes during a capture are for the next one`() {
    _ = on(.started(dirty: true), 0)
    #expect(on(.changed, 0.5) == .nothing)
    #expect(on(.snapshotStarted, 1) == .nothing)
    #expect(!settler.isDirty)
    #expect(on(.changed, 2) == .nothing)
    #expect(settler.deadline == nil)
    #expect(on(.snapshotFinished(stillDirty: false), 30) == .examineWriters)
    #expect(on(.writers(open: false), 30) == snapshot(.quiet))
  }

  @Test mutating func `what a capture left is dirty from its end on`() {
    _ = on(.started(dirty: true), 0)
    _ = on(.snapshotStarted, 0)
    _ = on(.snapshotFinished(stillDirty: true), 20)
    #expect(settler.dirtySince == .seconds(20))
    #expect(settler.deadline == .seconds(22))
  }

  @Test mutating func `a failed snapshot is tried again with back-off`() throws {
    settler = Settler(policy: SettlePolicy(minInterval: .zero))
    _ = on(.changed, 0)
    #expect(on(.timer, 2) == .examineWriters)
    #expect(on(.writers(open: false), 2) == snapshot(.quiet))
    var time = 2.0
    for (failure, wait) in [1.0, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300].enumerated() {
      _ = on(.snapshotStarted, time)
      #expect(on(.snapshotFailed, time) == .nothing)
      #expect(settler.failureCount == failure + 1)
      #expect(settler.dirtySince == .zero)
      #expect(settler.deadline == .seconds(time + wait))
      #expect(on(.timer, time + wait - 0.01) == .nothing)
      var action = on(.timer, time + wait)
      if action == .examineWriters { action = on(.writers(open: false), time + wait) }
      time += wait
      #expect(action == snapshot(time < 300 ? .quiet : .atMost))
    }
    _ = on(.snapshotStarted, time)
    _ = on(.snapshotFinished(stillDirty: false), time)
    #expect(settler.failureCount == 0 && settler.deadline == nil)
  }

  @Test mutating func `a capture that fails before its barrier loses nothing`() {
    _ = on(.changed, 0)
    _ = on(.timer, 2)
    #expect(on(.writers(open: false), 2) == snapshot(.quiet))
    #expect(on(.snapshotFailed, 2) == .nothing)
    #expect(settler.dirtySince == .zero && settler.deadline == .seconds(3))
  }

  @Test mutating func `a rule that fired is tried again, a command is told`() {
    let rule = SettleRequest(kind: .rule, name: "done", ticket: 1)
    let manual = SettleRequest(kind: .manual, ticket: 2)
    #expect(on(.requested(rule), 0) == snapshot(.rule, rule))
    #expect(on(.requested(manual), 0) == .nothing)
    // The command goes first, whatever the back-off.
    #expect(on(.snapshotFailed, 0) == snapshot(.manual, manual))
    #expect(on(.snapshotFailed, 0) == .nothing)
    #expect(settler.deadline == .seconds(2))
    #expect(on(.timer, 2) == snapshot(.rule, rule))
  }

  @Test mutating func `rules that fire together make one snapshot that names them by priority`() {
    let threshold = SettleRequest(kind: .rule, priority: .threshold, name: "big")
    let marker = SettleRequest(kind: .rule, priority: .marker, name: "done")
    let hourly = SettleRequest(kind: .schedule, name: "hourly")
    _ = on(.started(dirty: true), 0)
    for rule in [hourly, threshold, marker] { #expect(on(.requested(rule), 1) == .nothing) }
    _ = on(.snapshotStarted, 1)
    #expect(
      on(.snapshotFinished(stillDirty: false), 2) == snapshot(.rule, marker, threshold, hourly))
  }

  @Test mutating func `each command has a snapshot of its own, before stages and rules`() {
    let rule = SettleRequest(kind: .rule, name: "done")
    let stage = SettleRequest(kind: .stage, name: "clean")
    let first = SettleRequest(kind: .manual, ticket: 1)
    let second = SettleRequest(kind: .manual, ticket: 2)
    _ = on(.started(dirty: true), 0)
    for request in [rule, stage, first, second] { _ = on(.requested(request), 0) }
    for expected in [snapshot(.manual, first), snapshot(.manual, second), snapshot(.stage, stage)] {
      _ = on(.snapshotStarted, 1)
      #expect(on(.snapshotFinished(stillDirty: false), 1) == expected)
    }
    _ = on(.snapshotStarted, 1)
    #expect(on(.snapshotFinished(stillDirty: false), 1) == snapshot(.rule, rule))
  }

  @Test mutating func `a pause holds what is automatic, and has no deadline`() {
    let manual = SettleRequest(kind: .manual)
    _ = on(.paused, 0)
    _ = on(.changed, 1)
    #expect(settler.isPaused && settler.deadline == nil)
    #expect(on(.timer, 400) == .nothing)
    #expect(on(.requested(manual), 500) == snapshot(.manual, manual))
    capture(from: 500, to: 501)
    _ = on(.changed, 502)
    #expect(settler.deadline == nil)
    #expect(on(.resumed, 515) == .examineWriters)
  }

  @Test mutating func `what a pause held back has all of atMost from its end`() {
    _ = on(.paused, 0)
    _ = on(.changed, 1)
    _ = on(.changed, 999)
    // Long past the first change's atMost, and in the midst of a write.
    #expect(on(.resumed, 1000) == .nothing)
    #expect(settler.dirtySince == .seconds(1))
    #expect(settler.deadline == .seconds(1001))
    // One that is not there ends nothing.
    _ = on(.changed, 1000.5)
    _ = on(.resumed, 1100)
    _ = on(.writers(open: true), 1100)
    #expect(settler.deadline == .seconds(1300))
  }

  @Test mutating func `own writes are captured by their own request`() {
    let restore = SettleRequest(kind: .restore, ticket: 3)
    _ = on(.ownWritesBegan, 0)
    _ = on(.changed, 1)
    #expect(settler.deadline == nil)
    #expect(on(.timer, 1000) == .nothing)
    #expect(on(.requested(restore), 1000) == snapshot(.restore, restore))
    capture(from: 1000, to: 1001)
    #expect(on(.ownWritesEnded, 1001) == .nothing)
    #expect(settler.deadline == nil)
  }

  @Test mutating func `own writes that broke off settle like others, from their end on`() {
    _ = on(.ownWritesBegan, 0)
    _ = on(.ownWritesBegan, 0)
    _ = on(.changed, 1)
    _ = on(.ownWritesEnded, 50)
    #expect(settler.deadline == nil)
    #expect(on(.ownWritesEnded, 100) == .nothing)
    #expect(settler.deadline == .seconds(102))
  }

  @Test mutating func `a folder that is unavailable is not captured`() {
    _ = on(.changed, 0)
    _ = on(.unavailable, 1)
    #expect(settler.deadline == nil)
    #expect(on(.timer, 500) == .nothing)
    #expect(on(.available, 500) == snapshot(.atMost))
  }

  @Test mutating func `stopping takes a last snapshot if something is dirty`() {
    _ = on(.changed, 0)
    #expect(on(.stopping, 0.1) == snapshot(.stop))
    #expect(settler.deadline == nil)
    _ = on(.snapshotStarted, 0.1)
    #expect(on(.snapshotFinished(stillDirty: true), 0.2) == .stopped)
  }

  @Test mutating func `stopping with nothing to do is done at once`() {
    #expect(on(.stopping, 0) == .stopped)
  }

  @Test mutating func `stopping waits for the capture that runs, and tries once`() {
    _ = on(.started(dirty: true), 0)
    _ = on(.snapshotStarted, 0)
    _ = on(.changed, 1)
    #expect(on(.stopping, 2) == .nothing)
    #expect(on(.snapshotFinished(stillDirty: false), 3) == snapshot(.stop))
    #expect(on(.snapshotFailed, 4) == .stopped)
  }

  @Test mutating func `stopping leaves a paused or unavailable folder alone`() {
    _ = on(.changed, 0)
    _ = on(.paused, 0)
    #expect(on(.stopping, 1) == .stopped)
    settler = Settler(policy: Self.policy)
    _ = on(.changed, 0)
    _ = on(.unavailable, 0)
    #expect(on(.stopping, 1) == .stopped)
  }

  @Test mutating func `a new policy counts at once`() {
    _ = on(.changed, 0)
    #expect(on(.policyChanged(SettlePolicy(quiet: .milliseconds(100))), 0.05) == .nothing)
    #expect(settler.deadline == .milliseconds(100))
    #expect(
      on(.policyChanged(SettlePolicy(quiet: .milliseconds(10), openFiles: .capture)), 0.06)
        == snapshot(.quiet))
  }

  @Test mutating func `reports without an order change nothing`() {
    #expect(on(.snapshotStarted, 0) == .nothing)
    #expect(on(.snapshotFinished(stillDirty: true), 0) == .nothing)
    #expect(on(.snapshotFailed, 0) == .nothing)
    #expect(!settler.isDirty && settler.failureCount == 0 && settler.deadline == nil)
  }
}
