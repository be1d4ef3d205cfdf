internal import DTMControl
internal import DTMRules

/// What a folder's thread is told.
enum FolderMessage: Sendable {
  typealias Answer<Value> = @Sendable (Result<Value, DaemonFault>) -> Void

  /// The watcher saw something, or a clock was moved: look again.
  case look
  /// `user`: who asks.
  case snapshot(SnapshotRequest, kind: TriggerKind, user: UInt32, Answer<SnapshotOutcome>)
  case wait(WaitRequest, id: UInt64, Answer<SnapshotSummary?>)
  case waitAbandoned(id: UInt64)
  case ownWritesBegan(Answer<Void>)
  case ownWritesEnded
  case policy(SettlePolicy)
}
