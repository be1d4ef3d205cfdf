internal import DTMRules

enum GuardKey: String, ConfigurationKey {
  case removed, rewritten, within, atLeast
  case measures = "do"
  case hold

  static var objectName: String { "guard" }
  static var definition: String { "guard" }

  private static let usual = GuardPolicy.standard

  var rule: ValueRule {
    switch self {
    case .removed, .rewritten: .percentage
    case .within: .duration(.seconds(1)...(.seconds(86_400)))
    case .atLeast: .count(1...1_000_000_000)
    case .measures: .words(GuardPolicy.Measure.allCases.map(\.rawValue))
    case .hold: .duration(.seconds(60)...(.seconds(366 * 86_400)))
    }
  }

  var help: String {
    switch self {
    case .removed:
      "So many of the files are gone or empty, and no others took their place; left out of an object: that raises no alarm."
    case .rewritten:
      "So many of the files turned into something unlike what they were; noise, as encryption leaves it, weighs twice. Left out of an object: that raises no alarm."
    case .within: "What happens within so long counts together."
    case .atLeast: "Fewer files than this raise no alarm."
    case .measures:
      "What happens then: pin-previous pins the newest snapshot before the damage, hold-retention keeps anything from being pruned, alert tells somebody."
    case .hold:
      "How long retention is held, and the alarm is shown, unless dtm guard release ends it."
    }
  }

  var defaultText: String? {
    switch self {
    case .removed: Self.usual.removed.map { "\($0)%" }
    case .rewritten: Self.usual.rewritten.map { "\($0)%" }
    case .within: DurationText.text(of: Self.usual.within)
    case .hold: DurationText.text(of: Self.usual.hold)
    case .atLeast, .measures: nil
    }
  }
}

enum AlertKey: String, ConfigurationKey {
  case run, timeout

  static var objectName: String { "alert" }
  static var definition: String { "alert" }
  static var required: Set<AlertKey> { [.run] }

  var rule: ValueRule {
    switch self {
    case .run: .command
    case .timeout: .duration(.milliseconds(100)...(.seconds(3600)))
    }
  }

  var help: String {
    switch self {
    case .run:
      "The program, by its absolute path, and its arguments. The event is at its standard input, as JSON (as dtm watch --json prints it). It runs as the repository's owner."
    case .timeout: "After so long it is killed."
    }
  }

  var defaultText: String? {
    self == .timeout ? DurationText.text(of: AlertCommand(command: []).timeout) : nil
  }
}
