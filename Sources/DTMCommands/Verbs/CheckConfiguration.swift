internal import ArgumentParser
internal import DTMConfiguration
internal import DTMSystem
internal import SystemPackage

struct CheckConfiguration: ReportingVerb {
  static let configuration = CommandConfiguration.verb(
    commandName: "check",
    abstract: "Check a configuration, with the drop-in files beside it",
    discussion: "Needs no daemon. Each error is named with file, line and column.")

  @OptionGroup var file: ConfigurationFile

  @OptionGroup var options: OutputOptions

  func run(in invocation: Invocation) throws -> CommandStatus {
    let configuration = try file.load(invocation)
    if options.json {
      var writer = JSONWriter(pretty: true)
      writer.object { writer in
        writer.field("ok", true)
        writer.field("files", strings: configuration.files.map(\.string))
        writer.field("folders", strings: configuration.folders.map(\.name))
      }
      writer.endLine()
      try invocation.output.write(writer.bytes)
    } else if !options.quiet {
      try invocation.output.line(words(configuration, try file.location(invocation)))
    }
    return .done
  }

  private func words(_ configuration: Configuration, _ location: ConfigurationLocation) -> String {
    if configuration.files.isEmpty {
      return "there is no configuration at \(Quoting.path(location.mainFile)): nothing is protected"
    }
    let files = configuration.files.map { Quoting.path($0) }.joined(separator: " ")
    return "\(files): right, \(Words.count(configuration.folders.count, "folder"))"
  }
}
