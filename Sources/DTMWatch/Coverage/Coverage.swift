package import DTMSystem

/// What vouches for a directory's content.
package enum Coverage: Sendable, Hashable {
  /// It has carried a live watch from before its last complete listing until now, and no event
  /// was lost: every change since the last set is in the next one.
  case watched
  /// It is to be watched and listed, or nothing is known of it: it is in each set as a whole.
  case unknown
  /// It carries no watch: in each set as a whole, or listed as uncovered.
  case uncovered(UncoveredReason)
}

/// What ended the coverage of the folder or of a part of it. Each is counted; what it was about is
/// in the next set as a whole, or the next set is a scan.
package enum CoverageBreak: String, Sendable, CaseIterable {
  /// The kernel dropped events: the next set is a scan.
  case overflow
  /// The root is gone, another one, or the same without its watch: held, or the next set is a scan.
  case root
  /// An event named a watch that was never given out: the next set is a scan.
  case unknownWatch
  /// The events told what can't be in a tree: the next set is a scan.
  case contradiction
  /// A directory's watch ended by itself while a directory was expected there: its subtree.
  case lostWatch
  /// Another file system was mounted over a directory: its subtree.
  case mount
  /// A directory may not be watched, or the system can't: its subtree.
  case refusal
  /// All watches or instances of the user were in use: the subtree, or everything.
  case limit

  init(_ reason: UncoveredReason) {
    switch reason {
    case .watchLimit, .instanceLimit: self = .limit
    case .mountPoint: self = .mount
    case .overflow: self = .overflow
    case .permission, .failure, .remoteFileSystem: self = .refusal
    }
  }
}

extension WatchState {
  /// What vouches for a directory now.
  package func coverage(of key: PathKey) -> Coverage {
    switch condition {
    case .unwatched(let reason): return .uncovered(reason)
    case .held: return .unknown
    case .arming, .watching: break
    }
    if hasOverflowed || isAstray || rootIsSuspect { return .unknown }
    var node = NodeIndex.root
    for name in key.components {
      if let reason = uncovered[node] { return .uncovered(reason) }
      guard let child = nodes.child(of: node, named: name[...]),
        !isUnsettled(name, in: node, child)
      else { return .unknown }
      node = child
    }
    if let reason = uncovered[node] { return .uncovered(reason) }
    return nodes[node].state == .armed && nodes[node].watch >= 0 ? .watched : .unknown
  }

  /// Which directory is under a name is not sure yet.
  private func isUnsettled(
    _ name: [UInt8], in parent: NodeIndex, _ child: NodeIndex
  ) -> Bool {
    if unsettled.isEmpty, revisit.isEmpty { return false }
    let place = Unsettled.Place(parent: parent, name: name)
    return unsettled.suspects.contains(place) || unsettled.vacated.contains(place)
      || unsettled.orphans.contains(child) || unsettled.missing.contains(child)
      || revisit.contains(child)
  }

  /// Counts what ended the coverage of something.
  mutating func countBreak(_ kind: CoverageBreak) {
    counters.breaks[kind, default: 0] += 1
  }

  /// A watch of this number was given out; events that name a higher one come from nowhere.
  package mutating func issued(_ watch: Int32) {
    highestWatch = max(highestWatch, watch)
  }
}
