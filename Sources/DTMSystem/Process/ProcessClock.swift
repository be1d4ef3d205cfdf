internal import CLinux
internal import Glibc

/// The clock that waits and the service manager use.
package enum ProcessClock {
  /// `CLOCK_MONOTONIC`: never goes back, stands still while the machine sleeps. For times of day and
  /// for times that sleep counts in, take a `TimeSource`.
  package static var monotonic: Duration {
    read(CLOCK_MONOTONIC)
  }

  /// CPU time that the calling thread has used.
  package static var threadTime: Duration {
    read(CLOCK_THREAD_CPUTIME_ID)
  }

  private static func read(_ clock: clockid_t) -> Duration {
    var time = timespec()
    unsafe clock_gettime(clock, &time)
    return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
  }

  /// Whether something keeps the time of day right, as adjtimex(2) has it; nil where it does not tell.
  package static var isSynchronized: Bool? {
    // TIME_ERROR: "the system clock is not synchronized".
    let unsynchronized: Int32 = 5
    let state = clinux_clock_state()
    return state < 0 ? nil : state != unsynchronized
  }
}
