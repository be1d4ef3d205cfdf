internal import DTMConfiguration
internal import DTMControl
internal import DTMSystem
internal import Logging
internal import Synchronization
internal import SystemPackage

/// What the daemon is made of and knows, apart from its sockets and signals.
final class DaemonCore: Sendable {
  /// How many reloads may wait: each reads the files anew, so the last one sees everything.
  private static let waitingReloads = 16

  let roster: FolderRoster
  let policy: ControlPolicy
  let events: EventHub
  let time: any TimeSource
  private let location: ConfigurationLocation
  let notifier: ServiceNotifier
  private let logger: Logger
  private let started: Duration
  private let startTime: Timestamp
  private let state: Mutex<State>
  private let reloads: Mailbox<@Sendable () -> Void>
  private let metricsFile = Mutex<MetricsFile?>(nil)
  private let clockWatch = Mutex<ClockWatch?>(nil)

  private struct State {
    var configuration: ConfigurationStatus
    /// READY was said; before it the status line waits for it.
    var isReady = false
    var isStopping = false
  }

  /// `whenChanged`: what to do when a folder's state is another is known only when the core is
  /// there, so it is built in `make`.
  private init(
    roster: FolderRoster, events: EventHub, location: ConfigurationLocation,
    configuration: Configuration, policy: ControlPolicy, time: any TimeSource,
    notifier: ServiceNotifier, logger: Logger
  ) {
    self.roster = roster
    self.events = events
    self.location = location
    self.policy = policy
    self.time = time
    self.notifier = notifier
    self.logger = logger
    started = time.monotonic()
    startTime = time.now()
    reloads = Mailbox(capacity: Self.waitingReloads)
    state = Mutex(
      State(
        configuration: ConfigurationStatus(
          files: configuration.files.map(\.string), loaded: time.now())))
  }

  /// A core whose folders are not protected yet: `begin` does that.
  static func make(
    location: ConfigurationLocation, configuration: Configuration, engines: any FolderEngines,
    time: any TimeSource, notifier: ServiceNotifier, logger: Logger
  ) -> DaemonCore {
    let listener = StateListener()
    let policy = ControlPolicy(daemonUser: ThreadIdentity.processUser)
    let events = EventHub(policy: policy)
    let roster = FolderRoster(
      engines: engines, time: time, logger: logger, events: events,
      onStateChange: { listener.tell() })
    let core = DaemonCore(
      roster: roster, events: events, location: location, configuration: configuration,
      policy: policy, time: time, notifier: notifier, logger: logger)
    listener.listen { [weak core] in core?.folderChanged() }
    return core
  }

  /// Protects the folders. Throws when the system gives no thread.
  func begin(_ configuration: Configuration) throws(Errno) {
    try roster.apply(configuration)
    try keepMetrics(configuration.daemon.metricsFile)
    let watch = try ClockWatch(onChange: { [weak self] slept in self?.clockChanged(slept: slept) })
    clockWatch.withLock { $0 = watch }
    folderChanged()
  }

  /// The time of day was set, or the machine slept for so long: waits count neither, so that each folder
  /// looks at what is due now.
  func clockChanged(slept: Duration) {
    let hasSlept = slept >= .seconds(1)
    if hasSlept {
      logger.record(.machineSlept, ["seconds": "\(Int(slept / .seconds(1)))"])
    }
    for service in roster.all {
      if hasSlept { service.woke() } else { service.look() }
    }
  }

  /// Takes last snapshots and ends the folders' threads.
  func end() {
    state.withLock { $0.isStopping = true }
    notifier.stopping()
    reloads.close()
    clockWatch.withLock { $0.take() }?.stop()
    roster.stop()
    metricsFile.withLock { $0.take() }?.stop()
    events.end(at: time.now())
  }

  // MARK: - Status

  func status(of services: [FolderService]) -> DaemonStatus {
    DaemonStatus(
      version: ProgramVersion.current, pid: Int(ProcessSignals.processID),
      uptimeInSeconds: (time.monotonic() - started) / .seconds(1),
      configuration: state.withLock { $0.configuration }, folders: services.map(\.status))
  }

  /// Counters and gauges of these folders, as OpenMetrics text.
  func metrics(of services: [FolderService]) -> String {
    DaemonMetrics(
      started: startTime, configuration: state.withLock { $0.configuration },
      subscribers: events.count,
      folders: services.map { DaemonMetrics.Folder(status: $0.status, counts: $0.counts) },
      usage: .current
    ).text
  }

