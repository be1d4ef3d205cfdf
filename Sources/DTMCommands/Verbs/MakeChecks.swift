internal import ArgumentParser
internal import DTMConfiguration
internal import DTMFolder
internal import DTMRepository
internal import DTMSystem
internal import SystemPackage

struct MakeChecks: ReportingVerb {
  static let configuration = CommandConfiguration.verb(
    commandName: "check",
    abstract: "Run the configured checks on snapshots",
    usage: "dtm check [SNAPSHOT...] [options]",
    discussion: """
      The checks are those that the daemon's configuration has for the folder, as far as their "after" \
      selects the snapshot; the newest result of each counts, and @good is the newest snapshot that passed all. Status 1: one did not pass.
      """)

  @Argument(help: "The snapshots (default: HEAD)")
  var snapshots: [String] = []

  @Flag(help: "Run every check, whatever its \"after\" says")
  var all = false

  @OptionGroup var options: OutputOptions

  func run(in invocation: Invocation) throws -> CommandStatus {
    // Before root comes to act as the folder's owner: a command is the caller's.
    let starter = try ProgramStarter()
    let access = try FolderAccess(invocation)
    let checks = try configured(access)
    let run = CheckRun(
      try access.openFolder(), starter: starter, scratch: try invocation.temporaryDirectory(),
      environment: ProcessEnvironment.entries.filter { !$0.starts(with: "DTM_".utf8) })
    let known = try (snapshots.isEmpty ? ["HEAD"] : snapshots).map { try access.snapshot($0) }
    var results: [(KnownSnapshot, [CheckReport])] = []
    for known in known {
      let checks = try all ? checks : selected(checks, known, access)
      if checks.isEmpty {
        invocation.remark("no check is for \(Words.short(known.id)); --all runs every one")
      }
      let reports = invocation.progress.during("checking \(Words.short(known.id))") {
        checks.map { check in
          run.run(
            CheckOrder(
              name: check.name, words: check.command.map { Array($0.utf8) },
              timeout: check.timeout, isOnView: check.place == .view), on: known)
        }
      }
      try run.record(reports, of: known)
      results.append((known, reports))
      if !options.json { try print(reports, of: known, invocation) }
    }
    if options.json { try printJSON(results, invocation) }
    return results.allSatisfy { $0.1.allSatisfy { $0.result == .pass } } ? .done : .negative
  }

  private func selected(
    _ checks: [Check], _ known: KnownSnapshot, _ access: FolderAccess
  ) throws -> [Check] {
    let (labels, rules) = try access.history.marks(of: known)
    return checks.filter {
      $0.after.selects(trigger: known.snapshot.trigger, rules: rules, labels: labels)
    }
  }

  private func configured(_ access: FolderAccess) throws -> [Check] {
    let folder = try DaemonConfigurations(access.invocation).folder(
      holding: access.location.folder)
    guard let checks = folder?.checks, !checks.isEmpty else {
      throw CommandFailure(
        .notFound, "no check is configured for \(Quoting.path(access.location.folder))",
        hint: "\"checks\" of the folder in the daemon's configuration names them")
    }
    return checks
  }

  private func print(
    _ reports: [CheckReport], of known: KnownSnapshot, _ invocation: Invocation
  ) throws {
    let (output, style) = (invocation.output, invocation.style)
    if options.quiet {
      if reports.allSatisfy({ $0.result == .pass }) { try output.line(known.id.hex) }
      return
    }
    for report in reports {
      let isGood = report.result == .pass
      let word = isGood ? style.good(report.result.rawValue) : style.warning(report.result.rawValue)
      let why = isGood ? "" : "  (\(Words.visible(report.reason)))"
      try output.line(
        "\(style.identifier(Words.short(known.id)))  \(Words.visible(report.name))  \(word)\(why)")
      if isGood { continue }
      for line in String(decoding: report.output, as: UTF8.self).split(separator: "\n").prefix(20) {
        try output.line("  " + Words.visible(String(line)))
      }
    }
  }

  private func printJSON(
    _ results: [(KnownSnapshot, [CheckReport])], _ invocation: Invocation
  ) throws {
    var writer = JSONWriter(pretty: true)
    writer.array { writer in
      for (known, reports) in results {
        writer.object { writer in
          writer.field("snapshot", known.id.hex)
          writer.object("checks") { writer in
            for report in reports { writer.field(report.name, report.result.rawValue) }
          }
          writer.array("reports") { writer in
            for report in reports {
              writer.object { writer in
                writer.field("name", report.name)
                writer.field("result", report.result.rawValue)
                writer.field("reason", report.reason)
                writer.field("output", String(decoding: report.output, as: UTF8.self))
              }
            }
          }
        }
      }
    }
    writer.endLine()
    try invocation.output.write(writer.bytes)
  }
}
