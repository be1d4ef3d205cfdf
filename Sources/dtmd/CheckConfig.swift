internal import ArgumentParser
internal import DTMDaemon

struct CheckConfig: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Check the configuration without a daemon")

  @Argument(help: "The main file; the drop-in files beside it are read too")
  var file: String?

  func run() throws {
    throw ExitCode(DaemonProgram().checkConfiguration(file: file))
  }
}
