import DTMConfiguration
import DTMControl
import DTMDaemon
import DTMRepository
import DTMRules
import DTMSystem
import DTMTestSupport
import Testing

@Suite struct UpkeepTests {
  /// Lets minutes pass until something is so.
  private func passTime(
    _ time: ManualTimeSource, _ service: FolderService, until isReached: () -> Bool
  ) -> Bool {
    eventually {
      time.advance(by: .seconds(60))
      service.look()
      return isReached()
    }
  }

  @Test func `the repository is looked after some time after the start, and daily`() throws {
    let time = ManualTimeSource()
    let fixture = try ServiceFixture(settle: ServiceFixture.byHand, time: time)
    #expect(fixture.passTime(time) { !$0.isEmpty })
    #expect(passTime(time, fixture.service) { fixture.engines.state.withLock { $0.upkeeps } == 1 })
    #expect(eventually { fixture.log.all.contains { $0.contains("event=roomFreed") } })
    let first = time.monotonic()
    #expect(passTime(time, fixture.service) { fixture.engines.state.withLock { $0.upkeeps } == 2 })
    #expect(time.monotonic() - first > .seconds(23 * 3600))
  }

  @Test func `a failure degrades the folder until the next time`() throws {
    let time = ManualTimeSource()
    let fixture = try ServiceFixture(settle: ServiceFixture.byHand, time: time) { _, engines in
      engines.state.update { $0.upkeepFailure = FolderEngineError(.failed, "the moon is full") }
    }
    #expect(
      passTime(time, fixture.service) {
        fixture.service.status.reasons.contains { $0.contains("the moon is full") }
      })
    #expect(fixture.service.status.state == .degraded)
    #expect(fixture.log.all.contains { $0.contains("event=upkeepFailed") })
    fixture.engines.state.update { $0.upkeepFailure = nil }
    #expect(passTime(time, fixture.service) { fixture.service.status.state == .protected })
  }

  @Test func `a real history is pruned and its room freed`() throws {
    let time = ManualTimeSource()
    let fixture = try RealFixture()
    let service = try fixture.start(settle: ServiceFixture.byHand, time: time) {
      $0.keep = KeepPolicy(retention: RetentionPolicy(last: 2), grace: .zero)
    }
    func snapshot() throws {
      let answer = Answer<Result<SnapshotOutcome, DaemonFault>>()
      service.snapshot(SnapshotRequest(folder: "lake"), user: 0) { answer.give($0) }
      _ = try answer.wait().get()
    }
    for number in 0..<6 {
      var random = SplitMix(seed: UInt64(number))
      let text = (0..<20_000).map { _ in String(random.below(10)) }.joined()
      try fixture.directory.write("lake/data.csv", text)
      try snapshot()
    }
    let before = try fixture.packBytes()
    #expect(try fixture.snapshots().count > 5)
    #expect(passTime(time, service) { ((try? fixture.packBytes()) ?? before) < before / 2 })
    let left = try fixture.snapshots()
    #expect(left.count == 2)
    #expect(try Repository(at: fixture.repository).verify(readsData: true).isSound)
    // It goes on.
    try fixture.directory.write("lake/data.csv", "more")
    try snapshot()
    #expect(try fixture.content("data.csv") == "more")
  }
}

extension RealFixture {
  /// Bytes of all packs, wherever they stand.
  func packBytes() throws -> Int {
    let files = try SystemFileOperations(path: repository)
    var total = 0
    for directory in ["packs", "live", "trash"] {
      for name in try files.list(directory) {
        total += (try? files.open("\(directory)/\(name)", writable: false).size()) ?? 0
      }
    }
    return total
  }
}
