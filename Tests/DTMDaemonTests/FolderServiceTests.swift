import DTMConfiguration
import DTMControl
import DTMDaemon
import DTMRules
import DTMSystem
import DTMTestSupport
import DTMWatch
import Glibc
import SystemPackage
import Testing

/// A folder under a service with fake engines and the real watcher.
private final class Fixture {
  let directory: TestDirectory
  let engines = FakeEngines()
  let log = LogLines()
  let service: FolderService

  init(
    settle: SettlePolicy = SettlePolicy(
      quiet: .milliseconds(20), atMost: .seconds(5), minInterval: .zero),
    time: any TimeSource = SystemTimeSource(),
    prepare: (TestDirectory, FakeEngines) throws -> Void = { _, _ in }
  ) throws {
    directory = try TestDirectory()
    try directory.makeDirectory("lake")
    try directory.write("lake/first", "1")
    try prepare(directory, engines)
    service = try FolderService(
      .test(directory.path.appending("lake"), settle: settle), engines: engines, time: time,
      logger: log.logger())
  }

  deinit {
    engines.state.update { $0.isGateOpen = true }
    service.stop()
    service.join()
  }

  /// Settles only when asked.
  static let byHand = SettlePolicy(
    quiet: .seconds(3600), atMost: .seconds(86400), minInterval: .seconds(3600))

  func write(_ name: String, _ text: String = "x") throws {
    try directory.write("lake/\(name)", text)
  }

  func snapshot(
    _ change: (inout SnapshotRequest) -> Void = { _ in }
  ) -> Answer<Result<SnapshotOutcome, DaemonFault>> {
    let answer = Answer<Result<SnapshotOutcome, DaemonFault>>()
    var request = SnapshotRequest(folder: "lake")
    change(&request)
    service.snapshot(request, user: 7) { answer.give($0) }
    return answer
  }

  func wait(
    quiet: Duration? = nil, timeout: Duration? = .seconds(20)
  ) -> Answer<Result<SnapshotSummary?, DaemonFault>> {
    let answer = Answer<Result<SnapshotSummary?, DaemonFault>>()
    _ = service.wait(WaitRequest(folder: "lake", quiet: quiet, timeout: timeout)) {
      answer.give($0)
    }
    return answer
  }

  /// Lets seconds pass until the orders are as asked.
  func passTime(_ time: ManualTimeSource, until isReached: ([CaptureOrder]) -> Bool) -> Bool {
    eventually {
      time.advance(by: .seconds(1))
      service.look()
      return isReached(engines.orders)
    }
  }

  /// Waits for the first snapshot and for everything to be captured.
  func settleIn() throws {
    _ = engines.waitForOrders(1)
    #expect(eventually { service.status.phase == .idle && service.status.state == .protected })
  }
}

extension CaptureOrder {
  fileprivate func marks(_ path: String) -> Bool {
    PathKey(path).map { changes.covers($0) } ?? false
  }
}

@Suite struct FolderServiceTests {
  @Test func `what is there is captured by a scan, what changes then by its events`() throws {
    let fixture = try Fixture()
    try fixture.settleIn()
    try fixture.write("second")
    let orders = fixture.engines.waitForOrders(2)
    #expect(orders[0].basis == .scan)
    #expect(orders[0].trigger == .start)
    #expect(orders[1].basis == .events)
    #expect(orders[1].trigger == .quiet)
    #expect(orders[1].changes.baseClock == orders[0].changes.endClock)
    #expect(orders[1].marks("second"))
    #expect(!orders[1].marks("first"))
    #expect(!orders[1].isForced)
  }

  @Test func `a write that takes no part is no reason for a snapshot`() throws {
    let fixture = try Fixture()
    try fixture.settleIn()
    try fixture.write("ignored")
    _ = try fixture.wait().wait().get()
    #expect(fixture.engines.orders.count == 1)
  }

  @Test func `the sets of all captures follow each other without a gap`() throws {
    let fixture = try Fixture()
    try fixture.settleIn()
    for number in 0..<10 {
      try fixture.write("file\(number)")
      _ = try fixture.wait().wait().get()
      // Seen, and nothing to look at in the end.
      try fixture.write("ignored")
    }
    let orders = fixture.engines.orders
    for (earlier, later) in zip(orders, orders.dropFirst()) {
      #expect(later.changes.baseClock == earlier.changes.endClock)
    }
    #expect(orders.dropFirst().allSatisfy { $0.basis == .events })
  }

