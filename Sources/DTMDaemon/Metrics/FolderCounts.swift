internal import DTMRules
internal import DTMSystem
internal import Synchronization

/// What is counted of one folder since the daemon began to protect it. Any thread may read.
final class FolderCounts: Sendable {
  /// Upper ends of the histogram's buckets, in seconds: a few files, many, a first snapshot.
  static let durationBuckets: [Double] = [0.01, 0.05, 0.25, 1, 5, 30, 300]

  /// The counts at one moment.
  struct Reading: Sendable {
    var snapshots: [TriggerKind: Int] = [:]
    var incompleteSnapshots = 0
    var failures = 0
    var changedEntries = 0
    var storedBytes = 0
    /// How many snapshots took no longer than each bucket's end and longer than the one's before;
    /// the last element counts those above all.
    var durations = [Int](repeating: 0, count: FolderCounts.durationBuckets.count + 1)
    var totalDuration = Duration.zero
  }

  private let state = Mutex(Reading())

  var reading: Reading { state.withLock { $0 } }

  func snapshotTaken(
    _ trigger: TriggerKind, isComplete: Bool, result: CaptureResult, lasted: Duration
  ) {
    let seconds = lasted / .seconds(1)
    let bucket =
      Self.durationBuckets.firstIndex { seconds <= $0 } ?? Self.durationBuckets.count
    state.withLock { state in
      state.snapshots[trigger, default: 0] += 1
      if !isComplete { state.incompleteSnapshots += 1 }
      state.changedEntries += result.changedEntries
      state.storedBytes += result.storedBytes
      state.durations[bucket] += 1
      state.totalDuration += lasted
    }
  }

  func snapshotFailed() {
    state.withLock { $0.failures += 1 }
  }
}
