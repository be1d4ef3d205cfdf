package import DTMRepository
package import DTMSystem
package import SystemPackage

/// What a restore is asked for with.
package struct RestoreRequest: Sendable {
  /// Which state is wanted.
  package enum Target: Sendable {
    case snapshot(KnownSnapshot)
    /// Each path's newest version that differs from what is there; for the whole folder its head.
    case newest
    /// Each path's own.
    case versions([(path: PathKey, snapshot: KnownSnapshot)])
  }

  package var target: Target
  /// What is asked for; empty: the whole folder.
  package var paths: [PathKey] = []
  /// Lays the paths out whole beneath this directory, and leaves the folder alone.
  package var destination: FilePath?
  /// Into a destination that is not empty, replacing what is in the way.
  package var overwrites = false
  /// Keeps what was added since.
  package var keepsAdded = false
  /// Plans, and changes nothing.
  package var isDryRun = false
  package var takesSafetySnapshot = true
  /// Writes into large files what differs, where they are: needs no room for a second copy, and a safety
  /// snapshot. Such a file is not replaced in one step.
  package var isInPlace = false
  /// `restore` or `checkout`: the operation's kind and the trigger of the result's snapshot.
  package var kind = "restore"
  /// A line for people in the list of operations; a fitting one where it is empty.
  package var summary = ""
  /// A checkout that goes on on another branch: its name.
  package var branch: String?
  /// The branch is new, and begins at this snapshot.
  package var newBranchFrom: ObjectID?
  package var host = ""
  package var user = ""
  package var writerVersion = ""
  /// The folder itself was gone, and has just been made again.
  var isAnew = false
  /// The operation that is taken back or brought again; set by undo and redo.
  var undoes: UInt64?

  package init(_ target: Target, paths: [PathKey] = []) {
    self.target = target
    self.paths = paths
  }
}

/// What came of a restore.
package struct RestoreOutcome: Sendable {
  /// What happens, or would happen, to one path.
  package struct Change: Sendable, Hashable {
    /// Which command asked: it names the snapshots that come of it.
    package enum Kind: String, Sendable {
      case added, replaced, removed, metadata
    }
    package let path: PathKey
    package let kind: Kind
    package let fileKind: FileKind
    /// Bytes of the file, now and afterwards.
    package let oldSize: Int?
    package let newSize: Int?
  }

  /// A file that was replaced or removed while somebody had it open for writing.
  package struct OpenFile: Sendable, Hashable {
    /// In the folder.
    package let path: PathKey
    /// As far as they can be told.
    package let writers: [FileWriter]
  }

  /// The state that was wanted; of several paths' different ones the newest.
  package var snapshot: KnownSnapshot?
  /// Which version each path went back to, where it was chosen.
  package var versions: [(path: PathKey, snapshot: KnownSnapshot)] = []
  /// Paths of which every kept version is as it is now.
  package var unchanged: [PathKey] = []
  /// Holds what would have been lost; nil where nothing was.
  package var safetySnapshot: KnownSnapshot?
  /// The state afterwards; nil where there was nothing to do.
  package var restoreSnapshot: KnownSnapshot?
  /// For `dtm undo`.
  package var operation: UInt64?
  /// Entries created or replaced.
  package var written = 0
  package var removed = 0
  /// Entries whose mode, owner, times or attributes alone changed.
  package var metadata = 0
  package var bytesWritten = 0
  /// In key order.
  package var problems: [Snapshot.Problem] = []
  /// Those of the problems' paths that the repository can't give back whole, in order.
  package var damaged: [PathKey] = []
  /// In key order: what their writers write from then on is not in the folder.
  package var openFiles: [OpenFile] = []
  /// In key order.
  package var plan: [Change] = []
  /// An earlier restore that was cut off, and finished or taken back first.
  package var recovery: RecoveryOutcome?

  init() {}
}

/// What became of a restore that was cut off.
package struct RecoveryOutcome: Sendable {
  /// It was carried to its end; false: taken back, as not everything was built.
  package let isFinished: Bool
  /// `restore`, `checkout`, `undo`, `redo`.
  package let kind: String
  package let problems: [Snapshot.Problem]
  /// Of the result, where it was finished.
  package let snapshot: KnownSnapshot?
}

/// What a restore has done since its safety snapshot.
package struct OwnChanges: Sendable {
  /// The safety snapshot, or the one that was as the folder was.
  package let snapshot: ObjectID
  /// As a change set has them.
  package let paths: [(key: PathKey, scope: ChangeSet.Scope)]

  init(_ plan: RestorePlan, since snapshot: ObjectID) {
    self.snapshot = snapshot
    let items = plan.items.lazy.filter { $0.container == nil && $0.action != .keep }
    var scopes: [PathKey: ChangeSet.Scope] = [:]
    for settling in plan.settlings { scopes[settling.key] = .entry }
    for item in items {
      let isDirectory = item.old?.kind == .directory || item.new?.kind == .directory
      scopes[item.key] = isDirectory ? .subtree : .entry
    }
    paths = scopes.map { (key: $0.key, scope: $0.value) }.sorted { $0.key < $1.key }
  }
}

/// Makes the snapshots that go with a restore: the folder itself, or the daemon that protects it.
package protocol RestoreRecorder {
  /// Takes a snapshot of the folder as it is.
  ///
  /// `trigger`: `safety`, `restore`, `checkout`, `undo`, `redo`. `ifChanged`: the newest one where
  /// nothing has changed in content. `isWhole`: everything has to be read, as the folder was made anew.
  /// `since`: what was done to the folder since a snapshot that looked at everything; nil: not known.
  func takeSnapshot(
    trigger: String, message: String, ifChanged: Bool, isWhole: Bool, since: OwnChanges?
  ) throws(FolderError) -> (snapshot: KnownSnapshot, wasCreated: Bool)
}

extension RestorePlan {
  /// What it does, for people: in key order, without times of directories.
  var changes: [RestoreOutcome.Change] {
    var changes: [RestoreOutcome.Change] = []
    for item in items {
      let kind: RestoreOutcome.Change.Kind
      switch item.action {
      case .keep: continue
      case .add: kind = .added
      case .replace, .exchange, .clear, .overwrite: kind = .replaced
      case .remove, .removeDirectory: kind = .removed
      case .adjust: kind = .metadata
      }
      changes.append(Self.change(item.key, kind, item.old, item.new))
    }
    for settling in settlings where settling.isChange {
      changes.append(Self.change(settling.key, .metadata, settling.old, settling.new))
    }
    return changes.sorted { $0.path < $1.path }
  }

  private static func change(
    _ key: PathKey, _ kind: RestoreOutcome.Change.Kind, _ old: TreeEntry?, _ new: TreeEntry?
  ) -> RestoreOutcome.Change {
    let size = { (entry: TreeEntry?) in
      entry.flatMap { $0.kind == .file ? Int(clamping: $0.size) : nil }
    }
    return RestoreOutcome.Change(
      path: key, kind: kind, fileKind: (new ?? old)?.kind ?? .file, oldSize: size(old),
      newSize: size(new))
  }
}
