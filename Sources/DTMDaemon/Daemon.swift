internal import DTMConfiguration
internal import DTMControl
package import DTMSystem
package import Logging
internal import Synchronization
internal import SystemPackage

/// The daemon: it reads its configuration, protects the folders and answers on the control socket.
///
/// `start` and `stop` block: call them on threads that may.
package final class Daemon: Sendable {
  /// Everybody may connect: who may do what is decided by who is there (`SO_PEERCRED`).
  private static let socketMode: UInt32 = 0o666

  private let options: DaemonOptions
  private let configuration: Configuration
  private let logger: Logger
  private let core: DaemonCore
  private let running = Mutex<Running?>(nil)

  private struct Running {
    let server: ControlServer
    let reloader: DedicatedThread
    /// Nil where no service manager watches.
    let watchdog: Watchdog?
  }

  /// Reads the configuration. Throws `.configuration`.
  package init(
    options: DaemonOptions, engines: any FolderEngines, logger: Logger,
    time: any TimeSource = SystemTimeSource(), notifier: ServiceNotifier = .systemd
  ) throws(DaemonError) {
    self.options = options
    do throws(ConfigurationErrors) {
      configuration = try Configuration.load(from: options.configuration)
    } catch {
      throw DaemonError(.configuration, error.description)
    }
    // The configuration's level, unless the caller's is finer already.
    var logger = logger
    if let level = Logger.Level(rawValue: configuration.daemon.logLevel.rawValue) {
      logger.logLevel = min(logger.logLevel, level)
    }
    self.logger = logger
    core = DaemonCore.make(
      location: options.configuration, configuration: configuration, engines: engines, time: time,
      notifier: notifier, logger: logger)
  }

  /// Listens and begins to protect. READY is said when every folder is watched.
  ///
  /// Throws `.alreadyRunning` when another daemon listens there, `.unavailable`.
  package func start() throws(DaemonError) {
    ProcessSignals.ignoreThoseOfFiles()
    let listener = try listen()
    do throws(Errno) {
      try core.begin(configuration)
      let core = core
      let reloader = try DedicatedThread(named: "reload") { core.runReloads() }
      let server = try ControlServer(
        listener: listener, handler: DaemonHandler(core: core),
        daemonUser: core.policy.daemonUser)
      let watchdog = try watchdog(server)
      running.withLock {
        $0 = Running(server: server, reloader: reloader, watchdog: watchdog)
      }
    } catch {
      core.end()
      throw DaemonError(.unavailable, "no thread can be had", cause: error)
    }
    logger.record(
      .daemonStarted,
      [
        "version": "\(ProgramVersion.current)", "folders": "\(configuration.folders.count)",
        "files": "\(configuration.files.map(\.string).joined(separator: " "))",
      ])
  }

  /// Reads the configuration again, as `dtmd reload` does.
  package func reload() {
    _ = core.requestReload { _ in }
  }

  /// Takes a last snapshot of each folder that is dirty, and ends.
  package func stop() {
    guard let running = running.withLock({ $0.take() }) else { return }
    // Last snapshots take as long as they take: the manager has another limit for that.
    running.watchdog?.stop()
    core.end()
    running.reloader.join()
    running.server.stop()
    logger.record(.daemonStopped)
  }

  /// Feeds the service manager's watchdog while the server and every folder live.
  private func watchdog(_ server: ControlServer) throws(Errno) -> Watchdog? {
    guard let limit = core.notifier.watchdogLimit else { return nil }
    let core = core
    return try Watchdog(limit: limit, logger: logger) {
      [server] + core.roster.all.map(\.pulse)
    } feed: {
      core.notifier.watchdog()
    }
  }

  private func listen() throws(DaemonError) -> UnixListener {
    if let number = Systemd.takeListeningSocket() {
      do throws(Errno) {
        return try UnixListener(adopting: Descriptor(owning: number))
      } catch {
        throw DaemonError(.unavailable, "the socket of the service manager", cause: error)
      }
    }
    let path = try socketPath()
    do throws(Errno) {
      try makeDirectory(of: path)
      return try UnixListener(path: path, mode: Self.socketMode)
    } catch {
      if error == .addressInUse {
        throw DaemonError(.alreadyRunning, "another dtmd listens at \(path)", cause: error)
      }
      throw DaemonError(.unavailable, "can't listen at \(path)", cause: error)
    }
  }

  private func socketPath() throws(DaemonError) -> FilePath {
    if let path = options.socket ?? configuration.daemon.socket { return path }
    let path = ControlSocket.own(
      uid: core.policy.daemonUser, environment: ProcessEnvironment.variables)
    guard let path else {
      throw DaemonError(
        .unavailable, "XDG_RUNTIME_DIR is not set; say where to listen with --socket PATH")
    }
    return path
  }

  /// The socket's own directory; those above it have to be there.
  private func makeDirectory(of path: FilePath) throws(Errno) {
    let directory = path.removingLastComponent()
    guard let name = directory.lastComponent else { return }
    let files = SystemFileOperations(
      directory: try Descriptor.open(directory.removingLastComponent(), [.readOnly, .directory]))
    do throws(Errno) {
      try files.makeDirectory(name.string, mode: 0o755)
    } catch {
      if error != .fileExists { throw error }
    }
  }
}
