internal import DTMWatch
internal import Synchronization

/// Decides whether what the watcher saw wakes the folder's thread: a folder that is dirty already
/// and waits for its time need not be woken by each further change.
final class ActivityGate: Sendable {
  private struct State {
    var wantsChanges = true
    var condition: WatchCondition?
    var isLookPending = false
  }

  private let state = Mutex(State())

  /// Whether the thread is to be told; called in the watcher's thread.
  func opens(for activity: WatchActivity) -> Bool {
    state.withLock { state in
      let isNewCondition = activity.condition != state.condition
      state.condition = activity.condition
      let isWanted = isNewCondition || state.wantsChanges || activity.hasBoundaries
      if state.isLookPending || !isWanted { return false }
      state.isLookPending = true
      return true
    }
  }

  /// The thread is about to look at the watcher.
  func willLook() {
    state.withLock { $0.isLookPending = false }
  }

  /// What the thread wants to be woken for, beside news of the watcher's condition.
  func setWantsChanges(_ wantsChanges: Bool) {
    state.withLock { $0.wantsChanges = wantsChanges }
  }
}
