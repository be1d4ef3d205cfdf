internal import DTMSystem
internal import Logging
internal import ServiceLifecycle
internal import UnixSignals

/// Runs a daemon until the group that it is in shuts down.
struct DaemonService: Service {
  let daemon: Daemon

  func run() async throws {
    let executor = try BlockingExecutor(name: "service", threads: 1)
    defer { executor.shutDown() }
    let daemon = daemon
    try await Task(executorPreference: executor) { try daemon.start() }.value
    // Ends with the group; that it was cancelled instead is the same to us.
    try? await gracefulShutdown()
    await Task(executorPreference: executor) { daemon.stop() }.value
  }
}

/// Reloads a daemon at each SIGHUP.
struct ReloadService: Service {
  let daemon: Daemon

  func run() async throws {
    let signals = await UnixSignalsSequence(trapping: .sighup)
    for await _ in signals.cancelOnGracefulShutdown() { daemon.reload() }
  }
}

extension Daemon {
  /// Runs until SIGTERM or SIGINT; SIGHUP reloads. Throws what `start` throws.
  func runUntilSignalled() async throws {
    // The group's own messages are of no use to those who read a daemon's log.
    let quiet = Logger(label: "lifecycle") { _ in SwiftLogNoOpLogHandler() }
    let group = ServiceGroup(
      configuration: ServiceGroupConfiguration(
        services: [
          .init(service: ReloadService(daemon: self), successTerminationBehavior: .ignore),
          .init(service: DaemonService(daemon: self)),
        ],
        gracefulShutdownSignals: [.sigterm, .sigint], logger: quiet))
    try await group.run()
  }
}
