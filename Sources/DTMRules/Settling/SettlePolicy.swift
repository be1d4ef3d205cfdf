/// When a folder that changed is captured.
package struct SettlePolicy: Sendable, Hashable {
  /// No event for so long: the folder is quiet.
  package var quiet: Duration
  /// A folder that is never quiet is captured so long after its first change.
  package var atMost: Duration
  /// At least so long from the start of one snapshot to the start of the next, boundaries and
  /// requests apart. Not longer than `atMost`, or it would postpone that.
  package var minInterval: Duration
  /// Whether a changed file that is open for writing holds quiet back.
  package var openFiles: OpenFiles

  /// What files open for writing mean for quiet.
  package enum OpenFiles: String, Sendable, CaseIterable {
    /// A folder is quiet only when no changed file is open for writing; `atMost` is the limit.
    case wait
    /// It is quiet when no event comes, whoever holds files open.
    case capture
  }

  package init(
    quiet: Duration = .seconds(2), atMost: Duration = .seconds(300),
    minInterval: Duration = .seconds(10), openFiles: OpenFiles = .wait
  ) {
    self.quiet = quiet
    self.atMost = atMost
    self.minInterval = minInterval
    self.openFiles = openFiles
  }
}
