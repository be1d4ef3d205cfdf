internal import DTMControl
internal import DTMFolder
internal import DTMRules
internal import DTMSystem

/// What a folder's thread is told.
enum FolderMessage: Sendable {
  typealias Answer<Value> = @Sendable (Result<Value, DaemonFault>) -> Void

  /// The watcher saw something, or a clock was moved: look again.
  case look
  /// The machine slept.
  case woke
  /// Somebody wants to know whether the thread lives.
  case ping(@Sendable () -> Void)
  /// `user`: who asks.
  case snapshot(
    DTMControl.SnapshotRequest, kind: TriggerKind, user: UInt32, Answer<DTMControl.SnapshotOutcome>)
  /// `holder`: whose connection the stage lives and dies with; nil for none.
  case stage(StageRequest, StageEvent, user: UInt32, holder: UInt64?, Answer<StageOutcome>)
  case wait(WaitRequest, id: UInt64, Answer<SnapshotSummary?>)
  case waitAbandoned(id: UInt64)
  /// `operation`: `restore`, `checkout`, `undo`, `redo`.
  case ownWritesBegan(operation: String, Answer<Void>)
  /// Holds automatic snapshots; the answer is when they resume by themselves.
  case pause(Duration?, Answer<Timestamp?>)
  /// The answer is whether there was a pause.
  case resume(Answer<Bool>)
  case policy(SettlePolicy)
}
