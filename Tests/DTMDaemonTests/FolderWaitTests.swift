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

/// Waiting until what was written is in a snapshot.
@Suite struct FolderWaitTests {
  @Test func `waiting ends when what was written before is in a snapshot`() throws {
    let fixture = try ServiceFixture()
    try fixture.settleIn()
    for number in 1...20 {
      try fixture.write("file\(number)")
      let snapshot = try fixture.wait().wait().get()
      #expect(fixture.engines.orders.contains { $0.basis == .events && $0.marks("file\(number)") })
      #expect(snapshot?.id == fixture.engines.state.withLock { $0.newest?.id })
    }
  }

  @Test func `waiting where nothing is to be captured ends at once`() throws {
    let fixture = try ServiceFixture()
    try fixture.settleIn()
    _ = try fixture.wait(timeout: nil).wait().get()
    #expect(fixture.engines.orders.count == 1)
  }

  @Test func `waiting after the first look ends at once, however long quiet has to be`() throws {
    let fixture = try ServiceFixture(settle: ServiceFixture.byHand)
    try fixture.settleIn()
    _ = try fixture.wait(timeout: .seconds(2)).wait().get()
    #expect(fixture.engines.orders.count == 1)
  }

  @Test func `waiting is busy when its time is over`() throws {
    let fixture = try ServiceFixture(settle: ServiceFixture.byHand)
    try fixture.settleIn()
    try fixture.write("second")
    let answer = try fixture.wait(timeout: .milliseconds(30)).wait()
    guard case .failure(.busy(let reason)) = answer else {
      Issue.record("not busy")
      return
    }
    #expect(reason == "the time is over, and not everything is in a snapshot yet")
    #expect(fixture.engines.orders.count == 1)
  }

  @Test func `waiting for quiet waits for it after the last write`() throws {
    let fixture = try ServiceFixture()
    try fixture.settleIn()
    try fixture.write("second")
    let began = ContinuousClock.now
    _ = try fixture.wait(quiet: .milliseconds(300)).wait().get()
    #expect(ContinuousClock.now - began >= .milliseconds(250))
    #expect(fixture.engines.orders.contains { $0.marks("second") && $0.basis == .events })
  }

  @Test func `of a folder where nothing happened it is not said that it was quiet before`() throws {
    let fixture = try ServiceFixture(settle: ServiceFixture.byHand)
    try fixture.settleIn()
    let answer = try fixture.wait(quiet: .seconds(3600), timeout: .milliseconds(30)).wait()
    guard case .failure(.busy(let reason)) = answer else {
      Issue.record("not busy")
      return
    }
    // Everything is in a snapshot, and nothing else is said.
    #expect(reason == "the time is over, and the folder was not quiet for so long")
  }

  @Test func `who abandons a wait has no answer, and the others have`() throws {
    let fixture = try ServiceFixture(settle: ServiceFixture.byHand)
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
}
