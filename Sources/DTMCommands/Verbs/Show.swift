internal import ArgumentParser
internal import DTMFolder
internal import DTMRepository
internal import DTMSystem

struct Show: ReportingVerb {
  static let configuration = CommandConfiguration.verb(
    commandName: "show",
    abstract: "Show all that is known of a snapshot",
    usage: "dtm show [SNAPSHOT] [options]")

  @Argument(help: "The snapshot (default: HEAD)")
  var snapshot = "HEAD"

  @Flag(help: "Show what it changed")
  var stat = false

  @OptionGroup var options: OutputOptions

  func run(in invocation: Invocation) throws -> CommandStatus {
    let access = try FolderAccess(invocation)
    let known = try access.snapshot(snapshot)
    let report = try access.report(known)
    let output = invocation.output
    if options.json {
      var writer = JSONWriter(pretty: true)
      writer.object(report.write)
      writer.endLine()
      try output.write(writer.bytes)
      return .done
    }
    if options.quiet {
      try output.line(report.id.hex)
      return .done
    }
    for line in SnapshotPage(invocation).lines(report) { try output.line(line) }
    if stat {
      let parent = try known.snapshot.parent.flatMap { try access.keptSnapshot($0) }
      let comparison = try Comparison(access, from: parent, to: .snapshot(known))
      try output.line()
      for line in DifferenceLines(invocation).page(comparison) { try output.line(line) }
    }
    return .done
  }
}
