internal import ArgumentParser
internal import DTMFolder
internal import DTMRepository
internal import DTMSystem

struct GuardRelease: ReportingVerb {
  static let configuration = CommandConfiguration.verb(
    commandName: "release",
    abstract: "End the alarms, so that snapshots may be pruned again",
    usage: "dtm guard release [options]",
    discussion: "What the guard has pinned stays pinned; dtm unpin lets it go.")

  @OptionGroup var options: OutputOptions

  func run(in invocation: Invocation) throws -> CommandStatus {
    let access = try FolderAccess(invocation)
    let records = try access.history.guardRecords(at: invocation.time.now())
    if let draft = access.history.releasing() { try access.commit(draft) }
    let output = invocation.output
    if options.json {
      var writer = JSONWriter(pretty: true)
      writer.object { $0.field("released", strings: records.map(\.damaged.hex)) }
      writer.endLine()
      try output.write(writer.bytes)
      return .done
    }
    if options.quiet { return .done }
    if records.isEmpty { try output.line("no alarm") }
    for record in records {
      let good = Words.short(record.good)
      let pin =
        access.history.isPinned(record.good) ? "; \(good) stays pinned (dtm unpin \(good))" : ""
      try output.line("ended the alarm of \(Words.short(record.damaged))\(pin)")
    }
    return .done
  }
}
