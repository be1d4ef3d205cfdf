internal import Glibc

/// Where the time comes from; everything but DTMSystem takes one instead of asking a clock.
package protocol TimeSource: Sendable {
  /// The time of day, which may jump.
  func now() -> Timestamp
  /// Time since the machine started, sleep included; never goes back (`CLOCK_BOOTTIME`).
  func monotonic() -> Duration
}

/// The kernel's clocks.
package struct SystemTimeSource: TimeSource {
  package init() {}

  package func now() -> Timestamp {
    let time = Self.read(CLOCK_REALTIME)
    return Timestamp(seconds: Int64(time.tv_sec), nanoseconds: UInt32(time.tv_nsec))
  }

  package func monotonic() -> Duration {
    let time = Self.read(CLOCK_BOOTTIME)
    return .seconds(Int64(time.tv_sec)) + .nanoseconds(Int64(time.tv_nsec))
  }

  private static func read(_ clock: clockid_t) -> timespec {
    var time = timespec()
    // Fails only for a clock or an address that does not exist.
    let status = unsafe clock_gettime(clock, &time)
    precondition(status == 0, "clock_gettime(2) knows the clock")
    return time
  }
}