  @Test func `waiting ends when what was written before is in a snapshot`() throws {
    let fixture = try Fixture()
    try fixture.settleIn()
    for number in 1...20 {
      try fixture.write("file\(number)")
      let snapshot = try fixture.wait().wait().get()
      #expect(fixture.engines.orders.contains { $0.basis == .events && $0.marks("file\(number)") })
      #expect(snapshot?.id == fixture.engines.state.withLock { $0.newest?.id })
    }
  }

  @Test func `waiting where nothing is to be captured ends at once`() throws {
    let fixture = try Fixture()
    try fixture.settleIn()
    _ = try fixture.wait(timeout: nil).wait().get()
    #expect(fixture.engines.orders.count == 1)
  }

  @Test func `waiting is busy when its time is over`() throws {
    let fixture = try Fixture(settle: Fixture.byHand)
    try fixture.settleIn()
    try fixture.write("second")
    guard case .failure(.busy) = try fixture.wait(timeout: .milliseconds(30)).wait() else {
      Issue.record("not busy")
      return
    }
    #expect(fixture.engines.orders.count == 1)
  }

  @Test func `waiting for quiet waits for it after the last write`() throws {
    let fixture = try Fixture()
    try fixture.settleIn()
    try fixture.write("second")
    let began = ContinuousClock.now
    _ = try fixture.wait(quiet: .milliseconds(300)).wait().get()
    #expect(ContinuousClock.now - began >= .milliseconds(250))
    #expect(fixture.engines.orders.contains { $0.marks("second") && $0.basis == .events })
  }

  @Test func `who abandons a wait has no answer, and the others have`() throws {
    let fixture = try Fixture(settle: Fixture.byHand)
    try fixture.settleIn()
    try fixture.write("second")
    let first = Answer<Result<SnapshotSummary?, DaemonFault>>()
    let abandon = fixture.service.wait(WaitRequest(folder: "lake")) { first.give($0) }
    let second = fixture.wait()
    abandon()
    _ = try fixture.snapshot().wait().get()
    _ = try second.wait().get()
    #expect(first.now == nil)
  }

  @Test func `a snapshot by hand is taken at once and carries what was asked`() throws {
    let fixture = try Fixture(settle: Fixture.byHand)
    try fixture.settleIn()
    try fixture.write("second")
    let outcome = try fixture.snapshot { request in
      request.message = "by hand"
      request.labels = ["run": "7"]
      request.tag = "v1"
      request.pin = true
      request.time = Timestamp(seconds: 5)
    }.wait().get()
    #expect(outcome.isCreated)
    #expect(outcome.snapshot.basis == .events)
    let order = try #require(fixture.engines.orders.last)
    #expect(order.trigger == .manual)
    #expect(order.marks("second"))
    #expect(order.message == "by hand")
    #expect(order.labels == ["run": "7"])
    #expect(order.tag == "v1")
    #expect(order.isPinned)
    #expect(order.time == Timestamp(seconds: 5))
    #expect(order.isForced)
    #expect(order.user == 7)
  }

  @Test func `a snapshot by hand may look at everything`() throws {
    let fixture = try Fixture(settle: Fixture.byHand)
    try fixture.settleIn()
    let scan = try fixture.snapshot { $0.look = .scan }.wait().get()
    #expect(scan.snapshot.basis == .scan)
    let full = try fixture.snapshot { $0.look = .full }.wait().get()
    #expect(full.snapshot.basis == .full)
  }

  @Test func `a snapshot only if something changed may find nothing`() throws {
    let fixture = try Fixture(settle: Fixture.byHand)
    try fixture.settleIn()
    fixture.engines.state.update { $0.findsChanges = false }
    let outcome = try fixture.snapshot { $0.ifChanged = true }.wait().get()
    #expect(!outcome.isCreated)
    #expect(outcome.snapshot.id == fixture.engines.state.withLock { $0.newest?.id })
  }

  @Test func `a trigger that nobody may ask for is refused`() throws {
    let fixture = try Fixture()
    for kind in ["quiet", "start", "nonsense"] {
      let answer = try fixture.snapshot { $0.kind = kind }.wait()
      guard case .failure(.invalidParameter("kind")) = answer else {
        Issue.record("\(kind) was not refused")
        continue
      }
    }
  }

  @Test func `a set that the engine can't build on becomes a scan`() throws {
    let fixture = try Fixture()
    try fixture.settleIn()
    fixture.engines.state.update { $0.failures = [FolderEngineError(.refused, "other base")] }
    try fixture.write("second")
    _ = try fixture.wait().wait().get()
    let orders = fixture.engines.orders
    #expect(orders.map(\.basis) == [.scan, .events, .scan])
    #expect(fixture.service.status.state == .protected)
  }

