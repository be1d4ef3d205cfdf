package import SystemPackage

/// In what condition the watching of a folder is.
package enum WatchCondition: Sendable, Hashable {
  /// Watches are being added; until that ended, each set says `scan`.
  case arming
  /// Every directory is watched, but those that the status lists as uncovered.
  case watching
  /// Nothing is watched: each set says `scan`, and somebody has to ask for one now and then.
  case unwatched(UncoveredReason)
  /// There is nothing that may become a snapshot; `take()` refuses.
  case held(HoldReason)
}

/// Why a folder is held: what is missing is not deleted.
package enum HoldReason: Sendable, Hashable {
  /// Nothing is at the folder's path.
  case gone
  /// Something that is no directory is at the folder's path.
  case notDirectory
  /// The folder cannot be looked at; what the system said.
  case unreadable(Errno)
  /// The folder is back, or there for the first time, without content: until somebody accepts it.
  case empty
  /// The folder is back on another file system, as when a disk was unmounted: until somebody
  /// accepts it, or the former file system is there again.
  case otherFileSystem
}

/// What a watcher knows about itself.
package struct WatchStatus: Sendable {
  package var condition: WatchCondition
  package var watchedDirectories: Int
  /// Directories that are still to be watched and listed.
  package var pendingDirectories: Int
  /// Events read since the start.
  package var events: UInt64
  /// How often the kernel dropped events.
  package var overflows: Int
  /// How often watching began anew (overflows and returns of the root).
  package var restarts: Int
  /// Differences that a scan found and no event had told; must stay 0.
  package var missedChanges: Int
  /// Differences that a scan found where no event can tell: stores through a mapping, writes through
  /// a name outside the folder.
  package var lateChanges: Int
  /// How often what ended the coverage of something.
  package var breaks: [CoverageBreak: Int]
  /// How often the dirty set was folded to stay within its bound.
  package var folds: Int
  package var dirtyPaths: Int
  package var hotFiles: Int
  /// Sorted by key.
  package var uncovered: [UncoveredPath]
  /// On `TimeSource.monotonic()`; nil before the first.
  package var lastEvent: Duration?
  /// Bytes of memory that the directory nodes take.
  package var nodeBytes: Int

  /// Whether scans are needed because something changes without a word.
  package var needsPolling: Bool {
    if case .unwatched = condition { return true }
    return uncovered.contains { $0.reason.isPolled }
  }
}

/// What a settler needs to know after something happened.
package struct WatchActivity: Sendable, Equatable {
  /// On `TimeSource.monotonic()`: when the reader last saw an event; nil before the first.
  package var lastEvent: Duration?
  /// Whether the next set has something in it.
  package var isDirty: Bool
  /// How many files may be open for writing.
  package var hotFiles: Int
  /// Whether one of them was written since the last set was taken.
  package var hasOpenWrites: Bool
  package var condition: WatchCondition
  /// Whether something was seen that may be a boundary.
  package var hasBoundaries = false
}
