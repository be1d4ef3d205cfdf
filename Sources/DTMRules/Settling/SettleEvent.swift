/// What happens to a folder, as far as settling is concerned.
package enum SettleEvent: Sendable, Hashable {
  /// The deadline came, or the caller just wants to know.
  case timer
  /// Something changed, was modified or was closed after writing; a scan found a difference.
  case changed
  /// The daemon watches the folder from now on; `dirty`: it differs from its newest snapshot.
  case started(dirty: Bool)
  /// The answer to `.examineWriters`, or news without a question: whether a changed file is open
  /// for writing.
  case writers(open: Bool)
  /// A snapshot is asked for.
  case requested(SettleRequest)
  /// Several that fired together: what can be one snapshot is one.
  case requestedTogether([SettleRequest])

  /// The capture that was ordered has its barrier: what changes from now on is for the next one.
  case snapshotStarted
  /// It is committed, or nothing had changed. `stillDirty`: it left something to be captured again.
  case snapshotFinished(stillDirty: Bool)
  /// It failed and gave its changes back.
  case snapshotFailed

  /// A restore or checkout begins to write into the folder; several may.
  case ownWritesBegan
  /// One of them ended, well or not.
  case ownWritesEnded

  /// No automatic snapshots until resumed.
  case paused
  case resumed
  /// The folder can't be captured: its root is gone, replaced or not readable.
  case unavailable
  case available
  case policyChanged(SettlePolicy)
  /// The daemon ends: a last snapshot if something is dirty.
  case stopping
}

/// What the caller has to do now.
package enum SettleAction: Sendable, Hashable {
  case nothing
  /// Find out whether a changed file is open for writing, and answer with `.writers`.
  case examineWriters
  /// Take a snapshot: report `.snapshotStarted` after the barrier (unless it fails before), and
  /// `.snapshotFinished` or `.snapshotFailed` at the end. None other is ordered in between.
  case snapshot(SettleTrigger)
  /// After `.stopping`: nothing is left to do, and no event counts any more.
  case stopped
}
