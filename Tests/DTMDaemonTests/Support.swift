import DTMConfiguration
import DTMControl
import DTMDaemon
import DTMFolder
import DTMRepository
import DTMRules
import DTMSystem
import DTMTestSupport
import DTMWatch
import Glibc
import Logging
import SystemPackage
import Testing

/// A directory that is made for one test and removed after it.
final class TestDirectory: Sendable {
  let path: FilePath

  init() throws {
    var template = Array("/tmp/dtm-daemon-XXXXXX".utf8CString)
    guard unsafe mkdtemp(&template) != nil else { throw Errno.current }
    path = FilePath(
      String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self))
  }

  deinit {
    try? removeTree(path)
  }

  func write(_ name: String, _ text: String) throws {
    try Descriptor.open(path.appending(name), [.create, .writeOnly, .truncate], mode: 0o644)
      .write(Array(text.utf8))
  }

  func makeDirectory(_ name: String) throws {
    if unsafe mkdir(path.appending(name).string, 0o755) != 0 { throw Errno.current }
  }

  func remove(_ name: String) throws {
    try removeTree(path.appending(name))
  }
}

/// Asks again and again, at each turn of a few milliseconds, until the answer is yes.
func eventually(
  within limit: Duration = .seconds(20), _ isReached: () throws -> Bool
) rethrows -> Bool {
  let pause = Monitor(())
  let deadline = Deadline.after(limit)
  while !deadline.isPast {
    if try isReached() { return true }
    let _: Bool? = pause.wait(until: .after(.milliseconds(3))) { _ in nil }
  }
  return try isReached()
}

/// Collects the lines of a log.
final class LogLines: Sendable {
  private let lines = Monitor<[String]>([])

  var all: [String] { lines.withLock { $0 } }

  func logger(level: Logger.Level = .trace) -> Logger {
    let lines = lines
    return Logger(label: "test") { _ in LineHandler(lines: lines, logLevel: level) }
  }

  private struct LineHandler: LogHandler {
    let lines: Monitor<[String]>
    var metadata: Logger.Metadata = [:]
    var metadataProvider: Logger.MetadataProvider?
    var logLevel: Logger.Level

    init(lines: Monitor<[String]>, logLevel: Logger.Level) {
      self.lines = lines
      self.logLevel = logLevel
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
      get { metadata[key] }
      set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
      let all = metadata.merging(event.metadata ?? [:]) { $1 }
      let details = all.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
      lines.update { $0.append("\(event.level): \(details.joined(separator: " "))") }
    }
  }
}

/// Engines that capture nothing and remember what they were ordered.
final class FakeEngines: FolderEngines {
  struct State: Sendable {
    var owner = FolderOwner(uid: geteuid(), gid: getegid())
    /// What opening throws.
    var openFailure: FolderEngineError?
    /// What the next captures throw, in order; nil for one that succeeds.
    var failures: [FolderEngineError?] = []
    var orders: [CaptureOrder] = []
    var newest: SnapshotSummary?
    /// Whether a capture finds something that changed.
    var findsChanges = true
    var isComplete = true
    var opened = 0
    var closed = 0
    /// How often the repository was looked after, and what that throws.
    var upkeeps = 0
    var upkeepFailure: FolderEngineError?
    /// As whom the captures ran.
    var captureUsers: [UInt32] = []
    /// Captures wait until it is open.
    var isGateOpen = true
    /// Where the engine that was opened last counts.
    var progress = WorkProgress()
  }

  let state = Monitor(State())
  /// The watcher's reader waits until it is open.
  let readerGate = Monitor(ReaderGate())

  struct ReaderGate: Sendable {
    var isOpen = true
    var waiting = 0
  }

  var orders: [CaptureOrder] { state.withLock { $0.orders } }

  /// Waits until there are so many orders.
  func waitForOrders(_ count: Int) -> [CaptureOrder] {
    let found: [CaptureOrder]? = state.wait(until: .after(.seconds(20))) { state in
      state.orders.count >= count ? state.orders : nil
    }
    return found ?? orders
  }

  func owner(of folder: FolderConfiguration) throws(FolderEngineError) -> FolderOwner {
    state.withLock { $0.owner }
  }

  func open(
    _ folder: FolderConfiguration, progress: WorkProgress
  ) throws(FolderEngineError) -> any FolderEngine {
    state.update { $0.progress = progress }
    let failure: FolderEngineError? = state.update { state in
      if state.openFailure == nil { state.opened += 1 }
      return state.openFailure
    }
    if let failure { throw failure }
    return Engine(state: state, readerGate: readerGate)
  }

  struct Engine: FolderEngine {
    let state: Monitor<State>
    let readerGate: Monitor<ReaderGate>

    var exclusion: @Sendable (PathKey, Bool) -> Bool {
      { [readerGate] key, _ in
        readerGate.update { $0.waiting += $0.isOpen ? 0 : 1 }
        let _: Bool? = readerGate.wait { $0.isOpen ? true : nil }
        return key.name == Array("ignored".utf8)
      }
    }

