internal import Synchronization

/// Counts the system calls that are made on a folder, so that a test can prove what a snapshot
/// looked at.
package final class SystemCalls: Sendable {
  private let counter = Atomic<Int>(0)

  package init() {}

  /// Calls so far, of all threads.
  package var count: Int { counter.load(ordering: .relaxed) }

  func add(_ number: Int = 1) { counter.wrappingAdd(number, ordering: .relaxed) }
}
