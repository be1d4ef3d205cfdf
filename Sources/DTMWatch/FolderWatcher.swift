package import DTMSystem
internal import Synchronization
package import SystemPackage

/// Watches a folder and knows what must be looked at since the last set was taken.
///
/// The invariant: for each directory, from before its last complete listing until now, it carried
/// a live watch on an instance that lost no event; so each change is in the next set, in its hot
/// files, or beneath a path that is listed as uncovered. Whatever breaks it is told by the next
/// set's basis. A snapshot: `barrier()`, `take()`, capture, `barrier()`; a failed one ends with
/// `giveBack(_:)`.
///
/// All calls are synchronous and may come from any thread but the one that calls `onActivity`.
/// Nothing is written into the folder.
package final class FolderWatcher: Sendable {
  /// How to watch.
  package struct Options: Sendable {
    /// Hold an empty folder from the start on: its last snapshot is known to have had content.
    package var holdsWhenEmpty = false
    /// Beyond so many dirty paths, the fullest directories are taken as a whole.
    package var markLimit = DirtyMarks.standardLimit
    /// Beyond so many files open for writing, their directories are taken as a whole.
    package var hotFileLimit = HotFiles.standardLimit

    package init() {}
  }

  private let core: WatchCore
  private let thread = Mutex<DedicatedThread?>(nil)

  /// Makes a watcher that does not watch yet.
  ///
  /// `path`: absolute. `isExcluded`: whether a path takes no part (the repository in the folder,
  /// nested repositories, ignored names); told whether it is a directory. It is called in the
  /// reader's thread under the watcher's lock, for each event and each directory: it must be fast
  /// and must not call the watcher. `onActivity`: called in the reader's thread, without the lock,
  /// when something happened; it must return at once. Throws `.unavailable`.
  package init(
    path: FilePath, options: Options = Options(), time: any TimeSource = SystemTimeSource(),
    isExcluded: @escaping @Sendable (PathKey, Bool) -> Bool,
    onActivity: @escaping @Sendable (WatchActivity) -> Void = { _ in }
  ) throws(WatchError) {
    precondition(path.isAbsolute, "a folder's path is absolute")
    do throws(Errno) {
      let limits = WatchState.Limits(marks: options.markLimit, hotFiles: options.hotFileLimit)
      let state = WatchState(
        clockName: Self.freshName(), limits: limits, isExcluded: isExcluded)
      core = WatchCore(
        root: FolderRoot(path: path.lexicallyNormalized()), options: options, time: time,
        state: state, wake: try WakeSignal(), onActivity: onActivity)
    } catch {
      throw WatchError(
        code: .unavailable, message: "No watcher can be made for \(path)", cause: error)
    }
  }

  deinit {
    requestStop()
  }

  /// Starts the reader's thread, which begins to add watches. Throws `.unavailable`.
  package func start() throws(WatchError) {
    let core = core
    do throws(Errno) {
      try thread.withLock { thread throws(Errno) in
        precondition(thread == nil, "a watcher is started once")
        thread = try DedicatedThread(named: "watch") { Reader(core: core).run() }
      }
    } catch {
      throw WatchError(
        code: .unavailable, message: "No thread can be had for \(core.root.path)", cause: error)
    }
  }

  /// Stops watching and waits for the thread. Sets cannot be taken any more.
  package func stop() {
    requestStop()
    thread.withLock { $0 }?.join()
  }

  private func requestStop() {
    core.state.update { $0.exchange.isStopRequested = true }
    core.wake.signal()
  }

  /// Waits until the first crawl has ended, or cannot; returns how it ended, `.arming` when the
  /// time was too short.
  package func waitUntilArmed(within limit: Duration) -> WatchCondition {
    wait(within: limit) { $0.condition != .arming }
    return status.condition
  }

  /// Waits until the status is as asked, or the reader has ended; false when the time was too short.
  ///
  /// `isReached` is called under the watcher's lock, after each turn of the reader.
  @discardableResult
  package func wait(within limit: Duration, until isReached: (WatchStatus) -> Bool) -> Bool {
    let reached: Bool? = core.state.wait(until: .after(limit)) { state in
      isReached(state.status) ? true : state.exchange.end.map { _ in false }
    }
    return reached ?? false
  }

  /// Returns when every event of the system calls that have returned is in the dirty set.
  ///
  /// Answers from the reader's thread, in well under a millisecond when it is idle: the proof that
  /// it lives. Throws `.timedOut`, `.stopped`.
  @discardableResult
  package func barrier(within limit: Duration = .seconds(10)) throws(WatchError) -> String {
    let ticket = core.state.withLock { state in
      state.exchange.requestedBarriers += 1
      return state.exchange.requestedBarriers
    }
    core.wake.signal()
    let answer: Result<String, WatchError>? = core.state.wait(until: .after(limit)) { state in
      if state.exchange.finishedBarriers >= ticket { return .success(state.clock) }
      return state.exchange.end.map { .failure($0.error ?? stopped) }
    }
    guard let answer else {
      throw WatchError(
        code: .timedOut, message: "The reader of \(core.root.path) does not answer", cause: nil)
    }
    return try answer.get()
  }

  /// Takes what is dirty as of the last barrier, at least, and begins an empty set.
  ///
  /// Throws `.held` when the folder is missing or not to be trusted, `.stopped`. Cost: the set is
  /// swapped under the lock and sorted outside, O(n log n) in dirty paths.
  package func take() throws(WatchError) -> DirtySet {
    let taken: Result<WatchState.Taken, WatchError> = core.state.withLock { state in
      if let end = state.exchange.end { return .failure(end.error ?? stopped) }
      if case .held(let reason) = state.condition { return .failure(held(reason)) }
      return .success(state.take())
    }
    return DirtySet(try taken.get())
  }

  /// Merges back a set whose snapshot failed.
  package func giveBack(_ set: DirtySet) {
    core.state.withLock { $0.giveBack(set) }
  }

  /// Hot files that were captured while nobody had them open for writing are hot no longer, unless
  /// they were written after the set was taken.
  ///
  /// `open`: the files that somebody had open for writing then, in the whole folder.
  package func release(
    hot files: [PathKey], open: [PathKey] = [], capturedIn set: DirtySet
  ) {
    core.state.withLock { state in
      for key in files { state.hot.remove(key, writtenUpTo: set.endSequence) }
      state.hot.removeDirectories(withoutAny: open, writtenUpTo: set.endSequence)
    }
  }

  /// The files that were written since the last set was taken and not closed since; nil when they
  /// are more than the limit, or not known singly.
  package func openWrites(atMost limit: Int) -> [PathKey]? {
    core.state.withLock { $0.hot.files(writtenAfter: $0.baseSequence, atMost: limit) }
  }

  /// Takes what is at the folder's path now for the folder, though it is empty or on another file
  /// system: what `dtm snapshot` of a held folder means.
  package func accept() {
    core.state.withLock { $0.exchange.isAcceptRequested = true }
    core.wake.signal()
  }

  /// Forgets everything and begins anew; the next sets are scans. For changed exclusions.
  package func reconcile() {
    core.state.withLock { $0.exchange.isRestartRequested = true }
    core.wake.signal()
  }

  /// What may be a boundary from now on: a marker that is closed, or what arrives; told whether it is a
  /// directory. Called as `isExcluded` is; nil where nobody asks.
  package func setBoundary(_ isBoundary: (@Sendable (PathKey, Bool) -> Bool)?) {
    core.state.withLock { state in
      state.isBoundary = isBoundary
      state.boundaries = BoundarySet()
    }
  }

  /// Takes what was seen that may be a boundary, since the last time.
  package func takeBoundaries() -> BoundarySet {
    core.state.withLock { state in
      defer { state.boundaries = BoundarySet() }
      return state.boundaries
    }
  }

  /// What the next set would be now; takes nothing. Throws as `take` does, and costs as much.
  package func peek() throws(WatchError) -> DirtySet {
    let taken: Result<WatchState.Taken, WatchError> = core.state.withLock { state in
      if let end = state.exchange.end { return .failure(end.error ?? stopped) }
      if case .held(let reason) = state.condition { return .failure(held(reason)) }
      return .success(state.peek())
    }
    return DirtySet(try taken.get())
  }

  /// Marks what a scan found and no event had told, and counts it: `missed` where an event should
  /// have, `late` where none can.
  package func insertUntold(
    missed: [(key: PathKey, scope: DirtySet.Scope)], late: [(key: PathKey, scope: DirtySet.Scope)]
  ) {
    core.state.withLock { state in
      state.counters.missedChanges += missed.count
      state.counters.lateChanges += late.count
      for (key, scope) in missed + late { state.mark(key, scope) }
    }
  }

  /// What vouches for a directory's content now.
  package func coverage(of directory: PathKey) -> Coverage {
    core.state.withLock { $0.coverage(of: directory) }
  }

  /// The clock at which the next set begins; nil when that will be a scan.
  package var baseClock: String? {
    core.state.withLock { $0.marks.isEverything ? nil : $0.baseClock }
  }

  /// What the watcher knows about itself now.
  package var status: WatchStatus { core.state.withLock { $0.status } }

  /// What a settler needs to know now.
  package var activity: WatchActivity { core.state.withLock { $0.activity } }

  /// For tests: throws away what stands in the queue, as if the kernel had not told it.
  package func dropEvents() {
    core.state.withLock { $0.exchange.isDropRequested = true }
    core.wake.signal()
    let _: Bool? = core.state.wait(until: .after(.seconds(10))) { state in
      state.exchange.isDropRequested ? nil : true
    }
  }

  /// For tests: stops reading as if the process stood still, and goes on.
  package func setReaderSuspended(_ isSuspended: Bool) {
    core.state.withLock { $0.exchange.isSuspended = isSuspended }
    core.wake.signal()
  }

  private var stopped: WatchError {
    WatchError(
      code: .stopped, message: "The watcher of \(core.root.path) was stopped", cause: nil)
  }

  private func held(_ reason: HoldReason) -> WatchError {
    WatchError(
      code: .held, message: "The folder \(core.root.path) is held: \(reason)", cause: nil)
  }

  /// A name that no other watcher ever has: a clock of another one is not comparable.
  private static func freshName() -> String {
    SecureRandom.bytes(16).map { byte in
      let digits = String(byte, radix: 16)
      return byte < 16 ? "0" + digits : digits
    }.joined()
  }
}
