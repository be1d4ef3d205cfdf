internal import ArgumentParser
internal import DTMFolder
internal import DTMRepository
internal import DTMSystem

struct Runs: ReportingVerb {
  static let configuration = CommandConfiguration.verb(
    commandName: "runs",
    abstract: "List the runs of pipelines, newest first",
    usage: "dtm runs [-n N] [options]",
    discussion: """
      A line has the run, when it began, how it ended (ok, failed, abandoned, running), its stages, and \
      the snapshots before and after it.
      """)

  @Option(name: .short, help: ArgumentHelp("Stop after so many", valueName: "n"))
  var number: Int?

  @OptionGroup var options: OutputOptions

  func validate() throws {
    if let number, number < 0 { throw ValidationError("-n takes a number that is not negative") }
  }

  func run(in invocation: Invocation) throws -> CommandStatus {
    let access = try FolderAccess(invocation)
    var log = StageLog(folder: access.id)
    try log.refresh(access.repository)
    let runs = number.map { Array(log.runs.prefix($0)) } ?? log.runs
    if options.json {
      try printJSON(runs, access)
    } else if options.quiet {
      for run in runs { try invocation.output.line(Words.visible(run.run)) }
    } else {
      try printTable(runs, access)
    }
    return .done
  }

  private func printTable(_ runs: [PipelineRun], _ access: FolderAccess) throws {
    let (invocation, style) = (access.invocation, access.invocation.style)
    var table = Table(
      [.flexible, .left, .left, .flexible, .left], terminalWidth: invocation.width)
    for run in runs {
      let name = run.pipeline.isEmpty ? run.run : "\(run.pipeline)/\(run.run)"
      let began = (run.before ?? run.stages.first?.after)?.time
      let stages = run.stages.filter { !$0.key.stage.isEmpty }.map { stage in
        let attempt = stage.key.attempt > 1 ? " (\(stage.key.attempt))" : ""
        return "\(stage.key.stage)\(attempt) \(stage.outcome)"
      }
      let snapshots = [run.before, run.after].map { entry in
        entry.map { Words.short($0.snapshot) } ?? "—"
      }
      let isGood = run.outcome == StageEvent.ok.rawValue
      table.append([
        Table.Cell(Words.visible(name), style.name),
        Table.Cell(
          began.map { invocation.calendar.brief($0, now: invocation.time.now()) } ?? ""),
        Table.Cell(run.outcome) { isGood ? style.good($0) : style.warning($0) },
        Table.Cell(Words.visible(stages.joined(separator: ", "))),
        Table.Cell(snapshots.joined(separator: " → "), style.identifier),
      ])
    }
    for line in table.lines() { try invocation.output.line(line) }
  }

  private func printJSON(_ runs: [PipelineRun], _ access: FolderAccess) throws {
    var writer = JSONWriter(pretty: true)
    writer.array { writer in
      for run in runs {
        writer.object { writer in
          writer.field("runId", run.run)
          writer.field("pipeline", run.pipeline.isEmpty ? nil : run.pipeline)
          writer.field("outcome", run.outcome)
          Self.write(run.before, run.after, to: &writer)
          writer.array("stages") { writer in
            for stage in run.stages where !stage.key.stage.isEmpty {
              writer.object { writer in
                writer.field("stage", stage.key.stage)
                writer.field("attempt", stage.key.attempt)
                writer.field("outcome", stage.outcome)
                Self.write(stage.before, stage.after, to: &writer)
              }
            }
          }
        }
      }
    }
    writer.endLine()
    try access.invocation.output.write(writer.bytes)
  }

  private static func write(
    _ before: StageEntry?, _ after: StageEntry?, to writer: inout JSONWriter
  ) {
    writer.field("before", before?.snapshot.hex)
    writer.field("after", after?.snapshot.hex)
    writer.field("began", before?.time.rfc3339)
    writer.field("ended", after?.time.rfc3339)
  }
}
