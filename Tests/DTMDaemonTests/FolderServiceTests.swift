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

/// What is captured, and when.
@Suite struct FolderServiceTests {
  @Test func `what is there is captured by a scan, what changes then by its events`() throws {
    let fixture = try ServiceFixture()
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
    let fixture = try ServiceFixture()
    try fixture.settleIn()
    try fixture.write("ignored")
    _ = try fixture.wait().wait().get()
    #expect(fixture.engines.orders.count == 1)
  }

  @Test func `the sets of all captures follow each other without a gap`() throws {
    let fixture = try ServiceFixture()
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

  @Test func `a snapshot by hand is taken at once and carries what was asked`() throws {
    let fixture = try ServiceFixture(settle: ServiceFixture.byHand)
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
    let fixture = try ServiceFixture(settle: ServiceFixture.byHand)
    try fixture.settleIn()
    let scan = try fixture.snapshot { $0.look = .scan }.wait().get()
    #expect(scan.snapshot.basis == .scan)
    let full = try fixture.snapshot { $0.look = .full }.wait().get()
    #expect(full.snapshot.basis == .full)
  }

  @Test func `a snapshot only if something changed may find nothing`() throws {
    let fixture = try ServiceFixture(settle: ServiceFixture.byHand)
    try fixture.settleIn()
    fixture.engines.state.update { $0.findsChanges = false }
    let outcome = try fixture.snapshot { $0.ifChanged = true }.wait().get()
    #expect(!outcome.isCreated)
    #expect(outcome.snapshot.id == fixture.engines.state.withLock { $0.newest?.id })
  }

  @Test func `a trigger that nobody may ask for is refused`() throws {
    let fixture = try ServiceFixture()
    for kind in ["quiet", "start", "nonsense"] {
      let answer = try fixture.snapshot { $0.kind = kind }.wait()
      guard case .failure(.invalidParameter("kind")) = answer else {
        Issue.record("\(kind) was not refused")
        continue
      }
    }
  }

  @Test(arguments: 1...10)
  func `stopping takes a last snapshot of what changed, a moment before too`(_: Int) throws {
    let fixture = try ServiceFixture(settle: ServiceFixture.byHand)
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
    let fixture = try ServiceFixture(settle: ServiceFixture.byHand)
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
    let fixture = try ServiceFixture()
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

  @Test func `snapshots are recorded with their particulars`() throws {
    let fixture = try ServiceFixture(settle: ServiceFixture.byHand)
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
    let fixture = try ServiceFixture(settle: ServiceFixture.byHand)
    try fixture.settleIn()
    try fixture.write("second")
    #expect(eventually { fixture.service.status.phase != .idle })
    fixture.service.setPolicy(.test("/x"))
    let orders = fixture.engines.waitForOrders(2)
    #expect(orders.last?.trigger == .quiet)
  }

  @Test(.enabled(if: geteuid() == 0, "root acts as others"))
  func `a folder whose repository is another's is captured as that user`() throws {
    let fixture = try ServiceFixture { directory, engines in
      engines.state.update { $0.owner = FolderOwner(uid: 65534, gid: 65534) }
      try Descriptor.open(directory.path, .readOnly).setMode(0o755)
    }
    try fixture.settleIn()
    #expect(fixture.engines.state.withLock { $0.captureUsers } == [65534])
    #expect(fixture.service.owner?.uid == 65534)
    #expect(ThreadIdentity.current.uid == 0)
  }

  @Test func `many changes while a capture runs are all in the next ones`() throws {
    let fixture = try ServiceFixture()
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
