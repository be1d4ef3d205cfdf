internal import ArgumentParser
internal import DTMControl
internal import DTMFolder
internal import DTMSystem

struct Pause: ReportingVerb {
  static let configuration = CommandConfiguration.verb(
    commandName: "pause",
    abstract: "Hold the daemon's snapshots of this folder for a while",
    usage: "dtm pause [TIME | --until-resumed] [options]",
    discussion: """
      Nothing is lost: what is written meanwhile is captured when the pause ends, by itself, by dtm \
      resume or with the daemon. dtm snapshot works in a pause too. A second pause replaces the first.
      """)

  /// A pause that is forgotten is a folder without protection.
  private static let usual = Duration.seconds(30 * 60)

  @Argument(help: ArgumentHelp("For so long, as in 10m or 2h (default: 30m)", valueName: "time"))
  var time: SpanArgument?

  @Option(name: .customLong("for"), help: ArgumentHelp("The same", valueName: "time"))
  var span: SpanArgument?

  @Flag(name: .customLong("until-resumed"), help: "Until dtm resume ends it")
  var untilResumed = false

  @OptionGroup var options: OutputOptions

  func validate() throws {
    let given = [time != nil, span != nil, untilResumed].count { $0 }
    if given > 1 { throw ValidationError("a pause has one end") }
    if let duration = time?.duration ?? span?.duration, duration <= .zero {
      throw ValidationError("a pause of no time holds nothing")
    }
  }

  func run(in invocation: Invocation) throws -> CommandStatus {
    let location = try FolderFinder(invocation: invocation).find()
    let daemon = try DaemonLink(invocation).requiredFolder(location.folder)
    let duration = untilResumed ? nil : time?.duration ?? span?.duration ?? Self.usual
    let until = try daemon.client.pause(
      PauseRequest(folder: daemon.name, duration: duration))
    if options.json {
      var writer = JSONWriter(pretty: true)
      writer.object { writer in
        writer.field("name", daemon.status.name)
        writer.field("path", daemon.status.path)
        writer.field("paused", true)
        writer.field("until", until?.rfc3339)
      }
      writer.endLine()
      try invocation.output.write(writer.bytes)
    } else if !options.quiet {
      let end =
        until.map { "until \(invocation.calendar.display($0)), or dtm resume" }
        ?? "until dtm resume"
      try invocation.output.line(
        "\(Words.visible(daemon.status.name)) is paused \(end); what is written is captured then")
    }
    return .done
  }
}
