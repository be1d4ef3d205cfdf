internal import ArgumentParser
internal import DTMConfiguration
internal import DTMSystem

struct ShowConfiguration: ReportingVerb {
  static let configuration = CommandConfiguration.verb(
    commandName: "show",
    abstract: "Print the configuration as one document, with every default",
    discussion: "What the main file and the drop-in files beside it come to; always JSON.")

  @OptionGroup var file: ConfigurationFile

  @OptionGroup var options: OutputOptions

  func run(in invocation: Invocation) throws -> CommandStatus {
    let configuration = try file.load(invocation)
    if configuration.files.isEmpty {
      let location = try file.location(invocation)
      invocation.remark("there is no configuration at \(Quoting.path(location.mainFile))")
    }
    try invocation.output.write(configuration.bytes)
    return .done
  }
}
