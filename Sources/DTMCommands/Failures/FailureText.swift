internal import DTMSystem

/// How a failure reaches people and scripts: on standard error, as words or as JSON.
struct FailureText {
  let isJSON: Bool
  let style: Style

  func bytes(_ failure: CommandFailure) -> [UInt8] {
    isJSON ? json(failure) : Array(text(failure).utf8)
  }

  private func text(_ failure: CommandFailure) -> String {
    var lines = [style.failure("dtm: error:") + " " + oneLine(failure.message)]
    for detail in failure.details { lines.append("  " + oneLine(detail)) }
    if let hint = failure.hint { lines.append("  hint: " + oneLine(hint)) }
    return lines.map { $0 + "\n" }.joined()
  }

  private func json(_ failure: CommandFailure) -> [UInt8] {
    var writer = JSONWriter()
    writer.object { writer in
      writer.object("error") { writer in
        writer.field("code", failure.code.rawValue)
        writer.field("message", failure.message)
        writer.field("details", strings: failure.details)
        writer.field("hint", failure.hint)
      }
    }
    writer.endLine()
    return writer.bytes
  }

  /// A message may hold what came from outside: it stays one line.
  private func oneLine(_ text: String) -> String {
    text.contains("\n") ? text.split(separator: "\n").joined(separator: "; ") : text
  }
}
