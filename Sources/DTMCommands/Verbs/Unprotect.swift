internal import ArgumentParser
internal import DTMConfiguration
internal import DTMControl
internal import DTMSystem
internal import SystemPackage

struct Unprotect: ReportingVerb {
  static let configuration = CommandConfiguration.verb(
    commandName: "unprotect",
    abstract: "Have the daemon leave a folder alone; its history stays",
    usage: "dtm unprotect DIR [options]")

  @Argument(help: ArgumentHelp("The folder", valueName: "dir"))
  var directory: String

  @OptionGroup var options: OutputOptions

  func run(in invocation: Invocation) throws -> CommandStatus {
    // The folder itself may be gone.
    let given = try invocation.absolute(directory)
    let path = try PathStatus.canonical(given) ?? given
    let configurations = DaemonConfigurations(invocation)
    let location = configurations.own
    guard let folder = try configurations.folder(holding: path), folder.path == path else {
      throw CommandFailure(
        .notFound, "\(Quoting.path(path)) is not protected",
        hint: "dtmd status lists what is")
    }
    let file = try FolderDropIn.remove(folderNamed: folder.name, from: location)
    let isRunning = try DaemonReload(invocation).reload()
    if options.json {
      var writer = JSONWriter(pretty: true)
      writer.object { writer in
        writer.field("name", folder.name)
        writer.field("folder", folder.path.string)
        writer.field("repository", folder.repository?.string)
        writer.field("configuration", file.string)
        writer.field("running", isRunning)
      }
      writer.endLine()
      try invocation.output.write(writer.bytes)
    } else if !options.quiet {
      let place = folder.repository.map { " in \(Quoting.path($0))" } ?? ""
      try invocation.output.line(
        "\(Quoting.path(folder.path)) is no longer protected; its history stays\(place)")
    }
    return .done
  }
}
