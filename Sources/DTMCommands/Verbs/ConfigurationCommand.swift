internal import ArgumentParser

struct ConfigurationCommand: ParsableCommand {
  static let configuration = CommandConfiguration.verb(
    commandName: "config",
    abstract: "Check and show the daemon's configuration",
    subcommands: [CheckConfiguration.self, ShowConfiguration.self, ShowSchema.self])
}
