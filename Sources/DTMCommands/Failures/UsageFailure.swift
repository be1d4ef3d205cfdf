internal import ArgumentParser
internal import DTMSystem

/// Wrong usage in the form of all other failures.
enum UsageFailure {
  /// Refuses a first word that is no command, with the nearest that is one, and options that stand
  /// before theirs.
  static func checkVerb(_ arguments: [String]) throws(CommandFailure) {
    guard let word = arguments.first else { return }
    let names = verbs.map { $0._commandName } + ["help"]
    if word.hasPrefix("-") { return try checkOptions(arguments, before: names) }
    if names.contains(word) { return }
    let nearest = editDistanceNearest(word, among: names)
    throw CommandFailure(
      .usage, "there is no command \(Quoting.path(Array(word.utf8)))",
      hint: nearest.map { "did you mean dtm \($0)?" } ?? "dtm --help lists the commands")
  }

  private static func checkOptions(
    _ arguments: [String], before names: [String]
  ) throws(CommandFailure) {
    let options = arguments.prefix { $0.hasPrefix("-") }
    guard let verb = arguments.dropFirst(options.count).first, names.contains(verb) else { return }
    let given = options.map { Quoting.path(RawArguments.bytes(of: $0)) }.joined(separator: " ")
    throw CommandFailure(
      .usage, "\(given) stands before its command", hint: "only -C does: dtm \(verb) \(given)")
  }

  /// All commands that stand right after `dtm`.
  static var verbs: [any ParsableCommand.Type] {
    let configuration = DataTimeMachine.configuration
    return configuration.ungroupedSubcommands
      + configuration.groupedSubcommands.flatMap { $0.subcommands }
  }

  /// What the parser says, as one of ours.
  static func failure(_ error: any Error) -> CommandFailure {
    let message = DataTimeMachine.message(for: error)
    return CommandFailure(
      .usage, tidy(message), hint: help(DataTimeMachine.fullMessage(for: error)))
  }

  /// One line, in the middle of a sentence, without a full stop.
  private static func tidy(_ message: String) -> String {
    var text = message.split(separator: "\n").joined(separator: " ")
    if text.hasSuffix(".") { text.removeLast() }
    guard let first = text.first else { return "wrong usage" }
    return first.lowercased() + text.dropFirst()
  }

  /// `dtm log --help lists …` out of the parser's "See 'dtm log --help' for more information."
  private static func help(_ text: String) -> String {
    for line in text.split(separator: "\n").reversed() {
      let parts = line.split(separator: "'")
      if parts.count == 3, line.contains("See '") { return "\(parts[1]) explains it" }
    }
    return "dtm --help explains it"
  }
}
