package import DTMSystem
package import Logging
package import SystemPackage

/// A part of the daemon that can prove that it lives.
package protocol Pulse: AnyObject, Sendable {
  /// What the part is, for the journal.
  var part: String { get }
  /// Whether the part answered, or got on with its work since it was last asked, before the deadline;
  /// called on the watchdog's thread alone.
  func isAlive(until deadline: Deadline) -> Bool
}

/// Feeds the service manager's watchdog, and only while every part of the daemon lives: a daemon that
/// hangs is killed and started again, instead of protecting nothing for months.
///
/// One thread; it wakes four times within the manager's limit, and is not there where the manager
/// watches nothing.
package final class Watchdog: Sendable {
  /// How often within the manager's limit all parts are asked. An answer may take as long as the time
  /// between, so that even the latest comes in time.
  private static let roundsWithinLimit = 4

  private let isStopping = Monitor(false)
  private let thread: DedicatedThread

  /// Watches at once. `limit`: after so long without `feed` the manager acts. `parts`: those that
  /// there are now. Throws when the system gives no thread.
  package init(
    limit: Duration, logger: Logger, parts: @escaping @Sendable () -> [any Pulse],
    feed: @escaping @Sendable () -> Void
  ) throws(Errno) {
    let isStopping = isStopping
    let interval = limit / Self.roundsWithinLimit
    thread = try DedicatedThread(named: "watchdog") {
      var stalled: Set<String> = []
      while isStopping.wait(until: .after(interval), for: { $0 ? true : nil }) == nil {
        let silent = Self.silent(parts(), within: interval)
        if silent.isEmpty { feed() }
        // Said once, not at each round until the manager acts.
        for part in silent where !stalled.contains(part) {
          logger.record(.partStalled, ["part": "\(part)"])
        }
        stalled = Set(silent)
      }
    }
  }

  /// The parts that did not answer, asked twice: first each has its share of half the time, so that one
  /// that hangs makes no other late; then those that were slow have the other half.
  private static func silent(_ parts: [any Pulse], within interval: Duration) -> [String] {
    var left = parts
    for _ in 0..<2 where !left.isEmpty {
      let share = interval / (2 * left.count)
      left = left.filter { !$0.isAlive(until: .after(share)) }
    }
    return left.map(\.part)
  }

  /// Stops watching; an answer that is waited for is waited for.
  package func stop() {
    isStopping.update { $0 = true }
    thread.join()
  }
}
