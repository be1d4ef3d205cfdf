internal import Glibc

/// A point on the kernel's monotonic clock at which a wait ends.
///
/// Suspended time does not count (`CLOCK_MONOTONIC`): a wait that a suspended machine interrupted
/// has as much left as before.
package struct Deadline: Sendable {
  private let instant: Duration?

  private init(instant: Duration?) {
    self.instant = instant
  }

  /// A wait without an end.
  package static let never = Deadline(instant: nil)

  /// The moment `duration` from now; now, where the duration is negative.
  package static func after(_ duration: Duration) -> Deadline {
    Deadline(instant: now + max(.zero, duration))
  }

  /// What is left, zero when the moment is past; nil for `never`.
  package var remaining: Duration? {
    guard let instant else { return nil }
    return max(.zero, instant - Deadline.now)
  }

  /// Whether the moment is past.
  package var isPast: Bool {
    guard let instant else { return false }
    return instant <= Deadline.now
  }

  /// The earlier of the two.
  package func orEarlier(_ other: Deadline) -> Deadline {
    guard let instant else { return other }
    guard let otherInstant = other.instant else { return self }
    return instant <= otherInstant ? self : other
  }

  /// The moment as `pthread_cond_timedwait` takes it; nil for `never`.
  var timespec: timespec? {
    guard let (seconds, attoseconds) = instant?.components else { return nil }
    return Glibc.timespec(tv_sec: Int(seconds), tv_nsec: Int(attoseconds / 1_000_000_000))
  }

  private static var now: Duration { ProcessClock.monotonic }
}
