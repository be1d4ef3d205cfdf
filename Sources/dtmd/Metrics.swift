internal import ArgumentParser
internal import DTMDaemon

struct Metrics: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Print the daemon's counters and gauges as OpenMetrics text",
    discussion: """
      For a scraper that runs commands. With "metricsFile" in the configuration the daemon keeps a \
      file of them for node_exporter's textfile collector.
      """)

  @Option(help: ArgumentHelp("Ask the daemon that listens here", valueName: "path"))
  var socket: String?

  func run() throws {
    throw ExitCode(DaemonProgram().metrics(socket: socket))
  }
}
