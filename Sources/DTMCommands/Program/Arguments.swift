internal import ArgumentParser
internal import DTMSystem

/// `KEY=VALUE` on the command line.
struct LabelArgument: ExpressibleByArgument {
  let key: String
  let value: String

  init?(argument: String) {
    guard let equals = argument.firstIndex(of: "="), equals > argument.startIndex else {
      return nil
    }
    key = String(argument[..<equals])
    value = String(argument[argument.index(after: equals)...])
  }

  /// Labels by key; the last of a key counts.
  static func dictionary(_ labels: [LabelArgument]) -> [String: String] {
    Dictionary(labels.map { ($0.key, $0.value) }) { $1 }
  }
}

/// A span of time on the command line: `250ms`, `5s`, `1h30m`.
struct SpanArgument: ExpressibleByArgument {
  let duration: Duration

  init?(argument: String) {
    guard let duration = HumanUnits.parseDuration(argument) else { return nil }
    self.duration = duration
  }
}

extension Invocation {
  /// The moment that `text` names, for the option `option`.
  func moment(_ text: String, option: String) throws -> Timestamp {
    if let moment = calendar.resolve(text, now: time.now()) { return moment }
    throw CommandFailure(
      .usage, "\(option): \(Quoting.path(Array(text.utf8))) is no time",
      hint: "as in 2h, yesterday, 02:10, 2026-11-22, 2026-11-22T02:10, or with a zone")
  }
}
