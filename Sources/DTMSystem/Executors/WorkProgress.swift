internal import Synchronization

/// How far long work has come: its threads count, and somebody looks now and then.
///
/// Safe to use from any thread; never blocks.
package final class WorkProgress: Sendable {
  /// What was counted at one moment.
  package struct Reading: Sendable, Equatable {
    /// Entries (files, directories, links) and bytes of content that are done.
    package var entries = 0
    package var bytes = 0
    /// What there is to do; 0 where nobody knows.
    package var expectedEntries = 0
    package var expectedBytes = 0

    package init() {}
  }

  private let entries = Atomic<Int>(0)
  private let bytes = Atomic<Int>(0)
  private let expectedEntries = Atomic<Int>(0)
  private let expectedBytes = Atomic<Int>(0)

  package init() {}

  /// Begins to count anew: for the next work of the same command.
  package func begin(entries: Int = 0, bytes: Int = 0) {
    self.entries.store(0, ordering: .relaxed)
    self.bytes.store(0, ordering: .relaxed)
    expectedEntries.store(entries, ordering: .relaxed)
    expectedBytes.store(bytes, ordering: .relaxed)
  }

  /// So much more is done.
  package func add(entries: Int = 0, bytes: Int = 0) {
    if entries != 0 { self.entries.wrappingAdd(entries, ordering: .relaxed) }
    if bytes != 0 { self.bytes.wrappingAdd(bytes, ordering: .relaxed) }
  }

  package var reading: Reading {
    var reading = Reading()
    reading.entries = entries.load(ordering: .relaxed)
    reading.bytes = bytes.load(ordering: .relaxed)
    reading.expectedEntries = expectedEntries.load(ordering: .relaxed)
    reading.expectedBytes = expectedBytes.load(ordering: .relaxed)
    return reading
  }
}
