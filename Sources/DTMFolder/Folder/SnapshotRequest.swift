package import DTMRepository
package import DTMSystem

/// What a snapshot is asked for with.
package struct SnapshotRequest: Sendable {
  package var changes: ChangeSet
  /// `manual`, `quiet`, `atMost`, `rule`, …
  package var trigger: String
  package var rules: [String] = []
  package var message = ""
  package var labels: [String: String] = [:]
  package var tags: [String] = []
  package var isPinned = false
  /// What the record says of the new snapshot beside the usual.
  package var facts: [String: [UInt8]] = [:]
  /// Makes none where nothing changed in content.
  package var ifChanged = false
  /// Reads files that are open for writing however long that takes: for manual, stage and marker
  /// snapshots.
  package var ignoresHotLimit = false
  /// A snapshot that looked at everything a moment ago: where the state is of it, only the change set's
  /// paths are looked at, and what that one was made by vouches for the rest.
  package var continues: ObjectID?
  /// Another time than now: for imports and tests.
  package var time: Timestamp?
  package var host = ""
  package var user = ""
  package var writerVersion = ""
  /// The operation's kind in the ref log.
  package var operation = "snapshot"
  /// For a scan beneath a watcher: whether an event told of a path. What else the scan finds is reported.
  package var isTold: (@Sendable (PathKey) -> Bool)?
  /// How long to wait for another process that captures; zero: not at all.
  package var patience = Duration.seconds(30)

  package init(_ changes: ChangeSet, trigger: String) {
    self.changes = changes
    self.trigger = trigger
  }
}

/// What came of a request.
package struct SnapshotOutcome: Sendable {
  /// The new snapshot, or the one that is there where nothing changed; nil only where nothing was
  /// there and none was asked for.
  package let id: ObjectID?
  package let snapshot: Snapshot?
  package let wasCreated: Bool
  package let duration: Duration
  /// Bytes that went to the packs.
  package let storedBytes: Int
  /// What the ref log says of a new snapshot; empty for one that was there.
  package let facts: [String: [UInt8]]
  /// What this look at the folder found: directories that are folders of their own, and so not in the
  /// snapshot; what could not be captured as it is; paths that nothing vouches for; files that
  /// somebody had open for writing.
  package let nested: [PathKey]
  package let problems: [Snapshot.Problem]
  package let uncovered: [PathKey]
  package let hot: [PathKey]
  /// What a scan found and no event had told (`SnapshotRequest.isTold`); so many at most.
  package let untold: [AuditVerdict.Finding]
}
