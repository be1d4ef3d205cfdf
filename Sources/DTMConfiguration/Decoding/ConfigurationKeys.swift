internal import DTMRules

/// The keys of one kind of object in a configuration: the table that the decoder, its error texts
/// and the JSON Schema are made from.
///
/// The decoder switches over the cases, so that a key it does not read does not compile.
protocol ConfigurationKey: CaseIterable, Hashable, RawRepresentable, Sendable
where RawValue == String {
  /// The object in an error text, such as "a folder".
  static var objectName: String { get }
  /// The object's name among the schema's definitions.
  static var definition: String { get }
  static var required: Set<Self> { get }

  /// What its value may be.
  var rule: ValueRule { get }
  /// One sentence for editors.
  var help: String { get }
  /// Whether `null` means the same as leaving the key out.
  var isNullable: Bool { get }
  /// The value that leaving it out means, where there is one that can be written down.
  var defaultText: String? { get }
}

extension ConfigurationKey {
  static var required: Set<Self> { [] }
  var isNullable: Bool { false }
  var defaultText: String? { nil }

  static var words: [String] { allCases.map(\.rawValue) }
}

/// What a value may be.
enum ValueRule: Sendable {
  /// Any text: the schema's own address, which only editors use.
  case schemaAddress
  case absolutePath(maximumLength: Int)
  case folderName
  case word([String])
  case duration(ClosedRange<Duration>)
  case patterns
  /// Arrays of names with one `*` each.
  case groups
  /// One pattern, which takes nothing back.
  case pattern
  case count(ClosedRange<Int>)
  /// Bytes, at least one.
  case size
  /// `02:30`, local.
  case timeOfDay
  case flag
  /// `30%`: a whole number from 1 to 100.
  case percentage
  /// An array of some of these words.
  case words([String])
  /// An array of texts: a program's absolute path, and its arguments.
  case command
  case ruleName
  /// A text with `{words}` in it.
  case template
  /// An object of templates.
  case templates
  case object(any ConfigurationKey.Type)
  case objects(any ConfigurationKey.Type)
}

/// The whole document.
enum DocumentKey: String, ConfigurationKey {
  case schema = "$schema"
  case daemon, defaults, folders

  static var objectName: String { "the configuration" }
  static var definition: String { "configuration" }

  var rule: ValueRule {
    switch self {
    case .schema: .schemaAddress
    case .daemon: .object(DaemonKey.self)
    case .defaults: .object(DefaultsKey.self)
    case .folders: .objects(FolderKey.self)
    }
  }

  var help: String {
    switch self {
    case .schema: "Where editors find this schema; dtmd does not read it."
    case .daemon: "The daemon's own settings."
    case .defaults: "What holds for every folder that does not say otherwise."
    case .folders:
      "The folders to protect. More can stand in dtmd.json.d/*.json, one object a file."
    }
  }
}

enum DaemonKey: String, ConfigurationKey {
  case socket, metricsFile, logLevel

  static var objectName: String { "daemon" }
  static var definition: String { "daemon" }

  /// sockaddr_un: `sun_path` has 108 bytes, one of them for NUL.
  static let longestSocketPath = 107
  /// PATH_MAX with the NUL is 4096; a name is written beside the file too.
  static let longestPath = 4000

  var rule: ValueRule {
    switch self {
    case .socket: .absolutePath(maximumLength: Self.longestSocketPath)
    case .metricsFile: .absolutePath(maximumLength: Self.longestPath)
    case .logLevel: .word(LogLevel.allCases.map(\.rawValue))
    }
  }

  var help: String {
    switch self {
    case .socket:
      "The control socket; left out: /run/dtm/dtmd.sock, or $XDG_RUNTIME_DIR/dtm/dtmd.sock of a user's own daemon."
    case .metricsFile:
      "Where metrics are kept as a file for node_exporter's textfile collector; its name ends in .prom there."
    case .logLevel: "What goes to the journal."
    }
  }

  var isNullable: Bool { self != .logLevel }
  var defaultText: String? { self == .logLevel ? LogLevel.info.rawValue : nil }
}

