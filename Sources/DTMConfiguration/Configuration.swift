package import DTMRules
package import DTMSystem
package import SystemPackage

/// What `dtmd` is to do: the daemon's own settings and the folders it protects.
package struct Configuration: Sendable, Hashable {
  /// The daemon's own settings.
  package var daemon: DaemonConfiguration
  /// In the order of the files; names and paths differ, none lies in another.
  package var folders: [FolderConfiguration]
  /// The files it came from, in the order in which they were read.
  package var files: [FilePath]

  package init(
    daemon: DaemonConfiguration = DaemonConfiguration(), folders: [FolderConfiguration] = [],
    files: [FilePath] = []
  ) {
    self.daemon = daemon
    self.folders = folders
    self.files = files
  }

  /// The folder with this name.
  package func folder(named name: String) -> FolderConfiguration? {
    folders.first { $0.name == name }
  }

  /// The folder that is, or holds, an absolute path; by the path's text alone, which also finds a
  /// folder that is gone.
  package func folder(holding path: FilePath) -> FolderConfiguration? {
    let path = path.lexicallyNormalized()
    return folders.first { path.starts(with: $0.path) }
  }
}

/// The daemon's own settings.
package struct DaemonConfiguration: Sendable, Hashable {
  /// Where the control socket is; nil means the usual place.
  package var socket: FilePath?
  /// Where metrics are kept as a file; nil where nobody wants one.
  package var metricsFile: FilePath?
  /// The least that goes to the journal.
  package var logLevel: LogLevel

  package init(
    socket: FilePath? = nil, metricsFile: FilePath? = nil, logLevel: LogLevel = .info
  ) {
    self.socket = socket
    self.metricsFile = metricsFile
    self.logLevel = logLevel
  }
}

/// What goes to the journal; the words are swift-log's.
package enum LogLevel: String, Sendable, CaseIterable {
  case trace, debug, info, notice, warning, error, critical
}

/// One protected folder, with everything that `defaults` and the built-in values add.
package struct FolderConfiguration: Sendable, Hashable {
  /// Unique; also the name of a repository that is kept elsewhere.
  package var name: String
  /// Absolute, without `.` and `..`.
  package var path: FilePath
  /// Absolute; nil means what the folder's own `.dtm` says.
  package var repository: FilePath?
  /// Patterns as in .gitignore: those of `defaults` first, so that the folder's own can take them
  /// back with `!`.
  package var ignore: [String]
  /// Files that fit together only as they were at one moment.
  package var together: [FileGroup]
  /// When it is captured after a change.
  package var settle: SettlePolicy
  /// When it is captured besides.
  package var rules: [Rule]
  /// What says whether a snapshot is good.
  package var checks: [Check]
  /// Which snapshots stay.
  package var keep: KeepPolicy
  /// What is watched over beside, and what happens then.
  package var guarding: GuardPolicy
  /// What is run for events that somebody should look at; nil: they go to the journal alone.
  package var alert: AlertCommand?
  /// Where it is written.
  package var source: ConfigurationSource

  package init(
    name: String, path: FilePath, repository: FilePath? = nil, ignore: [String] = [],
    together: [FileGroup] = [], settle: SettlePolicy = SettlePolicy(), rules: [Rule] = [],
    checks: [Check] = [], keep: KeepPolicy = KeepPolicy(), guarding: GuardPolicy = .standard,
    alert: AlertCommand? = nil,
    source: ConfigurationSource
  ) {
    self.name = name
    self.path = path
    self.repository = repository
    self.ignore = ignore
    self.together = together
    self.settle = settle
    self.rules = rules
    self.checks = checks
    self.keep = keep
    self.guarding = guarding
    self.alert = alert
    self.source = source
  }
}

/// A place in a configuration file.
package struct ConfigurationSource: Sendable, Hashable {
  /// The file as it was opened.
  package var file: FilePath
  /// From 1.
  package var line: Int
  /// In bytes, from 1.
  package var column: Int
  /// Whether the file holds this folder and nothing else.
  package var isDropIn: Bool

  package init(file: FilePath, line: Int, column: Int, isDropIn: Bool) {
    self.file = file
    self.line = line
    self.column = column
    self.isDropIn = isDropIn
  }
}
