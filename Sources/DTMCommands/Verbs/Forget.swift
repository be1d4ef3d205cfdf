internal import ArgumentParser
internal import DTMFolder
internal import DTMRepository
internal import DTMSystem

struct Forget: ReportingVerb {
  static let configuration = CommandConfiguration.verb(
    commandName: "forget",
    abstract: "Take single snapshots away",
    usage: "dtm forget SNAPSHOT... [options]",
    discussion: """
      The newest of a branch, tagged and pinned ones can't be taken away. dtm undo brings them back, until \
      dtm gc --now, or the time of grace and dtmd, have freed their room. While an alarm of the guard holds \
      (dtm guard) nothing is taken away: status 75.
      """)

  @Argument(help: "The snapshots")
  var snapshots: [String]

  @Flag(help: "Take them away although the guard's alarm holds all snapshots")
  var ignoreHold = false

  @OptionGroup var options: OutputOptions

  func run(in invocation: Invocation) throws -> CommandStatus {
    let access = try FolderAccess(invocation)
    if !ignoreHold { try RetentionHold.check(access) }
    let history = access.history
    let holds = history.holds
    var chosen: [KnownSnapshot] = []
    for name in snapshots {
      let known = try access.snapshot(name)
      if let reasons = holds[known.id] {
        throw CommandFailure(
          .invalidInput,
          "\(Words.short(known.id)) can't be taken away: it is \(reasons.joined(separator: ", "))",
          hint: "nothing was taken away; dtm unpin, dtm tag -d and dtm branch -d let go")
      }
      let isChosen = chosen.contains { $0.id == known.id }
      if try !isChosen && !history.isPruned(known.id) { chosen.append(known) }
    }
    var operation: UInt64?
    if !chosen.isEmpty {
      let ids = chosen.map(\.id)
      let names = ids.map { Words.short($0) }.joined(separator: ", ")
      let summary =
        ids.count > 3 ? "forgot \(Words.count(ids.count, "snapshot"))" : "forgot \(names)"
      operation = try history.prune(
        ids, kind: "forget", summary: summary, why: "forgotten", uid: invocation.user,
        at: invocation.time.now())
    }
    let plan = PrunePlan(
      kept: [], pruned: chosen.map { PrunePlan.Verdict(known: $0, reasons: []) })
    let result = PruneResult(
      plan, isDryRun: false, operation: operation, verb: "forgot", reason: "named")
    try options.json
      ? result.writeJSON(invocation)
      : result.print(invocation, explains: false, isQuiet: options.quiet)
    return .done
  }
}
