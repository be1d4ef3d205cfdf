enum RuleKey: String, ConfigurationKey {
  case name, on, labels, tag, pin

  /// Bytes of a rule's name.
  static let longestName = 100

  static var objectName: String { "a rule" }
  static var definition: String { "rule" }
  static var required: Set<RuleKey> { [.name, .on] }

  var rule: ValueRule {
    switch self {
    case .name: .ruleName
    case .on: .object(ConditionKey.self)
    case .labels: .templates
    case .tag: .template
    case .pin: .flag
    }
  }

  var help: String {
    switch self {
    case .name:
      "A name that no other rule of the folder has; a snapshot names the rules that fired."
    case .on: "What fires it; all that is given has to hold."
    case .labels:
      "Labels of the snapshot. In their values {path}, {name}, {stem} and {dir} are of what the rule fires for, {dir.name} of its directory; {rule}, {time} and {folder}."
    case .tag: "A tag of the snapshot, with the same words."
    case .pin: "Whether the snapshot is kept for good."
    }
  }
}

/// What fires a rule.
enum ConditionKey: String, ConfigurationKey {
  case marker, movedIn, filesChanged, bytesChanged, every, at, directory, has, stage

  static var objectName: String { "on" }
  static var definition: String { "on" }

  static let longestPeriod = Duration.seconds(366 * 86_400)

  var rule: ValueRule {
    switch self {
    case .marker, .movedIn, .directory, .stage: .pattern
    case .filesChanged: .count(1...1_000_000_000)
    case .bytesChanged: .size
    case .every: .duration(.seconds(1)...Self.longestPeriod)
    case .at: .timeOfDay
    case .has: .object(HasKey.self)
    }
  }

  var help: String {
    switch self {
    case .marker:
      "A file that fits this pattern was closed, or put in its place: once for each version of it."
    case .movedIn: "A file or directory was renamed to a name that fits this pattern."
    case .filesChanged: "So many paths changed since the last snapshot."
    case .bytesChanged: "The files that changed since the last snapshot hold so much, as in 20GiB."
    case .every:
      "So long has passed since it last fired; a time that was missed is made up for once."
    case .at: "A local time of day, as in 02:30; a time that was missed is made up for once."
    case .directory: "A directory that fits this pattern holds what has says."
    case .has: "What the directory holds."
    case .stage: "A stage with a name that fits begins, ends or fails (dtm stage, dtm run --stage)."
    }
  }
}

/// What a directory holds.
enum HasKey: String, ConfigurationKey {
  case files, matching

  static var objectName: String { "has" }
  static var definition: String { "has" }
  static var required: Set<HasKey> { [.files] }

  var rule: ValueRule {
    switch self {
    case .files: .count(1...1_000_000)
    case .matching: .pattern
    }
  }

  var help: String {
    switch self {
    case .files: "At least so many files."
    case .matching: "Whose names fit this pattern."
    }
  }

  var defaultText: String? { self == .matching ? "*" : nil }
}
