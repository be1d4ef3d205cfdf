/// Decides when a folder is captured: a value with no clock and no input or output of its own.
///
/// The caller reports what happens with `on`, does what it answers, and reports `.timer` when
/// `deadline` has come. Times are those of one monotonic clock. Between events nothing has to run:
/// an idle folder has no deadline.
///
/// What holds, whatever the order of events:
/// * a folder that changes is captured at the latest `atMost` after its first change, unless
///   automatic snapshots are held (pause, own writes, folder unavailable) or fail;
/// * a quiet snapshot is taken at the earliest `quiet` after the last change, and with
///   `openFiles: wait` never while a changed file is known to be open for writing;
/// * automatic snapshots other than rules start at least `minInterval` after the one before;
/// * one capture runs at a time, and every request is in exactly one trigger (a rule's again when
///   the capture failed).
package struct Settler: Sendable {
  /// What is in force; `.policyChanged` changes it.
  package internal(set) var policy: SettlePolicy

  /// What changed and is in no capture that runs or is done; nil when nothing is.
  var dirt: Dirt?
  var writers = Writers.unknown
  var examination = Examination.none
  var capture: Capture?
  /// What waits for a snapshot.
  var requests: [Waiting] = []
  private(set) var arrivals = 0
  /// When the last capture started.
  var lastStart: Duration?
  var failures = 0
  /// No automatic snapshot before this, after a failure.
  var retryTime: Duration?
  /// Whether automatic snapshots are held until somebody resumes them.
  package internal(set) var isPaused = false
  /// When the last pause ended. What it held back is late already: `atMost` counts from here, or it would
  /// be captured in the midst of a write.
  var pauseEnd: Duration?
  /// Restores and checkouts that write into the folder now.
  var ownWriters = 0
  /// When the last of them ended.
  var ownWritesEnd: Duration?
  var isUnavailable = false
  var isStopping = false
  var hasTriedStop = false
  /// The latest time that was told; it never goes back.
  var now = Duration.zero

  struct Dirt: Sendable {
    /// The first and the last change.
    var since: Duration
    var lastChange: Duration
    /// Found at the start: captured at once.
    var isFromStart: Bool
  }

  enum Writers: Sendable { case unknown, absent, open }

  enum Examination: Sendable {
    case none, asked
    /// Something changed since the question: the answer will say nothing.
    case stale
  }

  struct Capture: Sendable {
    let trigger: SettleTrigger
    let requests: [Waiting]
    /// What it took along when it started.
    var dirt: Dirt?
  }

  /// A request with its number in the order of arrival, which it keeps when it comes back.
  struct Waiting: Sendable {
    let request: SettleRequest
    let arrival: Int
  }

  package init(policy: SettlePolicy) {
    self.policy = policy
  }

  // MARK: - What status shows

  /// Whether something changed that is in no capture.
  package var isDirty: Bool { dirt != nil }
  /// The first change that is in no capture yet.
  package var dirtySince: Duration? { dirt?.since }
  /// The last change that is in no capture yet.
  package var lastChange: Duration? { dirt?.lastChange }
  /// Whether a capture was ordered and has not ended.
  package var isCapturing: Bool { capture != nil }
  /// Whether something holds automatic snapshots.
  var isHeld: Bool { isPaused || ownWriters > 0 || isUnavailable }
  /// Whether the folder would be quiet, were no changed file open for writing.
  package var isWaitingForWriters: Bool { dirt != nil && writers == .open }
  /// Captures that failed since the last one that did not.
  package var failureCount: Int { failures }

  mutating func enqueue(_ request: SettleRequest) {
    arrivals += 1
    requests.append(Waiting(request: request, arrival: arrivals))
  }
}
