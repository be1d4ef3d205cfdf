internal import ArgumentParser
internal import DTMControl
internal import DTMFolder
internal import DTMSystem

struct Wait: Verb {
  static let configuration = CommandConfiguration.verb(
    commandName: "wait",
    abstract: "Wait until everything written so far is in a snapshot",
    usage: "dtm wait [--quiet TIME] [--timeout TIME] [options]",
    discussion: """
      Forces nothing: the daemon takes the snapshot when the folder is quiet. Status 75 when the time \
      is over or the folder is paused, 69 without a daemon.
      """)

  @Option(help: ArgumentHelp("And until nothing was written for so long", valueName: "time"))
  var quiet: SpanArgument?

  @Option(help: ArgumentHelp("Give up after so long", valueName: "time"))
  var timeout: SpanArgument?

  @Flag(help: "Print JSON")
  var json = false

  @Flag(name: .customShort("q"), help: "Print nothing")
  var isSilent = false

  @Flag(name: .shortAndLong, help: "Explain on standard error what is done")
  var verbose = false

  var choices: OutputChoices {
    OutputChoices(json: json, quiet: isSilent, verbose: verbose)
  }

  func run(in invocation: Invocation) throws -> CommandStatus {
    let location = try FolderFinder(invocation: invocation).find()
    let daemon = try DaemonLink(invocation).requiredFolder(location.folder)
    let request = WaitRequest(
      folder: daemon.name, quiet: quiet?.duration, timeout: timeout?.duration)
    let summary = try invocation.progress.during("waiting for the folder to be quiet") {
      try daemon.client.wait(request)
    }
    if json {
      var writer = JSONWriter(pretty: true)
      writer.object { writer in
        writer.key("snapshot")
        if let summary { writer.object(summary.write) } else { writer.null() }
      }
      writer.endLine()
      try invocation.output.write(writer.bytes)
    } else if !isSilent {
      let place = summary.map { "in \($0.id.prefix(Words.shortIDLength))" } ?? "in no snapshot yet"
      try invocation.output.line("everything is \(place)")
    }
    return .done
  }
}
