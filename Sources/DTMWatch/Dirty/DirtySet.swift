package import DTMSystem

/// What must be looked at to know the folder's present state, given its state at `baseClock`.
///
/// Taken from a `FolderWatcher`, and given back to it when the snapshot made of it failed.
package struct DirtySet: Sendable {
  /// What the set rests on.
  package enum Basis: String, Sendable {
    /// Every change since `baseClock` is in the set, in `hot`, or beneath an uncovered path.
    case events
    /// Nothing is known: everything has to be looked at (after a start, lost events, a return).
    case scan
  }

  /// How far a mark reaches.
  package enum Scope: UInt8, Sendable {
    /// This one name: it may be there, be changed, or be gone.
    case entry
    /// The name and everything beneath it.
    case subtree
  }

  /// One place to look at.
  package struct Mark: Sendable, Hashable {
    package let key: PathKey
    package let scope: Scope

    package init(key: PathKey, scope: Scope) {
      self.key = key
      self.scope = scope
    }
  }

  package let basis: Basis
  /// The clock at the end of the set taken before; an opaque text.
  package let baseClock: String
  /// The clock at the end of this set; an opaque text.
  package let endClock: String
  /// Sorted by key; none lies beneath a subtree of another. Empty when the basis is `scan`.
  package let marks: [Mark]
  /// Files that were written and may still be open for writing, sorted: to be captured whether
  /// they are marked or not, since stores through a mapping raise no event.
  package let hot: [PathKey]
  /// What no event can tell of and no scan can reach, sorted by key.
  package let uncovered: [UncoveredPath]
  /// Where the set begins and ends in the watcher's count of what it saw.
  let baseSequence: UInt64
  let endSequence: UInt64

  /// Whether there is nothing to look at.
  package var isEmpty: Bool { basis == .events && marks.isEmpty && hot.isEmpty }

  /// Whether a path is in the set: marked, beneath a subtree, hot, uncovered, or everything is.
  package func covers(_ key: PathKey) -> Bool {
    if basis == .scan || hot.contains(key) { return true }
    if uncovered.contains(where: { key == $0.key || key.isBeneath($0.key) }) { return true }
    var current: PathKey? = key
    while let candidate = current {
      if let mark = mark(at: candidate), candidate == key || mark.scope == .subtree { return true }
      current = candidate.parent
    }
    return false
  }

  /// By bisection.
  private func mark(at key: PathKey) -> Mark? {
    var low = 0
    var high = marks.count
    while low < high {
      let middle = (low + high) / 2
      if marks[middle].key < key { low = middle + 1 } else { high = middle }
    }
    return low < marks.count && marks[low].key == key ? marks[low] : nil
  }
}

/// A directory whose content the watcher cannot vouch for.
package struct UncoveredPath: Sendable, Hashable {
  package let key: PathKey
  package let reason: UncoveredReason
}

/// Why a directory carries no watch.
package enum UncoveredReason: String, Sendable, Hashable {
  /// All watches of the user are in use (`fs.inotify.max_user_watches`): polled by scans.
  case watchLimit
  /// All instances of the user are in use (`fs.inotify.max_user_instances`): polled by scans.
  case instanceLimit
  /// A network or FUSE file system, where others' changes raise no event: polled by scans.
  case remoteFileSystem
  /// Events were lost again and again; watching begins anew after a pause. Polled by scans.
  case overflow
  /// It may not be read.
  case permission
  /// Another file system is mounted there; the content beneath is carried forward.
  case mountPoint
  /// The system refused: no descriptors or memory, an I/O error.
  case failure

  /// Whether a scan can do what the missing events cannot.
  package var isPolled: Bool {
    switch self {
    case .watchLimit, .instanceLimit, .remoteFileSystem, .overflow: true
    case .permission, .mountPoint, .failure: false
    }
  }
}