enum DefaultsKey: String, ConfigurationKey {
  case settle, ignore

  static var objectName: String { "defaults" }
  static var definition: String { "defaults" }

  var rule: ValueRule {
    switch self {
    case .settle: .object(SettleKey.self)
    case .ignore: .patterns
    }
  }

  var help: String {
    switch self {
    case .settle: "When a folder that changed is captured."
    case .ignore:
      "Patterns as in .gitignore of what no folder's snapshots hold; each folder's own come after them."
    }
  }
}

enum FolderKey: String, ConfigurationKey {
  case schema = "$schema"
  case name, path, repository, ignore, together, settle, rules, checks, keep, alert
  case guarding = "guard"

  static var objectName: String { "a folder" }
  static var definition: String { "folder" }
  static var required: Set<FolderKey> { [.path] }

  var rule: ValueRule {
    switch self {
    case .schema: .schemaAddress
    case .name: .folderName
    // PATH_MAX has 4096 bytes, one of them for NUL.
    case .path, .repository: .absolutePath(maximumLength: 4095)
    case .ignore: .patterns
    case .together: .groups
    case .settle: .object(SettleKey.self)
    case .rules: .objects(RuleKey.self)
    case .checks: .objects(CheckKey.self)
    case .keep: .object(KeepKey.self)
    case .guarding: .object(GuardKey.self)
    case .alert: .object(AlertKey.self)
    }
  }

  var help: String {
    switch self {
    case .schema: "Where editors find this schema; dtmd does not read it."
    case .name: "A name that no other folder has; left out: the path's last component."
    case .path: "The folder to protect: absolute, without . and .., in no other folder."
    case .repository:
      "Where its history is kept; left out: what the folder's own .dtm says."
    case .ignore: "Patterns as in .gitignore of what its snapshots do not hold."
    case .together:
      "Files of one directory that fit together only as they were at one moment: arrays of names with one * each, which stands for the same in all; SQLite's and DuckDB's need not be told."
    case .settle: "When it is captured after a change; what is left out is as in defaults."
    case .rules: "When it is captured besides, and what those snapshots are given."
    case .checks: "Commands that say whether a snapshot is good, run after each."
    case .keep:
      "Which snapshots stay: dtmd prunes the others daily. Where it is there only what it lists holds; left out: last 20, hourly 48, daily 30, weekly 12, monthly 24, yearly 5, within 1d."
    case .guarding:
      "What raises an alarm when files are removed or destroyed in mass. Left out: as the defaults of its keys are; an object means only the shares that it has, and {} guards nothing."
    case .alert: "A command that is run for each alert; left out: alerts go to the journal alone."
    }
  }

  var isNullable: Bool { self == .repository }
}

enum SettleKey: String, ConfigurationKey {
  case quiet, atMost, minInterval, openFiles

  static var objectName: String { "settle" }
  static var definition: String { "settle" }

  private static let builtIn = SettlePolicy()

  var rule: ValueRule {
    switch self {
    case .quiet: .duration(.milliseconds(10)...(.seconds(86_400)))
    case .atMost: .duration(.milliseconds(100)...(.seconds(30 * 86_400)))
    case .minInterval: .duration(.zero...(.seconds(30 * 86_400)))
    case .openFiles: .word(SettlePolicy.OpenFiles.allCases.map(\.rawValue))
    }
  }

  var help: String {
    switch self {
    case .quiet: "No event for so long: the folder is quiet and is captured."
    case .atMost:
      "A folder that is never quiet is captured so long after its first change; not shorter than quiet and minInterval."
    case .minInterval: "At least so long from one automatic snapshot to the next."
    case .openFiles:
      "wait: a folder is not quiet while a changed file is open for writing (atMost is the limit); capture: it is."
    }
  }

  var defaultText: String? {
    switch self {
    case .quiet: DurationText.text(of: Self.builtIn.quiet)
    case .atMost: DurationText.text(of: Self.builtIn.atMost)
    case .minInterval: DurationText.text(of: Self.builtIn.minInterval)
    case .openFiles: Self.builtIn.openFiles.rawValue
    }
  }
}
