internal import DTMFolder
internal import DTMRepository
internal import DTMSystem

/// What is said of a boundary that was recorded.
struct StageResult {
  private let options: OutputOptions
  private let access: FolderAccess

  init(_ options: OutputOptions, _ access: FolderAccess) {
    self.options = options
    self.access = access
  }

  /// Prints it, and returns how the command ends.
  func print(_ stage: TakenStage, _ event: StageEvent) throws -> CommandStatus {
    let known = stage.taken.known
    let output = access.invocation.output
    if options.json {
      let report = try access.report(stage.taken)
      var writer = JSONWriter(pretty: true)
      writer.object { writer in
        report.write(&writer)
        writer.field("created", stage.taken.isCreated)
        writer.field("runId", stage.key.run)
        writer.field("attempt", stage.key.attempt)
      }
      writer.endLine()
      try output.write(writer.bytes)
    } else if options.quiet {
      try output.line(event == .begin ? stage.key.run : known.id.hex)
    } else {
      let id = access.invocation.style.identifier(Words.short(known.id))
      let words = Words.visible(stage.key.words)
      try output.line(
        "\(id)  \(words): \(event.rawValue)\(stage.taken.isCreated ? "" : ", as recorded before")")
    }
    return known.snapshot.isComplete ? .done : .incomplete
  }
}
