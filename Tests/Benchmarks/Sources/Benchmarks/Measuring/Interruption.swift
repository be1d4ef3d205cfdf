import Glibc
import Synchronization

/// SIGINT, SIGTERM and SIGHUP end the run in order: what was started is ended, what was made removed.
enum Interruption {
  private static let signal = Atomic<CInt>(0)

  /// The signal that came, or 0.
  static var received: CInt { signal.load(ordering: .relaxed) }

  /// Call once, at the start.
  static func install() {
    _ = received  // made now, not in the handler
    for number in [SIGINT, SIGTERM, SIGHUP] {
      // No SA_RESTART: a wait for a child ends with EINTR.
      var action = sigaction()
      action.__sigaction_handler.sa_handler = { Interruption.signal.store($0, ordering: .relaxed) }
      sigaction(number, &action, nil)
    }
  }

  /// From now on none has come, and none comes: for what cleans up, and its children.
  static func disregard() {
    for number in [SIGINT, SIGTERM, SIGHUP] { Glibc.signal(number, SIG_IGN) }
    signal.store(0, ordering: .relaxed)
  }

  /// Throws where one of the signals has come.
  static func check() throws {
    if received != 0 { throw Interrupted(signal: received) }
  }
}

/// A signal that asked for the end.
struct Interrupted: Error {
  let signal: CInt
}
