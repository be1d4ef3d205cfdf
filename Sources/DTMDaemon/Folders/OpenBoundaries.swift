internal import DTMSystem

/// What would be a boundary if nobody had it open for writing.
struct OpenBoundaries {
  /// Files, and whether one may have been renamed to its name.
  var files: [PathKey: Bool] = [:]
  /// Directories in which a rule counts files.
  var directories: Set<PathKey> = []

  var isEmpty: Bool { files.isEmpty && directories.isEmpty }

  func isSubset(of other: OpenBoundaries) -> Bool {
    directories.isSubset(of: other.directories) && files.keys.allSatisfy { other.files[$0] != nil }
  }

  mutating func formUnion(_ other: OpenBoundaries) {
    files.merge(other.files) { $0 || $1 }
    directories.formUnion(other.directories)
  }
}

/// When open boundaries are looked at again. Not each close is told under the name that a rule is about: the
/// writer may have linked the file to its place while it was open, or made it with O_TMPFILE.
struct OpenBoundarySchedule {
  private static let shortestWait = Duration.milliseconds(10)
  private static let longestWait = Duration.seconds(10)
  /// Looking takes one part in so many of the time.
  private static let share = 100

  private(set) var open = OpenBoundaries()
  /// Nil where there are none.
  private(set) var due: Duration?
  private var wait = Self.shortestWait

  func isDue(at now: Duration) -> Bool { due.map { now >= $0 } ?? false }

  /// All of them were looked at again, which took so long; those are open still, or newly.
  mutating func lookedAgain(_ found: OpenBoundaries, lasted: Duration, at now: Duration) {
    wait = found.isSubset(of: open) ? min(wait * 2, Self.longestWait) : Self.shortestWait
    open = found
    due = open.isEmpty ? nil : now + max(wait, lasted * Self.share)
  }

  /// Something else was looked at, and this was open.
  mutating func found(_ found: OpenBoundaries, at now: Duration) {
    if found.isSubset(of: open) { return }
    open.formUnion(found)
    wait = Self.shortestWait
    due = due.map { min($0, now + wait) } ?? now + wait
  }
}
