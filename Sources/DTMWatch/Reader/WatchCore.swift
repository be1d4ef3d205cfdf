internal import DTMSystem
internal import SystemPackage

/// What the reader's thread and its callers share.
final class WatchCore: Sendable {
  let root: FolderRoot
  let options: FolderWatcher.Options
  let time: any TimeSource
  let state: Monitor<WatchState>
  /// Wakes the reader when something is asked of it.
  let wake: WakeSignal
  let onActivity: @Sendable (WatchActivity) -> Void

  init(
    root: FolderRoot, options: FolderWatcher.Options, time: any TimeSource, state: WatchState,
    wake: WakeSignal, onActivity: @escaping @Sendable (WatchActivity) -> Void
  ) {
    self.root = root
    self.options = options
    self.time = time
    self.state = Monitor(state)
    self.wake = wake
    self.onActivity = onActivity
  }
}
