internal import DTMConfiguration
internal import DTMControl
internal import DTMSystem
internal import Logging
internal import SystemPackage

/// What `dtmd` does: its verbs, each returning the exit status.
package struct DaemonProgram: Sendable {
  private let environment: [String: String]

  /// A program with the process's environment.
  package init() {
    environment = ProcessEnvironment.variables
  }

  /// `dtmd run`: protects the configured folders until SIGTERM or SIGINT; SIGHUP reloads. Called on
  /// the main thread, while it is the only one.
  ///
  /// `configuration`, `socket`: paths that were named. `log`: nil for the journal where it is.
  package func run(
    configuration: String?, socket: String?, log: LogDestination?, engines: any FolderEngines
  ) -> Int32 {
    let isTerminal = StandardStream.error.isTerminal
    let destination = log ?? .automatic(isTerminal: isTerminal)
    var options = DaemonOptions(configuration: location(named: configuration))
    options.socket = (socket ?? environment["DTM_SOCKET"]).map { FilePath($0) }
    do throws(DaemonError) {
      let daemon = try Daemon(
        options: options, engines: engines,
        logger: destination.logger(level: .critical, isTerminal: isTerminal))
      try runUntilStopped(daemon)
      return 0
    } catch {
      return ProgramFailure(error).tell()
    }
  }

  private func runUntilStopped(_ daemon: Daemon) throws(DaemonError) {
    let signals = try onSignals { () throws(Errno) in try LifecycleSignals() }
    try daemon.start()
    defer { daemon.stop() }
    try onSignals { () throws(Errno) in
      while case .reload = try signals.next() { daemon.reload() }
    }
  }

  private func onSignals<Value>(
    _ body: () throws(Errno) -> Value
  ) throws(DaemonError) -> Value {
    do throws(Errno) {
      return try body()
    } catch {
      throw DaemonError(.unavailable, "signals can't be waited for", cause: error)
    }
  }

  /// `dtmd status`: 0 every folder is protected, 1 degraded, 2 a folder is not protected, 3 no
  /// daemon runs.
  package func status(json: Bool, socket: String?) -> Int32 {
    let status: DaemonStatus
    do throws(ControlError) {
      status = try connect(socket).status()
    } catch {
      if error.code != .unavailable { return ProgramFailure(error).tell() }
      if json { write(StatusExit.notRunningJSON()) }
      if socket == nil { _ = tellConfigurationErrors() }
      ProgramFailure(status: .unavailable, "dtmd is not running: \(error.message)", hint: .start)
        .print()
      return StatusExit.notRunning.rawValue
    }
    if json {
      var writer = JSONWriter(pretty: true)
      status.writeJSON(&writer)
      writer.endLine()
      write(writer.bytes)
    } else {
      let isColoured = StandardStream.output.isTerminal && environment["NO_COLOR"] == nil
      let text = StatusText(now: SystemTimeSource().now(), isColoured: isColoured)
      write(Array(text.text(status).utf8))
    }
    return StatusExit(status.state).rawValue
  }

  /// `dtmd check-config`: 0 where the configuration is right, 78 where it is not.
  package func checkConfiguration(file: String?) -> Int32 {
    let location = location(named: file)
    do throws(ConfigurationErrors) {
      let configuration = try Configuration.load(from: location)
      let files = configuration.files.map { Quoting.path($0) }.joined(separator: " ")
      let count = configuration.folders.count
      let text =
        files.isEmpty
        ? "there is no configuration at \(Quoting.path(location.mainFile))"
        : "\(files): right, \(count == 1 ? "1 folder" : "\(count) folders")"
      write(Array((text + "\n").utf8))
      return 0
    } catch {
      return tell(error)
    }
  }

  private func tell(_ errors: ConfigurationErrors) -> Int32 {
    for error in errors.errors {
      ProgramFailure(status: .configuration, error.description).print()
    }
    return ProgramFailure.Status.configuration.rawValue
  }

  /// Nobody listens where the configuration says, as far as it can be read: it may be wrong there.
  private func tellConfigurationErrors() -> Int32? {
    do throws(ConfigurationErrors) {
      _ = try Configuration.load(from: location(named: nil))
      return nil
    } catch {
      return tell(error)
    }
  }

  /// `dtmd reload`: 0 where the new configuration runs, 78 where it was refused.
  package func reload(socket: String?) -> Int32 {
    do throws(ControlError) {
      _ = try connect(socket).reload()
      return 0
    } catch {
      if error.code == .unavailable, socket == nil, let status = tellConfigurationErrors() {
        return status
      }
      return ProgramFailure(error).tell()
    }
  }

  /// `dtmd metrics`: 0 where a daemon answered.
  package func metrics(socket: String?) -> Int32 {
    do throws(ControlError) {
      write(Array(try connect(socket).metrics().utf8))
      return 0
    } catch {
      return ProgramFailure(error).tell()
    }
  }

  private func location(named file: String?) -> ConfigurationLocation {
    DaemonOptions.location(named: file.map { FilePath($0) }, environment: environment)
  }

  /// Connects to the daemon that was named, or to the first that listens where the configuration
  /// or custom says.
  private func connect(_ socket: String?) throws(ControlError) -> ControlClient {
    var candidates = ControlSocket.candidates(
      uid: ThreadIdentity.processUser, environment: environment)
    if let socket {
      candidates = [FilePath(socket)]
    } else if environment["DTM_SOCKET"] == nil, let path = configuredSocket {
      candidates.insert(path, at: 0)
    }
    var first: ControlError?
    for path in candidates {
      do throws(ControlError) {
        return try ControlClient(socket: path)
      } catch {
        first = first ?? error
      }
    }
    throw first ?? ControlError(code: .unavailable, message: "no place for its socket is known")
  }

  /// A bad configuration is not what was asked about.
  private var configuredSocket: FilePath? { Configuration.socket(at: location(named: nil)) }

  private func write(_ bytes: [UInt8]) {
    do throws(Errno) {
      try StandardStream.output.write(bytes)
    } catch {
      ProgramFailure(status: .inputOutput, "can't write to standard output: \(error)").print()
    }
  }
}
