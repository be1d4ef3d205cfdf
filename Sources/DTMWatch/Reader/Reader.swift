internal import DTMSystem
internal import SystemPackage

/// The loop of the thread that reads a folder's events.
///
/// Lives in its thread alone. Reading comes first and does nothing but update nodes and marks;
/// directories are watched and listed in slices between.
final class Reader {
  let core: WatchCore
  var notify: NotifyInstance?
  private var batch = NotifyBatch()
  private let mounts: MountTable?
  /// The root, open while directories are to be armed; see `FolderRoot.open`.
  var session: CrawlSession?
  /// The directory that is, or was last, watched.
  var identity: FolderRoot.Identity?

  // Recovery
  /// On `TimeSource.monotonic()`: when to try again what failed.
  var retryAt: Duration?
  var retryWait = BackOff(first: .seconds(1), limit: .seconds(60))
  var overflowWait = BackOff(first: .seconds(1), limit: .seconds(60))
  var lastOverflow: Duration?
  /// One directory is tried to learn whether watches can be had again.
  var isProbing = false

  private var lastActivity: WatchActivity?

  init(core: WatchCore) {
    self.core = core
    do throws(Errno) {
      mounts = try MountTable()
    } catch {
      // Without /proc no watch can be added either: said as an uncovered root.
      mounts = nil
    }
  }

  /// Runs until it is asked to stop, or the system fails it.
  func run() {
    var failure: WatchError?
    do throws(Errno) {
      recoverRoot(isAccepted: false)
      while try turn() {}
    } catch {
      failure = WatchError(
        code: .stopped, message: "The reader of \(pathForMessages) ended", cause: error)
    }
    notify = nil
    session = nil
    core.state.update { state in
      state.abandon(state.condition)
      state.exchange.end = ReaderEnd(error: failure)
    }
  }

  var pathForMessages: String {
    Quoting.path(Array(core.root.path.description.utf8))
  }

  /// One turn of the loop; false when it is to end.
  private func turn() throws(Errno) -> Bool {
    let mountsChanged = try waitForWork()
    // What is asked from here on is answered in the next turn.
    let asked = core.state.withLock { state in
      let asked = state.exchange
      if !asked.isSuspended {
        state.exchange.isAcceptRequested = false
        state.exchange.isRestartRequested = false
      }
      return asked
    }
    if asked.isStopRequested { return false }
    if asked.isDropRequested { try dropEvents() }
    if asked.isSuspended { return true }
    let isAsked = asked.requestedBarriers != asked.finishedBarriers
    try drain(endsEpoch: true)
    handleOverflow()
    if mountsChanged { lookAtMounts() }
    if asked.isAcceptRequested { recoverRoot(isAccepted: true) }
    if asked.isRestartRequested { restart() }
    if core.state.withLock({ $0.isAstray }) { restart() }
    let isSuspect = core.state.withLock { $0.rootIsSuspect }
    if isSuspect || isAsked || mountsChanged { verifyRoot() }
    retryIfDue()
    if isAsked {
      core.state.update { $0.exchange.finishedBarriers = asked.requestedBarriers }
    }
    try crawlSlice()
    tellActivity()
    return true
  }

  /// Waits for events, requests, or the time of a retry; returns whether mounts changed.
  private func waitForWork() throws(Errno) -> Bool {
    let (hasWork, isUnsettled, isSuspended) = core.state.withLock { state in
      (
        !state.pending.isEmpty || !state.revisit.isEmpty || state.rootIsSuspect,
        !state.unsettled.isEmpty, state.exchange.isSuspended
      )
    }
    var deadline = Deadline.never
    if let retryAt { deadline = .after(retryAt - core.time.monotonic()) }
    if isUnsettled { deadline = deadline.orEarlier(.after(Self.unsettledWait)) }
    if hasWork { deadline = .after(.zero) }
    if isSuspended { deadline = .never }
    var entries = [
      PollEntry(core.wake.descriptor, .readable),
      PollEntry(isSuspended ? -1 : notify?.descriptor ?? -1, .readable),
      PollEntry(isSuspended ? -1 : mounts?.descriptor ?? -1, []),
    ]
    _ = try Poll.wait(for: &entries, until: deadline)
    if entries[0].found.isEmpty, !hasWork, entries[1].found.contains(.readable) {
      // Waking for each event costs more than the event: let some more come, unless asked.
      var request = [PollEntry(core.wake.descriptor, .readable)]
      _ = try Poll.wait(for: &request, until: .after(Self.batchWait))
    }
    core.wake.clear()
    return !entries[2].found.isEmpty
  }

  /// Handles all events that stand in the queue now.
  ///
  /// Returns with the epoch ended if asked: after it, everything that was queued before it began
  /// has been handled.
  func drain(endsEpoch: Bool) throws(Errno) {
    guard let notify else { return }
    var rest = try notify.readableBytes()
    while rest > 0 {
      let count = try notify.read(into: &batch)
      if count == 0 { break }
      rest -= count
      let now = core.time.monotonic()
      let ended = core.state.withLock { state in
        state.apply(batch)
        if state.hasNews {
          state.hasNews = false
          state.lastEvent = now
        }
        return state.takeEndedWatches()
      }
      remove(ended)
    }
    if endsEpoch {
      remove(
        core.state.withLock { state in
          state.endEpoch()
          return state.takeEndedWatches()
        })
    }
  }

  private func dropEvents() throws(Errno) {
    while let notify, try notify.readableBytes() > 0 { _ = try notify.read(into: &batch) }
    core.state.update { $0.exchange.isDropRequested = false }
  }

  /// Removed before any watch is added: a directory that is watched anew then gets a new number.
  func remove(_ watches: [Int32]) {
    for watch in watches {
      do throws(Errno) {
        try notify?.removeWatch(watch)
      } catch {
        // EINVAL: it ended with its directory. That is all that can be.
        continue
      }
    }
  }

  private func tellActivity() {
    let activity = core.state.update { state in
      state.settleCondition()
      return state.activity
    }
    if activity == lastActivity { return }
    lastActivity = activity
    core.onActivity(activity)
  }

  /// How long events are let gather. Measured: 5.5 to 13 µs an event without, since the reader
  /// wakes for two at a time; the kernel's queue holds 0.2 s of the fastest creation of files.
  private static let batchWait: Duration = .milliseconds(3)
  /// How long the other half of a rename, or the reason of a missing directory, is waited for.
  private static let unsettledWait: Duration = .milliseconds(5)
}
