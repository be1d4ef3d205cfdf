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

/// Captures that fail, and folders and repositories that are not there.
@Suite struct FolderTroubleTests {
  @Test func `a set that the engine can't build on becomes a scan`() throws {
    let fixture = try ServiceFixture()
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
    let fixture = try ServiceFixture(
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
    let fixture = try ServiceFixture(settle: ServiceFixture.byHand)
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

  @Test func `a folder that is gone is unprotected, and no snapshot is taken of it`() throws {
    let fixture = try ServiceFixture()
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
    let fixture = try ServiceFixture(time: time) { _, engines in
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
    let fixture = try ServiceFixture(time: ManualTimeSource()) { _, engines in
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
}
