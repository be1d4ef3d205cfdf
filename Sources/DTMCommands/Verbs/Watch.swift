internal import ArgumentParser
internal import DTMControl
internal import DTMFolder
internal import DTMSystem

struct Watch: ReportingVerb {
  static let configuration = CommandConfiguration.verb(
    commandName: "watch",
    abstract: "Show what the daemon does, as it happens",
    usage: "dtm watch [--all] [options]",
    discussion: """
      First how each folder is, then snapshots, states, restores, pauses, reloads and what somebody \
      should look at, a line each. Of this folder; outside of any, or with --all, of every folder of \
      the daemon that you may see. With --json one object a line, with -q the ids of new snapshots. \
      Ends with status 69 when the daemon does.
      """)

  @Flag(help: "Of all folders")
  var all = false

  @OptionGroup var options: OutputOptions

  var choices: OutputChoices {
    var choices = OutputChoices(
      json: options.json, quiet: options.quiet, verbose: options.verbose,
      noColor: options.noColor)
    // What goes on and on is not for a pager, which waits for the end.
    choices.pages = false
    return choices
  }

  func run(in invocation: Invocation) throws -> CommandStatus {
    let link = DaemonLink(invocation)
    let folder = try all ? nil : folder(invocation)
    let client: ControlClient
    if let folder { client = folder.client } else { client = try link.anyDaemon() }
    let lines = EventLines(invocation, namesFolders: folder == nil)
    try client.events(folder: folder?.name) { event in
      try print(event, lines, invocation)
      return true
    }
    throw CommandFailure(
      .unavailable, "dtmd stopped", hint: "run dtm watch again when it is back")
  }

  /// The folder that is meant; nil outside of any where none is named.
  private func folder(_ invocation: Invocation) throws -> DaemonLink.ProtectedFolder? {
    let isNamed =
      invocation.folderOption != nil || !(invocation.environment["DTM_FOLDER"] ?? "").isEmpty
    do {
      let location = try FolderFinder(invocation: invocation).find()
      return try DaemonLink(invocation).requiredFolder(location.folder)
    } catch let failure as CommandFailure where failure.code == .notFound && !isNamed {
      return nil
    }
  }

  private func print(
    _ event: ControlEvent, _ lines: EventLines, _ invocation: Invocation
  ) throws {
    if options.json {
      var writer = JSONWriter()
      writer.object(event.write)
      writer.endLine()
      try invocation.output.write(writer.bytes)
    } else if options.quiet {
      if let id = event.snapshot?.id { try invocation.output.line(id) }
    } else if let line = lines.line(event) {
      try invocation.output.line(line)
    }
    try invocation.output.flush()
  }
}
