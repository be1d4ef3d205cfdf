internal import ArgumentParser
internal import DTMFolder
internal import DTMRepository
internal import DTMSystem

struct Stats: ReportingVerb {
  static let configuration = CommandConfiguration.verb(
    commandName: "stats",
    abstract: "Tell what the history uses of the disk",
    usage: "dtm stats [--by file|snapshot|type|stage] [-n N] [options]",
    discussion: """
      Each content counts once, for the oldest snapshot that has it: with --by the rows tell who brought \
      what is stored. Growth is what was stored in the last 30 days, the first snapshot left out.
      """)

  @Option(help: ArgumentHelp("Tell the room by file, snapshot, type or stage", valueName: "what"))
  var by: Statistics.Grouping?

  @Option(name: .short, help: ArgumentHelp("With --by: so many rows (20)", valueName: "n"))
  var number: Int?

  @OptionGroup var options: OutputOptions

  func validate() throws {
    if let number, number < 0 { throw ValidationError("-n takes a number that is not negative") }
    if number != nil, by == nil { throw ValidationError("-n goes with --by") }
  }

  func run(in invocation: Invocation) throws -> CommandStatus {
    let access = try FolderAccess(invocation)
    let statistics = try invocation.progress.during("looking at the history") {
      try Statistics(access, by: by)
    }
    let result = StatisticsResult(statistics, access, limit: number ?? 20)
    if options.json {
      try result.writeJSON(by: by)
    } else {
      try result.print(by: by, isQuiet: options.quiet)
    }
    return .done
  }
}

extension Statistics.Grouping: ExpressibleByArgument {}