  @Test func `a failed capture is said, and tried again with the same changes`() throws {
    let time = ManualTimeSource()
    let fixture = try Fixture(
      settle: SettlePolicy(quiet: .zero, atMost: .seconds(5), minInterval: .zero), time: time)
    try fixture.settleIn()
    fixture.engines.state.update { $0.failures = [FolderEngineError(.noSpace, "the disk is full")] }
    try fixture.write("second")
    #expect(fixture.engines.waitForOrders(2).count == 2)
    #expect(eventually { fixture.service.status.state == .unprotected })
    #expect(fixture.service.status.reasons.contains { $0.contains("the disk is full") })
    try fixture.write("third")
    #expect(fixture.passTime(time) { $0.count == 3 })
    let order = fixture.engines.orders[2]
    #expect(order.marks("second"))
    #expect(order.basis == .events)
    #expect(eventually { fixture.service.status.state == .protected })
    #expect(fixture.log.all.filter { $0.contains("event=snapshotFailed") }.count == 1)
    #expect(fixture.log.all.contains { $0.contains("event=folderUnprotected") })
  }

  @Test func `who asked for a snapshot that fails is told why`() throws {
    let fixture = try Fixture(settle: Fixture.byHand)
    try fixture.settleIn()
    for (error, fault) in [
      (
        FolderEngineError(.noSpace, "the disk is full", path: "a/b"),
        DaemonFault.snapshotFailed(reason: "the disk is full", path: "a/b")
      ),
      (FolderEngineError(.locked, "pid 7 captures"), .busy(reason: "pid 7 captures")),
      (FolderEngineError(.permissionDenied, "no"), .permissionDenied(reason: "no")),
    ] {
      fixture.engines.state.update { $0.failures = [error] }
      guard case .failure(let found) = try fixture.snapshot().wait() else {
        Issue.record("it did not fail")
        continue
      }
      #expect(found == fault)
    }
  }

  @Test(arguments: 1...10)
  func `stopping takes a last snapshot of what changed, a moment before too`(_: Int) throws {
    let fixture = try Fixture(settle: Fixture.byHand)
    try fixture.settleIn()
    try fixture.write("second")
    fixture.service.stop()
    #expect(fixture.service.join(until: .after(.seconds(20))))
    let orders = fixture.engines.orders
    #expect(orders.count == 2)
    #expect(orders.last?.trigger == .stop)
    #expect(orders.last?.marks("second") == true)
    #expect(fixture.engines.state.withLock { $0.closed } == 1)
    #expect(fixture.log.all.contains { $0.contains("event=folderLeft") })
  }

  @Test func `stopping takes no snapshot where nothing changed`() throws {
    let fixture = try Fixture(settle: Fixture.byHand)
    try fixture.settleIn()
    let waiting = fixture.wait(quiet: .seconds(3600), timeout: nil)
    fixture.service.stop()
    #expect(fixture.service.join(until: .after(.seconds(20))))
    #expect(fixture.engines.orders.count == 1)
    guard case .failure(.busy) = try waiting.wait() else {
      Issue.record("the wait was not ended")
      return
    }
    guard case .failure(.busy) = try fixture.snapshot().wait() else {
      Issue.record("a request after the end was not refused")
      return
    }
  }

  @Test func `while a restore writes, only what it asks for is captured`() throws {
    let fixture = try Fixture()
    try fixture.settleIn()
    let began = Answer<Result<Void, DaemonFault>>()
    fixture.service.ownWritesBegan("restore") { began.give($0) }
    try began.wait().get()
    try fixture.write("restored")
    guard case .failure(.busy) = try fixture.wait(timeout: .milliseconds(100)).wait() else {
      Issue.record("an own write was captured by itself")
      return
    }
    let outcome = try fixture.snapshot { $0.kind = "restore" }.wait().get()
    #expect(outcome.isCreated)
    #expect(fixture.engines.orders.last?.trigger == .restore)
    #expect(fixture.engines.orders.last?.marks("restored") == true)
    fixture.service.ownWritesEnded("restore")
    _ = try fixture.wait().wait().get()
    #expect(fixture.engines.orders.count == 2)
    try fixture.write("later")
    _ = try fixture.wait().wait().get()
    #expect(fixture.engines.orders.count == 3)
  }

