package import DTMSystem
internal import Synchronization

/// A time source that stands still until a test moves it; may be used from any thread.
package final class ManualTimeSource: TimeSource {
  private let state: Mutex<(now: Timestamp, monotonic: Duration)>

  /// Starts at a moment, with a machine that has run for an hour.
  package init(
    now: Timestamp = Timestamp(seconds: 1_795_333_201), monotonic: Duration = .seconds(3600)
  ) {
    state = Mutex((now, monotonic))
  }

  package func now() -> Timestamp { state.withLock { $0.now } }

  package func monotonic() -> Duration { state.withLock { $0.monotonic } }

  /// Lets time pass on both clocks.
  package func advance(by span: Duration) {
    state.withLock {
      $0.now = $0.now.advanced(by: span)
      $0.monotonic += span
    }
  }

  /// Sets the time of day, as an administrator or NTP does; the other clock goes on.
  package func setNow(_ moment: Timestamp) {
    state.withLock { $0.now = moment }
  }
}
