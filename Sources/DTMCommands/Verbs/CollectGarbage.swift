internal import ArgumentParser
internal import DTMConfiguration
internal import DTMFolder
internal import DTMRepository
internal import DTMSystem

struct CollectGarbage: ReportingVerb {
  static let configuration = CommandConfiguration.verb(
    commandName: "gc",
    abstract: "Free the room of what no kept snapshot needs",
    usage: "dtm gc [--now] [--ignore-hold] [options]",
    discussion: """
      Snapshots that were pruned or forgotten stay restorable for seven days, or what the folder's \
      keep.grace says; then their content is freed, but for what others need. With --now that time does \
      not count, and dtm undo can't bring them back any more. Packs of which much is not needed are \
      written anew. Snapshots, restores and readers go on meanwhile; what somebody who began earlier may \
      still build on is freed by the next dtm gc. It can be ended at any time. While an alarm of the guard holds \
      (dtm guard) nothing is freed: status 75.
      """)

  @Flag(help: "Free what was pruned just now too, and write packs anew that have little waste")
  var now = false

  @Flag(help: "Free also what an alarm of the guard holds")
  var ignoreHold = false

  @OptionGroup var options: OutputOptions

  /// For so long it waits for those who began earlier to end.
  private static let patience: Duration = .seconds(10)

  func run(in invocation: Invocation) throws -> CommandStatus {
    let access = try FolderAccess(invocation)
    if !ignoreHold { try RetentionHold.check(access) }
    let context = RepositoryRepair.Context(
      time: invocation.time.now(), pid: ProcessSignals.processID, uid: invocation.user)
    var policy = CollectionPolicy.now
    if !now {
      policy = .standard
      policy.grace = try access.keepPolicy().grace
    }
    let collection = RepositoryCollection(
      access.repository, policy, context,
      waits: invocation.patience(Self.patience))
    // Who takes snapshots meanwhile is not to wait for it.
    invocation.standBack()
    let report = try invocation.progress.during("looking for what is not needed") {
      try collection.run()
    }
    let result = CollectionResult(report)
    if options.json {
      try result.writeJSON(invocation)
    } else {
      try result.print(invocation, options)
    }
    return report.remarks.isEmpty ? .done : .incomplete
  }
}