  /// Keeps the file of metrics where the configuration wants it. Throws when the system gives no thread.
  private func keepMetrics(_ path: FilePath?) throws(Errno) {
    let before = metricsFile.withLock { $0 }
    if before?.path == path { return }
    metricsFile.withLock { $0 = nil }
    before?.stop()
    guard let path else { return }
    let file = try MetricsFile(path: path, logger: logger) { [weak self] in
      self.map { $0.metrics(of: $0.roster.all) } ?? ""
    }
    metricsFile.withLock { $0 = file }
  }

  /// Says READY when every folder has settled in, and the status line from then on.
  private func folderChanged() {
    metricsFile.withLock { $0 }?.news()
    let services = roster.all
    let isSettledIn = services.allSatisfy(\.isSettledIn)
    let line = statusLine(services)
    state.withLock { state in
      if state.isStopping { return }
      if state.isReady {
        notifier.status(line)
      } else if isSettledIn {
        state.isReady = true
        notifier.ready(status: line)
      }
    }
  }

  private func statusLine(_ services: [FolderService]) -> String {
    let folders = services.map(\.status)
    let count = folders.count == 1 ? "1 folder" : "\(folders.count) folders"
    let troubled = folders.filter { $0.state != .protected }
    if troubled.isEmpty { return "\(count) protected" }
    let names = troubled.map { "\($0.name) \($0.state.rawValue)" }.joined(separator: ", ")
    return "\(folders.count - troubled.count) of \(count) protected; \(names)"
  }

  // MARK: - Reload

  /// Runs reloads that were asked for until the core ends; on a thread of its own.
  func runReloads() {
    while case .element(let reload) = reloads.receive() { reload() }
  }

  /// Has the configuration read again; false when too many wait for that.
  func requestReload(
    answer: @escaping @Sendable (Result<ConfigurationStatus, DaemonFault>) -> Void
  ) -> Bool {
    reloads.offer { [weak self] in
      guard let self else { return }
      answer(self.reload())
    }
  }

  /// A bad configuration is refused whole, and the running one goes on.
  private func reload() -> Result<ConfigurationStatus, DaemonFault> {
    notifier.reloading()
    defer { notifier.ready(status: statusLine(roster.all)) }
    do throws(ConfigurationErrors) {
      let configuration = try Configuration.load(from: location)
      return apply(configuration)
    } catch {
      state.withLock { $0.configuration.error = error.description }
      return .failure(refuse(error.errors))
    }
  }

  private func apply(_ configuration: Configuration) -> Result<ConfigurationStatus, DaemonFault> {
    do throws(Errno) {
      try roster.apply(configuration)
      try keepMetrics(configuration.daemon.metricsFile)
    } catch {
      return .failure(.busy(reason: "the system gives no thread: \(error)"))
    }
    let status = ConfigurationStatus(
      files: configuration.files.map(\.string), loaded: time.now())
    state.withLock { $0.configuration = status }
    logger.record(
      .configurationLoaded,
      [
        "files": "\(status.files.joined(separator: " "))",
        "folders": "\(configuration.folders.count)",
      ])
    var event = ControlEvent(.reloaded, at: status.loaded)
    event.files = status.files
    events.publish(event)
    return .success(status)
  }

  private func refuse(_ errors: [ConfigurationError]) -> DaemonFault {
    for error in errors {
      logger.record(
        .configurationRefused,
        [
          "file": "\(error.path?.string ?? "")", "line": "\(error.line ?? 0)",
          "error": "\(error.description)",
        ])
    }
    // The loader never throws without an error.
    guard let first = errors.first else { return .busy(reason: "the configuration is refused") }
    let hint = first.hint.map { "; \($0)" } ?? ""
    var event = ControlEvent(.refused, at: time.now())
    event.reason = first.description
    events.publish(event)
    return .configurationError(
      file: first.path?.string ?? "", line: first.line ?? 0, column: first.column ?? 0,
      message: first.message + hint)
  }
}

/// Passes on that a folder's state is another, to somebody who comes later.
private final class StateListener: Sendable {
  private let body = Mutex<(@Sendable () -> Void)?>(nil)

  func listen(_ body: @escaping @Sendable () -> Void) {
    self.body.withLock { $0 = body }
  }

  func tell() {
    body.withLock { $0 }?()
  }
}
