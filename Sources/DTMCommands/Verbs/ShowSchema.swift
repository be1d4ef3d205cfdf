internal import ArgumentParser
internal import DTMConfiguration

struct ShowSchema: ReportingVerb {
  static let configuration = CommandConfiguration.verb(
    commandName: "schema",
    abstract: "Print the JSON Schema of a configuration, for editors")

  @OptionGroup var options: OutputOptions

  func run(in invocation: Invocation) throws -> CommandStatus {
    try invocation.output.write(ConfigurationSchema.bytes)
    return .done
  }
}
