internal import ArgumentParser
internal import DTMDaemon

struct Status: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show whether every folder is protected",
    discussion: """
      Exit status: 0 every folder is protected, 1 degraded, 2 a folder is not protected, 3 no \
      daemon runs.
      """)

  @Flag(help: "Print JSON")
  var json = false

  @Option(help: ArgumentHelp("Ask the daemon that listens here", valueName: "path"))
  var socket: String?

  func run() throws {
    throw ExitCode(DaemonProgram().status(json: json, socket: socket))
  }
}
