internal import ArgumentParser
internal import DTMConfiguration

/// The configuration that a command is about.
struct ConfigurationFile: ParsableArguments {
  @Argument(help: "The main file (default: that of this user's daemon)")
  var file: String?

  func location(_ invocation: Invocation) throws -> ConfigurationLocation {
    try file.map { ConfigurationLocation.file(try invocation.absolute($0)) }
      ?? DaemonConfigurations(invocation).own
  }

  /// Loads it with its drop-in files, or throws all that is wrong with them.
  func load(_ invocation: Invocation) throws -> Configuration {
    let location = try location(invocation)
    do throws(ConfigurationErrors) { return try Configuration.load(from: location) } catch {
      throw CommandFailure(error)
    }
  }
}
