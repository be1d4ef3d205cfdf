package import DTMSystem

/// What the crawler asks and tells: watch, then list.
extension WatchState {
  /// What the crawler has to do next: to look up a name in the directory that carries a watch.
  ///
  /// The directory is opened by its path and must turn out to be the watched one: then what is
  /// found under the name is the node's directory, wherever both have been moved since, unless an
  /// event about the name itself is still to come.
  package struct CrawlStep: Sendable {
    package let node: NodeIndex
    /// None for the root.
    package let parent: NodeIndex
    package let parentWatch: Int32
    package let parentKey: PathKey
    /// Empty for the root.
    package let name: [UInt8]
  }

  /// The next directory to watch and list; it counts as unknown until `finishCrawl`.
  package mutating func nextCrawlStep() -> CrawlStep? {
    while let node = pending.popLast() {
      guard nodes.isAlive(node), nodes[node].state == .pending else { continue }
      if node == .root {
        crawling = node
        return CrawlStep(
          node: node, parent: .none, parentWatch: -1, parentKey: .root, name: [])
      }
      let parent = nodes[node].parent
      guard !parent.isNone, let parentKey = nodes.key(of: parent), nodes[parent].watch >= 0 else {
        unsettled.missing.append(node)
        continue
      }
      crawling = node
      return CrawlStep(
        node: node, parent: parent, parentWatch: nodes[parent].watch, parentKey: parentKey,
        name: Array(nodes.name(of: node)))
    }
    return nil
  }

  /// The directory at the node's path carries this watch now.
  package mutating func arm(_ node: NodeIndex, watch: Int32) {
    issued(watch)
    guard nodes.isAlive(node) else {
      if nodes.node(ofWatch: watch) == nil { endedWatches.append(watch) }
      return
    }
    if let other = nodes.node(ofWatch: watch), other != node {
      // The path led to a directory that another node stood for: it was moved here, and the event
      // that says so is still queued. The other one is armed again where it is by then.
      nodes.setWatch(other, -1)
      nodes.setFlag(.lostWatch, of: other, to: true)
      unsettled.orphans.append(other)
    }
    let former = nodes[node].watch
    if former >= 0, former != watch { endedWatches.append(former) }
    unsettled.stalledEpochs = 0
    nodes.setWatch(node, watch)
    nodes.setFlag(.wasMissing, of: node, to: false)
    nodes.setFlag(.lostWatch, of: node, to: false)
    nodes.setFlag(.wasUncovered, of: node, to: false)
    nodes.setFlag(.holdsExcluded, of: node, to: false)
    directoryCache = DirectoryCache()
    unsettled.armed.insert(node)
    // What was in it before the watch is known to nobody who took a set before now.
    mark(nodes.key(of: node), .subtree)
  }

  /// Subdirectories that the listing of a directory found.
  package mutating func found(_ names: [[UInt8]], in node: NodeIndex) {
    guard nodes.isAlive(node) else { return }
    guard let key = nodes.key(of: node) else {
      // It is on its way: what is excluded in it is known where it arrives, and it is listed anew.
      return nodes.setFlag(.holdsExcluded, of: node, to: true)
    }
    for name in names {
      if nodes.child(of: node, named: name[...]) != nil { continue }
      if isExcluded(key.appending(name), true) {
        nodes.setFlag(.holdsExcluded, of: node, to: true)
      } else {
        makePending(nodes.makeChild(of: node, named: name[...]))
      }
    }
  }

  /// The directory carries a watch and was listed to its end; returns whether it has
  /// subdirectories, which are the next to be armed.
  @discardableResult
  package mutating func finishCrawl(_ node: NodeIndex) -> Bool {
    crawling = .none
    guard nodes.isAlive(node) else { return false }
    if nodes[node].state == .pending { nodes.setState(node, .armed) }
    noteListing(node)
    return !nodes[node].firstChild.isNone
  }

  /// The directory above is not, or not yet again, where its path says: an event that says why is
  /// queued, or is about to be.
  package mutating func crawlStalled(_ node: NodeIndex) {
    crawling = .none
    guard nodes.isAlive(node) else { return }
    unsettled.hasStalled = true
    unsettled.missing.append(node)
  }

  /// Nothing, or no directory, was under the name. The first time an event that says why may be
  /// queued; after another epoch there is none.
  package mutating func crawlMissed(_ node: NodeIndex) {
    crawling = .none
    guard nodes.isAlive(node) else { return }
    guard node != .root else {
      rootIsSuspect = true
      return
    }
    if nodes[node].flags.contains(.wasMissing) {
      // No mark: it was in every set while it was pending, and what came or went under the name
      // since was told by the directory above.
      drop(node)
    } else {
      nodes.setFlag(.wasMissing, of: node, to: true)
      unsettled.missing.append(node)
    }
  }

  /// The directory cannot be watched: everything beneath stays unknown.
  mutating func crawlFailed(_ node: NodeIndex, _ reason: UncoveredReason) {
    crawling = .none
    guard nodes.isAlive(node) else { return }
    for child in nodes.children(of: node) { drop(child) }
    let watch = nodes[node].watch
    if watch >= 0 {
      nodes.setWatch(node, -1)
      endedWatches.append(watch)
      directoryCache = DirectoryCache()
    }
    // A directory that is tried again and again is one break.
    if !nodes[node].flags.contains(.wasUncovered) { countBreak(CoverageBreak(reason)) }
    nodes.setFlag(.wasUncovered, of: node, to: true)
    nodes.setState(node, .uncovered)
    uncovered[node] = reason
    mark(nodes.key(of: node), .subtree)
  }

  /// Has the directories that are uncovered for such reasons tried again.
  mutating func retryUncovered(where matches: (UncoveredReason) -> Bool) {
    for (node, reason) in uncovered where matches(reason) { makePending(node) }
  }

  /// Has one directory tried that lacks a watch, and all that failed for other reasons.
  mutating func probeUncovered() {
    if let node = uncovered.first(where: { $0.value == .watchLimit })?.key { makePending(node) }
    retryUncovered { $0 == .permission || $0 == .failure }
  }

  /// Looks at mount points that came, and at those that may have gone.
  mutating func mountsChanged(_ points: [PathKey]) {
    retryUncovered { $0 == .mountPoint }
    for key in points {
      var node = NodeIndex.root
      for name in key.components {
        node = nodes.child(of: node, named: name[...]) ?? .none
        if node.isNone { break }
      }
      if !node.isNone, node != .root, nodes[node].state == .armed { makePending(node) }
    }
  }

  /// Looks at the exclusions beneath moved directories again.
  package mutating func revisitSome(atMost limit: Int) {
    var done = 0
    while done < limit, let node = revisit.popLast() {
      done += 1
      guard nodes.isAlive(node), let key = nodes.key(of: node) else { continue }
      if isExcluded(key, true) {
        let parent = nodes[node].parent
        drop(node)
        nodes.setFlag(.holdsExcluded, of: parent, to: true)
        mark(key, .subtree)
        continue
      }
      if nodes[node].flags.contains(.holdsExcluded), nodes[node].state == .armed {
        makePending(node)
      }
      revisit += nodes.children(of: node)
    }
  }

  /// Called between the crawler's slices: the first time that nothing is left, the folder is
  /// watched.
  package mutating func settleCondition() {
    guard condition == .arming, pending.isEmpty, crawling.isNone, revisit.isEmpty else { return }
    guard unsettled.missing.isEmpty, unsettled.suspects.isEmpty, !rootIsSuspect else { return }
    condition = .watching
  }
}
