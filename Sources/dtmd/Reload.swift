internal import ArgumentParser
internal import DTMDaemon

struct Reload: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Have the running daemon read its configuration again",
    discussion: "A configuration with an error is refused whole, and the running one goes on.")

  @Option(help: ArgumentHelp("Ask the daemon that listens here", valueName: "path"))
  var socket: String?

  func run() throws {
    throw ExitCode(DaemonProgram().reload(socket: socket))
  }
}
