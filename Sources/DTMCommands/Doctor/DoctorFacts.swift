package import DTMControl
package import DTMSystem
package import SystemPackage

/// Everything that `dtm doctor` judges, as `MachineSurvey` finds it or a test makes it up.
package struct DoctorFacts: Sendable {
  /// As whom the daemon in question runs: root, or the user who asks.
  package var user: UInt32
  package var now: Timestamp
  /// Nil where /proc does not tell.
  package var limits: NotifyLimits?
  /// What all processes of the daemon's user use.
  package var usage: NotifyUsage?
  /// Whether something keeps the clock right; nil where the kernel does not tell.
  package var isClockSynchronized: Bool?
  package var hasJournal: Bool
  /// What is wrong with the configuration, a line each.
  package var configurationErrors: [String] = []
  package var daemon: DaemonFacts
  package var folders: [FolderFacts] = []

  package init(
    user: UInt32, now: Timestamp, limits: NotifyLimits?, usage: NotifyUsage?,
    isClockSynchronized: Bool?, hasJournal: Bool, daemon: DaemonFacts
  ) {
    self.user = user
    self.now = now
    self.limits = limits
    self.usage = usage
    self.isClockSynchronized = isClockSynchronized
    self.hasJournal = hasJournal
    self.daemon = daemon
  }

  /// Whether the system's daemon is meant, not a user's own.
  var isSystem: Bool { user == 0 }
}

/// Whether a daemon answers.
package enum DaemonFacts: Sendable, Equatable {
  case running(version: String, pid: Int, socket: String)
  /// `reason`: what connecting said.
  case notRunning(reason: String)
  /// It is there, and does not answer as it should.
  case failing(reason: String)
}

/// One folder: of the configuration, or the one that the command was run in.
package struct FolderFacts: Sendable {
  /// What is at the folder's path.
  package enum Place: Sendable, Equatable {
    case directory
    case missing
    case notDirectory
    case unreadable(Errno)
  }

  package var name: String
  package var path: FilePath
  /// The daemon's configuration names it.
  package var isConfigured: Bool
  package var place: Place
  /// Directories in it; nil where they were not counted.
  package var directories: Int?
  /// Counting was given up there: there are more.
  package var hasMoreDirectories = false
  package var fileSystem: FileSystemType?
  /// Whether a lease tells who writes; nil where no file was there to try.
  package var hasLeases: Bool?
  package var repository: RepositoryFacts?
  /// What a daemon says of it; nil where none knows it.
  package var status: FolderStatus?

  package init(name: String, path: FilePath, isConfigured: Bool, place: Place = .directory) {
    self.name = name
    self.path = path
    self.isConfigured = isConfigured
    self.place = place
  }
}

/// A folder's repository.
package struct RepositoryFacts: Sendable {
  /// Whether it opens.
  package enum Condition: Sendable, Equatable {
    case sound
    case missing
    case unreadable(String)
    case damaged(String)
  }

  package var path: FilePath
  package var condition: Condition
  /// The mode's permission bits; nil where it can't be looked at.
  package var permissions: UInt32?
  package var fileSystem: FileSystemType?
  /// Nil where this user may not try.
  package var abilities: FileSystemAbilities?
  package var space: FileSystemSpace?
  package var newestSnapshot: Timestamp?
  /// When all data was last read and found sound; nil where nobody knows.
  package var lastVerified: Timestamp?

  package init(path: FilePath, condition: Condition = .sound) {
    self.path = path
    self.condition = condition
  }
}