    func newestSnapshot() throws(FolderEngineError) -> SnapshotSummary? {
      state.withLock { $0.newest }
    }

    func capture(_ order: CaptureOrder) throws(FolderEngineError) -> CaptureResult {
      let user = ThreadIdentity.current.uid
      state.update { state in
        state.orders.append(order)
        state.captureUsers.append(user)
      }
      let _: Bool? = state.wait { $0.isGateOpen ? true : nil }
      let failure: FolderEngineError? = state.update { state in
        state.failures.isEmpty ? nil : state.failures.removeFirst()
      }
      if let failure { throw failure }
      return state.update { state in
        if !state.findsChanges, !order.isForced, state.newest != nil {
          return CaptureResult(snapshot: state.newest, isCreated: false)
        }
        let number = String(state.orders.count, radix: 16)
        let snapshot = SnapshotSummary(
          id: String(repeating: "0", count: 64 - number.count) + number,
          time: SystemTimeSource().now(), message: order.message, files: 1, bytes: 1,
          basis: order.basis, isComplete: state.isComplete)
        state.newest = snapshot
        var result = CaptureResult(snapshot: snapshot, isCreated: true)
        result.changedEntries = order.changes.marks.count
        return result
      }
    }

    func isOpenForWriting(_ files: [PathKey]) -> Bool { !files.isEmpty }

    func takingPart(_ keys: [PathKey], areDirectories: Bool) -> [PathKey] { keys }

    func audit(
      after cursor: PathKey?, clock: String, limit: Int
    ) throws(FolderEngineError) -> AuditPart {
      AuditPart()
    }

    func confirm(
      _ suspects: [AuditSuspect], clock: String
    ) throws(FolderEngineError) -> AuditVerdict {
      AuditVerdict()
    }

    func decide(_ wish: StageWish) throws(FolderEngineError) -> StageDecision {
      let run = wish.run ?? "fresh"
      let fact = StageFact(
        StageKey(run: run, stage: wish.stage, attempt: wish.attempt ?? 1), wish.event)
      return .new(fact)
    }

    func snapshot(_ id: ObjectID) throws(FolderEngineError) -> SnapshotSummary {
      throw FolderEngineError(.failed, "there are no old snapshots")
    }

    var checks: @Sendable (ProgramStarter, SharedFlag) throws -> any SnapshotChecks {
      { _, _ in throw FolderEngineError(.failed, "there are no checks") }
    }

    var upkeep: @Sendable (SharedFlag) throws(FolderEngineError) -> UpkeepReport {
      { [state] _ throws(FolderEngineError) in
        state.update { $0.upkeeps += 1 }
        if let failure = state.withLock({ $0.upkeepFailure }) { throw failure }
        var report = UpkeepReport()
        report.prunedSnapshots = 1
        return report
      }
    }

    func ruleMemory() throws(FolderEngineError) -> RuleMemory { RuleMemory() }

    func paths(
      where isWanted: (PathKey, Bool) -> Bool
    ) throws(FolderEngineError) -> [(key: PathKey, isDirectory: Bool)] { [] }

    func annotate(_ id: String, _ note: RuleNote) throws(FolderEngineError) {}

    func evidence(
      from before: String, to after: String
    ) throws(FolderEngineError) -> GuardEvidence { GuardEvidence(files: 1) }

    func raise(
      _ alarm: Guard.Alarm, of policy: GuardPolicy, after former: GuardRecord?
    ) throws(FolderEngineError) -> GuardRecord {
      throw FolderEngineError(.failed, "there is no ref log")
    }

    func releaseGuard() throws(FolderEngineError) {}

    func guardRecords() throws(FolderEngineError) -> [GuardRecord] { [] }

    func close() {
      state.update { $0.closed += 1 }
    }
  }
}

extension FolderConfiguration {
  /// A folder for tests: settles fast.
  static func test(
    _ path: FilePath, name: String = "lake",
    settle: SettlePolicy = SettlePolicy(
      quiet: .milliseconds(20), atMost: .seconds(5), minInterval: .zero)
  ) -> FolderConfiguration {
    FolderConfiguration(
      name: name, path: path, settle: settle,
      source: ConfigurationSource(file: "/test", line: 1, column: 1, isDropIn: false))
  }
}

/// An answer that comes from another thread.
final class Answer<Value: Sendable>: Sendable {
  private let value = Monitor<Value?>(nil)

  func give(_ value: Value) {
    self.value.update { $0 = value }
  }

  /// The answer so far.
  var now: Value? { value.withLock { $0 } }

  func wait(within limit: Duration = .seconds(20)) throws -> Value {
    let found: Value? = value.wait(until: .after(limit)) { $0 }
    return try #require(found, "no answer came")
  }
}
