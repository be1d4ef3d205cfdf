internal import Glibc

/// The clock that waits and the service manager use.
package enum ProcessClock {
  /// `CLOCK_MONOTONIC`: never goes back, stands still while the machine sleeps. For times of day and
  /// for times that sleep counts in, take a `TimeSource`.
  package static var monotonic: Duration {
    var time = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
  }
}
