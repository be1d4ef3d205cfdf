internal import ArgumentParser
internal import DTMFolder
internal import DTMRepository
internal import DTMSystem

struct Diff: ReportingVerb {
  static let configuration = CommandConfiguration.verb(
    commandName: "diff",
    abstract: "Show what differs between two states",
    usage: "dtm diff [A [B]] [PATH...] [options]",
    discussion: """
      From HEAD to WORKING by default, the folder as it is now; with one snapshot from that one to \
      WORKING. The first letter of a line: A added, M modified, D deleted, R renamed, T of another \
      kind, P mode, owner or times alone.
      """)

  @Argument(
    help: ArgumentHelp(
      "Up to two snapshots or WORKING, then the paths to look at",
      valueName: "a b path"))
  var names: [String] = []

  @Argument(
    parsing: .postTerminator,
    help: ArgumentHelp("After --: paths only", valueName: "path", visibility: .hidden))
  var paths: [String] = []

  @Flag(help: "Show the totals only")
  var stat = false

  @Flag(name: .customLong("name-status"), help: "Show a letter, a tab and the path of each")
  var nameStatus = false

  @Flag(name: .customLong("exit-code"), help: "End with status 1 where something differs")
  var exitCode = false

  @OptionGroup var options: OutputOptions

  func validate() throws {
    if stat, nameStatus { throw ValidationError("--stat and --name-status exclude each other") }
  }

  func run(in invocation: Invocation) throws -> CommandStatus {
    let access = try FolderAccess(invocation)
    let arguments = try StateArguments(
      access, names: names, paths: paths, limit: 2)
    var states = arguments.states
    if states.isEmpty { states.append(.snapshot(try access.snapshot("HEAD"))) }
    if states.count == 1 { states.append(.working) }
    let comparison = try self.comparison(access, states[0], states[1], arguments.paths)
    try print(comparison, invocation)
    return exitCode && !comparison.changes.isEmpty ? .negative : .done
  }

  private func comparison(
    _ access: FolderAccess, _ from: FolderState, _ to: FolderState, _ paths: [PathKey]
  ) throws -> Comparison {
    guard case .snapshot(let known) = from else {
      throw CommandFailure(
        .usage, "WORKING stands on the right side only", hint: "dtm diff SNAPSHOT WORKING")
    }
    return try Comparison(access, from: known, to: to, beneath: paths)
  }

  private func print(_ comparison: Comparison, _ invocation: Invocation) throws {
    let output = invocation.output
    let lines = DifferenceLines(invocation)
    if options.json {
      var writer = JSONWriter(pretty: true)
      writer.object(comparison.write)
      writer.endLine()
      return try output.write(writer.bytes)
    }
    if options.quiet {
      for difference in comparison.changes {
        try output.line(Quoting.path(difference.key))
      }
    } else if nameStatus {
      for difference in comparison.changes {
        let old = difference.oldKey.map { Quoting.path($0) + "\t" } ?? ""
        try output.line("\(difference.letter)\t\(old)\(Quoting.path(difference.key))")
      }
    } else if stat {
      let growth = lines.growth(comparison.changes)
      try output.line(lines.summary(comparison) + (growth.isEmpty ? "" : "  \(growth)"))
    } else {
      for line in lines.page(comparison) { try output.line(line) }
    }
  }
}
