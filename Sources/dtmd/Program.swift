internal import ArgumentParser
internal import DTMControl

/// The daemon and the few commands that concern it alone.
@main
struct Program: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "dtmd",
    abstract: "Protect folders: watch them and take snapshots of what changes",
    version: ProgramVersion.current,
    subcommands: [Run.self, Status.self, CheckConfig.self, Reload.self, Metrics.self])
}
