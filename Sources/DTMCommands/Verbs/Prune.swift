internal import ArgumentParser
internal import DTMConfiguration
internal import DTMFolder
internal import DTMRepository
internal import DTMRules
internal import DTMSystem

struct Prune: ReportingVerb {
  static let configuration = CommandConfiguration.verb(
    commandName: "prune",
    abstract: "Take away the snapshots that no retention rule keeps",
    usage: "dtm prune [--dry-run] [--explain] [--keep-last N] [--keep-daily N] ... [options]",
    discussion: """
      Each branch is looked at by itself, by the local calendar: --keep-daily 7 keeps the newest \
      snapshot of each of the last seven days that have one. A snapshot stays when any rule keeps it; the \
      newest of each branch, tagged and pinned ones, and the newest whose checks all passed stay in \
      any case. Without a rule here: the folder's keep in dtmd's configuration, which dtmd applies daily; \
      without that: last 20, hourly 48, daily 30, weekly 12, monthly 24, yearly 5, within 1d. What is \
      taken away can be restored by its id, and dtm undo brings it back, until the time of grace is over \
      and dtm gc, or dtmd, has freed its room. While an alarm of the guard holds (dtm guard) nothing is \
      taken away: status 75.
      """)

  @Flag(help: "Only say what would be taken away")
  var dryRun = false

  @Flag(help: "Say for each snapshot why it stays or goes")
  var explain = false

  @Flag(help: "Prune although the guard's alarm holds all snapshots")
  var ignoreHold = false

  @Option(help: ArgumentHelp("Keep the newest n", valueName: "n"))
  var keepLast: Int?

  @Option(help: ArgumentHelp("Keep one of each of n hours", valueName: "n"))
  var keepHourly: Int?

  @Option(help: ArgumentHelp("Keep one of each of n days", valueName: "n"))
  var keepDaily: Int?

  @Option(help: ArgumentHelp("Keep one of each of n weeks (from Monday)", valueName: "n"))
  var keepWeekly: Int?

  @Option(help: ArgumentHelp("Keep one of each of n months", valueName: "n"))
  var keepMonthly: Int?

  @Option(help: ArgumentHelp("Keep one of each of n years", valueName: "n"))
  var keepYearly: Int?

  @Option(help: ArgumentHelp("Keep all within this span before the newest", valueName: "span"))
  var keepWithin: SpanArgument?

  @OptionGroup var options: OutputOptions

  private var numbers: [(name: String, value: Int?)] {
    [
      ("last", keepLast), ("hourly", keepHourly), ("daily", keepDaily), ("weekly", keepWeekly),
      ("monthly", keepMonthly), ("yearly", keepYearly),
    ]
  }

  /// The rules that were given; nil where none was.
  private var givenPolicy: RetentionPolicy? {
    if keepWithin == nil, numbers.allSatisfy({ $0.value == nil }) { return nil }
    var counts: [RetentionPeriod: Int] = [:]
    for period in RetentionPeriod.allCases {
      counts[period] = numbers.first { $0.name == period.adverb }?.value ?? 0
    }
    return RetentionPolicy(
      last: keepLast ?? 0, counts: counts, within: keepWithin?.duration ?? .zero)
  }

  func validate() throws {
    for (name, value) in numbers {
      if let value, value < 0 {
        throw ValidationError("--keep-\(name) takes a number that is not negative")
      }
    }
    if givenPolicy?.isEmpty == true {
      throw ValidationError("these rules keep nothing; at least one has to keep something")
    }
  }

  /// A dry run only says it.
  private func checkHold(_ access: FolderAccess) throws {
    do { try RetentionHold.check(access) } catch let hold as CommandFailure where dryRun {
      access.invocation.remark(hold.message)
    }
  }

  func run(in invocation: Invocation) throws -> CommandStatus {
    let access = try FolderAccess(invocation)
    let policy = try givenPolicy ?? access.keepPolicy().retention
    let retention = Retention(policy, calendar: invocation.calendar)
    let plan = try access.history.prunePlan(retention.reasons)
    var operation: UInt64?
    if !ignoreHold, !plan.pruned.isEmpty { try checkHold(access) }
    if !dryRun, !plan.pruned.isEmpty {
      operation = try access.history.prune(
        plan.pruned.map(\.known.id), uid: invocation.user, at: invocation.time.now())
    }
    let result = PruneResult(plan, isDryRun: dryRun, operation: operation)
    try options.json
      ? result.writeJSON(invocation)
      : result.print(invocation, explains: explain, isQuiet: options.quiet)
    return .done
  }
}
