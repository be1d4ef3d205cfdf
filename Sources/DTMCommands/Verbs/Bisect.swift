internal import ArgumentParser
internal import DTMFolder
internal import DTMRepository
internal import DTMSystem

struct Bisect: ReportingVerb {
  static let configuration = CommandConfiguration.verb(
    commandName: "bisect",
    abstract: "Find the first snapshot for which a command fails",
    usage: "dtm bisect --good SNAPSHOT --bad SNAPSHOT [options] -- COMMAND [ARGUMENT...]",
    discussion: """
      The command runs in a restored copy of each snapshot that is tried, with its id in DTM_SNAPSHOT; \
      the folder itself is not touched. Status 0 says good, 125 that it can't be told, 1 to 127 bad; \
      anything else ends the search. Status 1 of dtm: what could not be told is in the way.
      """)

  @Option(help: ArgumentHelp("A snapshot for which it succeeds", valueName: "snapshot"))
  var good: String

  @Option(help: ArgumentHelp("A later one for which it fails", valueName: "snapshot"))
  var bad: String

  @OptionGroup var options: OutputOptions

  @Argument(parsing: .postTerminator, help: "After --: the command and its arguments")
  var command: [String] = []

  func validate() throws {
    if command.isEmpty { throw ValidationError("the command is missing; it stands after --") }
  }

  func run(in invocation: Invocation) throws -> CommandStatus {
    let trial = try SnapshotTrial(command, invocation)
    let access = trial.access
    let (first, last) = try (access.snapshot(good), access.snapshot(bad))
    let range = try between(first, last, access)
    var search = Bisection(count: range.count)
    var tested: [(KnownSnapshot, Bisection.Verdict)] = []
    while let index = search.next {
      let known = range[index]
      let verdict = try trial.verdict(on: known)
      invocation.remark("\(Words.short(known.id)) is \(verdict.rawValue)")
      tested.append((known, verdict))
      search.learn(verdict, at: index)
    }
    let suspects = search.suspects.map { range[$0] }
    let before = search.lastGood.map { range[$0] } ?? first
    try print(suspects, before, tested, invocation)
    return suspects.count == 1 ? .done : .negative
  }

  /// What came after `first`, up to `last`, oldest first.
  private func between(
    _ first: KnownSnapshot, _ last: KnownSnapshot, _ access: FolderAccess
  ) throws -> [KnownSnapshot] {
    var range: [KnownSnapshot] = []
    var isFound = false
    try access.history.forEachAncestor(of: last.id) { known in
      isFound = known.id == first.id
      if !isFound { range.append(known) }
      return !isFound
    }
    if !isFound || range.isEmpty {
      throw CommandFailure(
        .invalidInput, "\(Words.short(first.id)) is no ancestor of \(Words.short(last.id))",
        hint: "--good names an older snapshot than --bad, of the same branch")
    }
    return range.reversed()
  }

  private func print(
    _ suspects: [KnownSnapshot], _ before: KnownSnapshot,
    _ tested: [(KnownSnapshot, Bisection.Verdict)], _ invocation: Invocation
  ) throws {
    let output = invocation.output
    if options.json {
      var writer = JSONWriter(pretty: true)
      writer.object { writer in
        writer.field("firstBad", suspects.count == 1 ? suspects[0].id.hex : nil)
        writer.field("lastGood", before.id.hex)
        writer.field("suspects", strings: suspects.map(\.id.hex))
        writer.array("tested") { writer in
          for (known, verdict) in tested {
            writer.object { writer in
              writer.field("snapshot", known.id.hex)
              writer.field("verdict", verdict.rawValue)
            }
          }
        }
      }
      writer.endLine()
      return try output.write(writer.bytes)
    }
    if options.quiet {
      for known in suspects { try output.line(known.id.hex) }
      return
    }
    let lines = SnapshotLines(invocation)
    try output.line(suspects.count == 1 ? "the first bad snapshot:" : "one of these is the first:")
    for known in suspects {
      try output.line("  " + lines.oneLine(SnapshotReport(known), indent: 2))
    }
    try output.line("the last good one:")
    try output.line("  " + lines.oneLine(SnapshotReport(before), indent: 2))
  }
}
