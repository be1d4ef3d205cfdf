internal import DTMSystem
internal import DTMWatch
internal import Synchronization

/// The proof that a folder's two threads live: the one that captures and the watcher's reader.
///
/// The reader answers a barrier, or has seen or watched something since the last round. The capturing
/// thread answers a message, or counted entries or bytes since the last round: a first snapshot takes
/// hours, and is no reason to kill the daemon as long as it gets on.
final class FolderPulse: Pulse {
  private struct Seen: Equatable {
    var progress = WorkProgress.Reading()
    var events: UInt64 = 0
    var directories = 0
    var pending = 0
  }

  let part: String
  private let shared: FolderShared
  private let seen = Mutex(Seen())

  init(folder: String, shared: FolderShared) {
    part = "the folder \(folder)"
    self.shared = shared
  }

  func isAlive(until deadline: Deadline) -> Bool {
    if shared.isStopping.load(ordering: .relaxed) { return true }
    let answered = Monitor(false)
    // A mailbox that is full is one that nobody empties.
    shared.mailbox.offer(.ping { answered.update { $0 = true } })
    let watcher = shared.state.withLock { $0.watcher }
    let readerAnswers = watcher.map { isAnswered(by: $0, until: deadline) } ?? true
    let threadAnswers = answered.wait(until: deadline) { $0 ? true : nil } ?? false
    var now = Seen()
    now.progress = shared.progress.reading
    if let status = watcher?.status {
      now.events = status.events
      now.directories = status.watchedDirectories
      now.pending = status.pendingDirectories
    }
    let before = seen.withLock { seen in
      defer { seen = now }
      return seen
    }
    let readerWorks =
      (now.events, now.directories, now.pending)
      != (before.events, before.directories, before.pending)
    return (readerAnswers || readerWorks) && (threadAnswers || now.progress != before.progress)
  }

  private func isAnswered(by watcher: FolderWatcher, until deadline: Deadline) -> Bool {
    do throws(WatchError) {
      try watcher.barrier(within: deadline.remaining ?? .zero)
      return true
    } catch {
      // A reader that ended while nobody stopped it is dead.
      return error.code == .stopped && shared.isStopping.load(ordering: .relaxed)
    }
  }
}
