internal import ArgumentParser
internal import DTMDaemon

struct Run: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Run the daemon in the foreground",
    discussion: """
      Reads the configuration, protects its folders and answers on the control socket, until \
      SIGTERM or SIGINT, which take a last snapshot of each folder that changed. SIGHUP reads the \
      configuration again.
      """)

  @Option(help: ArgumentHelp("Read this configuration", valueName: "file"))
  var config: String?

  @Option(help: ArgumentHelp("Listen here", valueName: "path"))
  var socket: String?

  @Option(
    help: ArgumentHelp(
      "Log to the journal or to stderr (default: the journal where it is there)",
      valueName: "journal|stderr"))
  var log: LogDestination?

  func run() throws {
    let status = DaemonProgram().run(
      configuration: config, socket: socket, log: log, engines: RepositoryEngines())
    throw ExitCode(status)
  }
}

extension LogDestination: ExpressibleByArgument {}
