internal import DTMControl
internal import DTMSystem

/// Those who wait until everything written before their call is in a snapshot.
struct FolderWaiters {
  private struct Waiter {
    let id: UInt64
    let quiet: Duration
    let end: Duration?
    let answer: FolderMessage.Answer<SnapshotSummary?>
    /// Everything from before the call is captured.
    var isCovered: Bool
  }

  private var waiters: [Waiter] = []

  var isEmpty: Bool { waiters.isEmpty }

  /// Whether somebody waits for the folder to be quiet for a time of his own.
  var wantQuiet: Bool { waiters.contains { $0.quiet > .zero } }

  /// `isCovered`: nothing is dirty as of the call.
  mutating func add(
    _ request: WaitRequest, id: UInt64, at now: Duration, isCovered: Bool,
    answer: @escaping FolderMessage.Answer<SnapshotSummary?>
  ) {
    waiters.append(
      Waiter(
        id: id, quiet: request.quiet ?? .zero, end: request.timeout.map { now + $0 },
        answer: answer, isCovered: isCovered))
  }

  /// The caller is gone.
  mutating func remove(id: UInt64) {
    waiters.removeAll { $0.id == id }
  }

  /// A capture that began after all these calls is done.
  mutating func captured() {
    for index in waiters.indices { waiters[index].isCovered = true }
  }

  /// Answers those whose time has come.
  ///
  /// `lastChange`: when something last happened in the folder, as far as can be vouched for.
  mutating func settle(
    at now: Duration, isDirty: Bool, lastChange: Duration, snapshot: SnapshotSummary?
  ) {
    waiters.removeAll { waiter in
      if waiter.isCovered, waiter.quiet == .zero || !isDirty,
        now >= lastChange + waiter.quiet || waiter.quiet == .zero
      {
        waiter.answer(.success(snapshot))
        return true
      }
      guard let end = waiter.end, end <= now else { return false }
      let reason =
        waiter.isCovered && !isDirty
        ? "the folder was not quiet for so long" : "not everything is in a snapshot yet"
      waiter.answer(.failure(.busy(reason: "the time is over, and \(reason)")))
      return true
    }
  }

  /// When `settle` is to be called, if nothing happens before.
  func deadline(isDirty: Bool, lastChange: Duration) -> Duration? {
    var earliest: Duration?
    for waiter in waiters {
      let quietTime =
        waiter.isCovered && !isDirty ? lastChange + waiter.quiet : nil
      for time in [waiter.end, quietTime].compactMap({ $0 }) {
        earliest = min(earliest ?? time, time)
      }
    }
    return earliest
  }

  /// Answers all.
  mutating func fail(_ fault: DaemonFault) {
    for waiter in waiters { waiter.answer(.failure(fault)) }
    waiters = []
  }
}
