internal import DTMFolder
internal import DTMRepository
internal import DTMSystem

/// What is said of an undo or a redo.
struct OperationResult {
  private let options: OutputOptions
  private let access: FolderAccess

  init(_ options: OutputOptions, _ access: FolderAccess) {
    self.options = options
    self.access = access
  }

  /// Prints it, and returns how the command ends. `word`: `took back`, `did again`.
  func print(_ outcome: UndoOutcome, word: String) throws -> CommandStatus {
    let output = access.invocation.output
    if options.json {
      var writer = JSONWriter(pretty: true)
      writer.object { writer in
        writer.object("undone") { writer in
          writer.field("id", outcome.operation.id)
          writer.field("kind", outcome.operation.kind)
          writer.field("summary", outcome.operation.summary)
        }
        RestoreResult.write(outcome.restore, operation: outcome.sequence, &writer)
      }
      writer.endLine()
      try output.write(writer.bytes)
    } else if !options.quiet {
      for line in lines(outcome, word: word) { try output.line(line) }
    }
    return RestoreResult.status(outcome.restore)
  }

  private func lines(_ outcome: UndoOutcome, word: String) -> [String] {
    let style = access.invocation.style
    let operation = outcome.operation
    var lines = [
      "\(word) operation \(style.identifier(String(operation.id))): "
        + Words.firstLine(operation.summary)
    ]
    guard let restore = outcome.restore else { return lines }
    let did = RestoreResult.did(restore)
    if !did.isEmpty { lines.append("  \(did)") }
    if let safety = restore.safetySnapshot {
      lines.append("  what was there is in \(style.identifier(Words.short(safety.id)))")
    }
    lines += restore.problems.map { problem in
      "  " + style.warning(problem.kind.rawValue)
        + "  \(Quoting.path(problem.key)): \(Words.visible(problem.detail))"
    }
    return lines
  }
}
