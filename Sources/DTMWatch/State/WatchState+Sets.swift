internal import DTMSystem

/// Taking sets and giving them back.
extension WatchState {
  /// What a set is made of, before it is sorted: that is done outside the lock.
  package struct Taken: Sendable {
    let marks: DirtyMarks
    let hot: HotFiles
    let baseClock: String
    let endClock: String
    let baseSequence: UInt64
    let endSequence: UInt64
    let uncovered: [UncoveredPath]
  }

  /// Swaps the set for an empty one.
  ///
  /// Directories that are still to be watched or listed are in this set and in the next ones,
  /// until they are: what happens in them is told by no event.
  package mutating func take() -> Taken {
    sequence += 1
    directoryCache = DirectoryCache()
    addUnknown()
    let taken = gathered
    counters.folds += marks.folds
    marks = DirtyMarks(isEverything: condition != .watching, limit: limits.marks)
    baseClock = clock
    baseSequence = sequence
    return taken
  }

  /// What the next set would be now.
  func peek() -> Taken {
    var copy = self
    copy.addUnknown()
    return copy.gathered
  }

  private var gathered: Taken {
    Taken(
      marks: marks, hot: hot, baseClock: baseClock, endClock: clock, baseSequence: baseSequence,
      endSequence: sequence, uncovered: uncoveredPaths.filter { !$0.reason.isPolled })
  }

  /// Merges back a set whose snapshot failed: nothing of it is lost.
  mutating func giveBack(_ set: DirtySet) {
    if set.endClock == baseClock {
      marks.insert(set)
      baseClock = set.baseClock
      baseSequence = set.baseSequence
    } else {
      // Another set was taken after it: which changes that one vouches for is not to be told.
      marks.insertEverything()
    }
  }

  private mutating func addUnknown() {
    if marks.isEverything { return }
    for node in pending where nodes.isAlive(node) && nodes[node].state == .pending {
      mark(nodes.key(of: node), .subtree)
    }
    if nodes.isAlive(crawling) { mark(nodes.key(of: crawling), .subtree) }
    for node in unsettled.missing + unsettled.orphans + revisit where nodes.isAlive(node) {
      mark(nodes.key(of: node), .subtree)
    }
    for place in unsettled.suspects.union(unsettled.vacated) where nodes.isAlive(place.parent) {
      mark(nodes.key(of: place.parent)?.appending(place.name), .subtree)
    }
    for (node, reason) in uncovered where reason.isPolled {
      mark(nodes.key(of: node), .subtree)
    }
    for key in hot.directories.keys { mark(key, .subtree) }
  }

  /// The uncovered directories by path, sorted.
  var uncoveredPaths: [UncoveredPath] {
    if case .unwatched(let reason) = condition {
      return [UncoveredPath(key: .root, reason: reason)]
    }
    return uncovered.compactMap { node, reason in
      nodes.key(of: node).map { UncoveredPath(key: $0, reason: reason) }
    }.sorted { $0.key < $1.key }
  }

  var status: WatchStatus {
    WatchStatus(
      condition: condition, watchedDirectories: nodes.watchedCount,
      pendingDirectories: pending.count + unsettled.missing.count + (crawling.isNone ? 0 : 1),
      events: counters.events, overflows: counters.overflows, restarts: counters.restarts,
      missedChanges: counters.missedChanges, lateChanges: counters.lateChanges,
      breaks: counters.breaks, folds: counters.folds + marks.folds, dirtyPaths: marks.count,
      hotFiles: hot.count, uncovered: uncoveredPaths, lastEvent: lastEvent,
      nodeBytes: nodes.footprint)
  }

  var activity: WatchActivity {
    WatchActivity(
      lastEvent: lastEvent, isDirty: isDirty, hotFiles: hot.count,
      hasOpenWrites: hot.hasAny(writtenAfter: baseSequence), condition: condition,
      hasBoundaries: !boundaries.isEmpty)
  }
}

extension DirtySet {
  /// Sorts what was taken.
  package init(_ taken: WatchState.Taken) {
    let isEverything = taken.marks.isEverything
    self.init(
      basis: isEverything ? .scan : .events, baseClock: taken.baseClock, endClock: taken.endClock,
      marks: isEverything ? [] : taken.marks.sorted(), hot: taken.hot.sorted,
      uncovered: taken.uncovered, baseSequence: taken.baseSequence,
      endSequence: taken.endSequence)
  }
}
