internal import DTMSystem

/// Boundaries, as events tell of them.
extension WatchState {
  /// An event about a file's name.
  mutating func noteBoundary(_ key: PathKey, _ mask: NotifyMask) {
    guard let isBoundary, !mask.isDisjoint(with: [.closeWrite, .movedTo, .create, .attributes]),
      isBoundary(key, false), !isExcluded(key, false)
    else { return }
    boundaries.insert(file: key, isArrival: mask.contains(.movedTo))
  }

  /// A directory was renamed to this name; `isListed`: it will be listed anew.
  mutating func noteArrival(_ key: PathKey?, isListed: Bool) {
    guard let isBoundary, let key, !isExcluded(key, true) else { return }
    if isBoundary(key, true) { boundaries.insert(arrival: key) }
    if !isListed { boundaries.insert(moved: key) }
  }

  /// What was watched is known no longer: any boundary may have come meanwhile.
  mutating func noteLostBoundaries() {
    // Of what is there when watching begins a scan tells.
    if isBoundary != nil, condition != .arming { boundaries.insertEverything() }
  }

  /// A directory was listed after its watch was there: no event told of what it held before.
  mutating func noteListing(_ node: NodeIndex) {
    // As above.
    guard isBoundary != nil, condition == .watching, let key = nodes.key(of: node) else { return }
    boundaries.insert(listed: key)
  }
}
