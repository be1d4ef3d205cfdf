internal import Glibc

/// Standing still for a moment, where there is nothing to wait for but time.
package enum ThreadPause {
  /// Returns after so many milliseconds, or earlier where a signal is handled.
  package static func milliseconds(_ count: Int32) {
    _ = poll(nil, 0, count)
  }
}
