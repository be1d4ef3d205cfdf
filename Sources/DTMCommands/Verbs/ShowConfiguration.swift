internal import ArgumentParser
internal import DTMConfiguration
internal import DTMSystem

struct ShowConfiguration: ReportingVerb {
  static let configuration = CommandConfiguration(
    commandName: "show",
    abstract: "Print the configuration as one document, with every default",
    discussion: "What the main file and the drop-in files beside it come to; always JSON.")

  @Argument(help: "The main file (default: that of this user's daemon)")
  var file: String?

  @OptionGroup var options: OutputOptions

  func run(in invocation: Invocation) throws -> CommandStatus {
    let location = try DaemonConfigurations(invocation).location(file)
    let configuration = try DaemonConfigurations.configuration(at: location)
    if configuration.files.isEmpty {
      invocation.remark("there is no configuration at \(Quoting.path(location.mainFile))")
    }
    try invocation.output.write(configuration.bytes)
    return .done
  }
}

struct ShowSchema: ReportingVerb {
  static let configuration = CommandConfiguration(
    commandName: "schema",
    abstract: "Print the JSON Schema of a configuration, for editors")

  @OptionGroup var options: OutputOptions

  func run(in invocation: Invocation) throws -> CommandStatus {
    try invocation.output.write(ConfigurationSchema.bytes)
    return .done
  }
}
