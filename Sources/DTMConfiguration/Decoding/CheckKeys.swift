internal import DTMRules

enum CheckKey: String, ConfigurationKey {
  case name, run, timeout, on, after

  static var objectName: String { "a check" }
  static var definition: String { "check" }
  static var required: Set<CheckKey> { [.name, .run] }

  private static let usual = Check(name: "", command: [])

  var rule: ValueRule {
    switch self {
    case .name: .ruleName
    case .run: .command
    case .timeout: .duration(.milliseconds(100)...(.seconds(86_400)))
    case .on: .word(Check.Place.allCases.map(\.rawValue))
    case .after: .object(CheckAfterKey.self)
    }
  }

  var help: String {
    switch self {
    case .name:
      "A name that no other check of the folder has; a snapshot's JSON has the result under it."
    case .run:
      "The program, by its absolute path, and its arguments. Status 0 passes, 1 to 99 fails, anything else is an error. DTM_SNAPSHOT, DTM_FOLDER and DTM_CHANGED (a file with the changed paths, each ended by a NUL) are in its environment. It runs as the repository's owner."
    case .timeout: "After so long it is killed, which is an error."
    case .on:
      "view: in a copy of the snapshot, laid out for it; folder: in the folder as it is then."
    case .after: "After which snapshots it runs; left out: after each."
    }
  }

  var defaultText: String? {
    switch self {
    case .timeout: DurationText.text(of: Self.usual.timeout)
    case .on: Self.usual.place.rawValue
    case .name, .run, .after: nil
    }
  }
}

/// After which snapshots a check runs.
enum CheckAfterKey: String, ConfigurationKey {
  case triggers, rules, labels

  static var objectName: String { "after" }
  static var definition: String { "after" }

  var rule: ValueRule {
    switch self {
    case .triggers: .words(TriggerKind.allCases.map(\.rawValue))
    case .rules: .patterns
    case .labels: .templates
    }
  }

  var help: String {
    switch self {
    case .triggers: "The snapshot was taken for one of these reasons."
    case .rules: "A rule fired whose name fits one of these patterns."
    case .labels:
      "The snapshot has these labels; their values are patterns, as in {\"stage\": \"clean*\"}."
    }
  }
}