  @Test func `a folder that is gone is unprotected, and no snapshot is taken of it`() throws {
    let fixture = try Fixture()
    try fixture.settleIn()
    try fixture.directory.remove("lake")
    #expect(eventually { fixture.service.status.state == .unprotected })
    let status = fixture.service.status
    #expect(status.phase == .offline)
    #expect(status.reasons.contains { $0.contains("there is nothing at") })
    guard case .failure(.busy) = try fixture.wait().wait() else {
      Issue.record("waiting for a folder that is gone")
      return
    }
    guard case .failure = try fixture.snapshot().wait() else {
      Issue.record("a snapshot of a folder that is gone")
      return
    }
    #expect(fixture.engines.orders.count == 1)
    // It comes back with content, and is protected again by itself.
    try fixture.directory.makeDirectory("new")
    try fixture.directory.write("new/back", "1")
    let path = fixture.directory.path
    let moved = unsafe rename(path.appending("new").string, path.appending("lake").string)
    #expect(moved == 0)
    let orders = fixture.engines.waitForOrders(2)
    #expect(orders.last?.basis == .scan)
    #expect(eventually { fixture.service.status.state == .protected })
  }

  @Test func `a repository that can't be opened is said, and tried again`() throws {
    let time = ManualTimeSource()
    let fixture = try Fixture(time: time) { _, engines in
      engines.state.update {
        $0.openFailure = FolderEngineError(.unavailable, "there is no repository at /r")
      }
    }
    #expect(eventually { fixture.service.isSettledIn })
    let status = fixture.service.status
    #expect(status.state == .unprotected)
    #expect(status.reasons == ["there is no repository at /r"])
    guard case .failure(.snapshotFailed) = try fixture.snapshot().wait() else {
      Issue.record("a snapshot without a repository")
      return
    }
    // Said once, whatever failed for it.
    #expect(fixture.service.status.reasons == ["there is no repository at /r"])
    fixture.engines.state.update { $0.openFailure = nil }
    #expect(fixture.passTime(time) { $0.count == 1 })
    #expect(fixture.log.all.filter { $0.contains("event=repositoryUnavailable") }.count == 1)
  }

  @Test func `who asks does not wait for the next try to open a repository`() throws {
    let fixture = try Fixture(time: ManualTimeSource()) { _, engines in
      engines.state.update {
        $0.openFailure = FolderEngineError(.unavailable, "there is no repository at /r")
      }
    }
    #expect(eventually { fixture.service.isSettledIn })
    fixture.engines.state.update { $0.openFailure = nil }
    // As dtm init does, which made the repository just now; no time passes.
    _ = try fixture.snapshot().wait().get()
    #expect(fixture.service.status.reasons.isEmpty || fixture.service.status.state != .unprotected)
  }

  @Test func `snapshots are recorded with their particulars`() throws {
    let fixture = try Fixture(settle: Fixture.byHand)
    try fixture.settleIn()
    fixture.engines.state.update { $0.isComplete = false }
    let outcome = try fixture.snapshot().wait().get()
    let line = fixture.log.all.first { $0.contains(outcome.snapshot.id) }
    let text = try #require(line)
    for part in [
      "warning:", "event=snapshotIncomplete", "folder=lake", "trigger=manual", "basis=events",
      "durationUsec=", "files=0", "bytes=0",
    ] {
      #expect(text.contains(part), "\(part) in \(text)")
    }
  }

  @Test func `other words for settling are taken at once`() throws {
    let fixture = try Fixture(settle: Fixture.byHand)
    try fixture.settleIn()
    try fixture.write("second")
    #expect(eventually { fixture.service.status.phase != .idle })
    fixture.service.setPolicy(.test("/x"))
    let orders = fixture.engines.waitForOrders(2)
    #expect(orders.last?.trigger == .quiet)
  }

  @Test(.enabled(if: geteuid() == 0, "root acts as others"))
  func `a folder whose repository is another's is captured as that user`() throws {
    let fixture = try Fixture { directory, engines in
      engines.state.update { $0.owner = FolderOwner(uid: 65534, gid: 65534) }
      try Descriptor.open(directory.path, .readOnly).setMode(0o755)
    }
    try fixture.settleIn()
    #expect(fixture.engines.state.withLock { $0.captureUsers } == [65534])
    #expect(fixture.service.owner?.uid == 65534)
    #expect(ThreadIdentity.current.uid == 0)
  }

  @Test func `many changes while a capture runs are all in the next ones`() throws {
    let fixture = try Fixture()
    try fixture.settleIn()
    fixture.engines.state.update { $0.isGateOpen = false }
    try fixture.write("one")
    #expect(fixture.engines.waitForOrders(2).count == 2)
    #expect(eventually { fixture.service.status.phase == .snapshotting })
    for number in 0..<100 { try fixture.write("during\(number)") }
    let waiting = fixture.wait()
    fixture.engines.state.update { $0.isGateOpen = true }
    _ = try waiting.wait().get()
    let later = fixture.engines.orders.dropFirst(2)
    for number in 0..<100 {
      #expect(later.contains { $0.marks("during\(number)") }, "during\(number)")
    }
    #expect(later.allSatisfy { $0.basis == .events })
  }
}
