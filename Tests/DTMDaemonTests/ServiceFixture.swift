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
final class ServiceFixture {
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
  func marks(_ path: String) -> Bool {
    PathKey(path).map { changes.covers($0) } ?? false
  }
}
