internal import ArgumentParser
internal import DTMFolder
internal import DTMRepository
internal import DTMSystem

struct GuardShow: ReportingVerb {
  static let configuration = CommandConfiguration.verb(
    commandName: "show",
    abstract: "Show the alarms that hold, the newest first",
    usage: "dtm guard [show] [options]",
    discussion: "Status 1: there is one.")

  @OptionGroup var options: OutputOptions

  func run(in invocation: Invocation) throws -> CommandStatus {
    let access = try FolderAccess(invocation)
    let records = try access.history.guardRecords(at: invocation.time.now())
    if options.json {
      var writer = JSONWriter(pretty: true)
      writer.array { writer in
        for record in records {
          writer.object { writer in
            writer.field("snapshot", record.damaged.hex)
            writer.field("good", record.good.hex)
            writer.field("pinned", access.history.isPinned(record.good))
            writer.field("time", record.time.rfc3339)
            writer.field("until", record.until.rfc3339)
            writer.field("holdsRetention", record.holdsRetention)
            writer.field("reason", record.reason)
          }
        }
      }
      writer.endLine()
      try invocation.output.write(writer.bytes)
    } else if options.quiet {
      for record in records { try invocation.output.line(record.damaged.hex) }
    } else {
      try print(records, access)
    }
    return records.isEmpty ? .done : .negative
  }

  private func print(_ records: [GuardRecord], _ access: FolderAccess) throws {
    let invocation = access.invocation
    let (output, style, calendar) = (invocation.output, invocation.style, invocation.calendar)
    if records.isEmpty { return try output.line("no alarm") }
    for record in records {
      let (good, damaged) = (Words.short(record.good), Words.short(record.damaged))
      let pin = access.history.isPinned(record.good) ? ", pinned" : ""
      let until = calendar.display(record.until)
      try output.line(
        "\(style.warning("alarm"))  \(calendar.display(record.time))  \(Words.visible(record.reason))"
      )
      try output.line("  before    \(style.identifier(good))\(pin)")
      try output.line("  damaged   \(style.identifier(damaged))")
      if record.holdsRetention { try output.line("  held      nothing is pruned until \(until)") }
      try output.line("  look      dtm diff \(good) \(damaged)")
      try output.line("  go back   dtm restore \(good)")
      try output.line("  it is as it should be: dtm guard release")
    }
  }
}
