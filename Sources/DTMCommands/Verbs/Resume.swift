internal import ArgumentParser
internal import DTMControl
internal import DTMFolder
internal import DTMSystem

struct Resume: ReportingVerb {
  static let configuration = CommandConfiguration.verb(
    commandName: "resume",
    abstract: "End a pause: the daemon takes snapshots of this folder again",
    usage: "dtm resume [options]",
    discussion: "What was written during the pause is captured as soon as the folder is quiet.")

  @OptionGroup var options: OutputOptions

  func run(in invocation: Invocation) throws -> CommandStatus {
    let location = try FolderFinder(invocation: invocation).find()
    let daemon = try DaemonLink(invocation).requiredFolder(location.folder)
    let wasPaused = try daemon.client.resume(folder: daemon.name)
    if options.json {
      var writer = JSONWriter(pretty: true)
      writer.object { writer in
        writer.field("name", daemon.status.name)
        writer.field("path", daemon.status.path)
        writer.field("paused", false)
        writer.field("wasPaused", wasPaused)
      }
      writer.endLine()
      try invocation.output.write(writer.bytes)
    } else if !options.quiet {
      let name = Words.visible(daemon.status.name)
      try invocation.output.line(
        wasPaused ? "snapshots of \(name) go on" : "\(name) was not paused")
    }
    return .done
  }
}
