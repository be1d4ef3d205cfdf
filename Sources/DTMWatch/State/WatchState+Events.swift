package import DTMSystem

/// Handling events.
extension WatchState {
  /// Handles the events of one read.
  mutating func apply(_ batch: NotifyBatch) {
    batch.visit { apply($0) }
  }

  /// Handles one event.
  package mutating func apply(_ event: NotifyEvent) {
    sequence += 1
    counters.events += 1
    if event.mask.contains(.overflow) {
      hasOverflowed = true
      marks.insertEverything()
      return
    }
    guard let node = node(of: event.watch) else {
      if outerWatches.contains(event.watch) {
        rootIsSuspect = true
        if event.mask.contains(.ignored) { outerWatches.remove(event.watch) }
      } else if event.watch > highestWatch {
        countBreak(.unknownWatch)
        isAstray = true
        marks.insertEverything()
      }
      // Else a watch of ours that was removed: what it was about was marked then.
      return
    }
    if event.name.isEmpty {
      applySelf(event.mask, node)
    } else if event.mask.contains(.isDirectory) {
      applyDirectory(event, node)
    } else {
      applyFile(event, node)
    }
  }

  /// The directory of a watch; fills the cache.
  private mutating func node(of watch: Int32) -> NodeIndex? {
    if watch == directoryCache.watch, directoryCache.version == nodes.pathVersion {
      return directoryCache.node
    }
    guard let node = nodes.node(ofWatch: watch) else { return nil }
    directoryCache = DirectoryCache(
      watch: watch, version: nodes.pathVersion, node: node, key: nodes.key(of: node))
    return node
  }

  /// An event about the watched directory itself.
  private mutating func applySelf(_ mask: NotifyMask, _ node: NodeIndex) {
    if mask.contains(.attributes) {
      hasNews = true
      mark(directoryCache.key, .entry)
    }
    let isEnd = !mask.isDisjoint(with: [.deleteSelf, .unmount, .ignored])
    if node == .root, isEnd || mask.contains(.moveSelf) { rootIsSuspect = true }
    if mask.contains(.ignored) {
      nodes.setWatch(node, -1)
      nodes.setFlag(.lostWatch, of: node, to: true)
      directoryCache = DirectoryCache()
      if node != .root { unsettled.orphans.append(node) }
    }
  }

  /// An event about a name that is no directory.
  private mutating func applyFile(_ event: NotifyEvent, _ node: NodeIndex) {
    let isMove = !event.mask.isDisjoint(with: [.movedFrom, .movedTo])
    if isMove { settleOccupant(event, node) }
    // A directory on its way has no path; where it arrives, everything beneath is marked.
    guard let directory = directoryCache.key else {
      if event.mask.contains(.modify) { unsettled.hasWritesInTransit = true }
      return
    }
    let isRepeated = event.name.elementsEqual(directoryCache.lastName)
    let isPlain = event.mask.isDisjoint(with: [.modify, .closeWrite, .delete, .movedFrom, .movedTo])
    if isRepeated {
      hasNews = true
      if isPlain {
        if isBoundary != nil { noteBoundary(directory.appending(Array(event.name)), event.mask) }
        return
      }
    }
    let key = directory.appending(Array(event.name))
    noteBoundary(key, event.mask)
    if !isRepeated {
      if isExcluded(key, false) { return }
      hasNews = true
      marks.insert(event.name, in: directory)
      directoryCache.lastName = Array(event.name)
    }
    if event.mask.contains(.modify) {
      hot.insert(key, at: sequence)
    } else if event.mask.contains(.movedFrom) {
      unsettled.departures[event.cookie] = Unsettled.Departure(
        node: .none, parent: node, name: Array(event.name), epoch: unsettled.epoch,
        hotSince: hot.take(key))
    } else if event.mask.contains(.movedTo) {
      hot.remove(key)
      let departure = unsettled.departures.removeValue(forKey: event.cookie)
      if let since = departure?.hotSince { hot.insert(key, at: since) }
    } else if !event.mask.isDisjoint(with: [.closeWrite, .delete]) {
      hot.remove(key)
    }
  }

  /// A file that takes or leaves the name of a directory we know: an exchange, of which the events
  /// tell only half at a time.
  private mutating func settleOccupant(_ event: NotifyEvent, _ node: NodeIndex) {
    if nodes.child(of: node, named: event.name) != nil {
      unsettled.suspects.insert(Unsettled.Place(parent: node, name: Array(event.name)))
    }
  }

  /// An event about a subdirectory.
  private mutating func applyDirectory(_ event: NotifyEvent, _ parent: NodeIndex) {
    directoryCache.lastName = []
    let mask = event.mask
    if mask.contains(.create) {
      arrive(event.name, in: parent)
    } else if mask.contains(.movedTo) {
      moveIn(event, parent)
    } else if mask.contains(.movedFrom) {
      moveOut(event, parent)
    } else if mask.contains(.delete) {
      guard let key = includedKey(event.name, parent) else { return }
      if let child = nodes.child(of: parent, named: event.name) { drop(child) }
      hot.removeAll(beneath: key)
      mark(key, .subtree)
    } else if mask.contains(.attributes) {
      guard let key = includedKey(event.name, parent) else { return }
      mark(key, .entry)
      // Permission may have been given.
      if let child = nodes.child(of: parent, named: event.name), uncovered[child] != nil {
        makePending(child)
      }
    }
  }

  /// A directory is there that was not: everything beneath is unknown.
  mutating func arrive(_ name: ArraySlice<UInt8>, in parent: NodeIndex) {
    if let old = nodes.child(of: parent, named: name) { drop(old) }
    guard let key = nodes.key(of: parent)?.appending(Array(name)) else {
      // The parent is on its way: it is listed anew where it arrives, if at all.
      unsettled.suspects.insert(Unsettled.Place(parent: parent, name: Array(name)))
      return nodes.setFlag(.holdsExcluded, of: parent, to: true)
    }
    if isExcluded(key, true) {
      nodes.setFlag(.holdsExcluded, of: parent, to: true)
      return excludeAgain(parent)
    }
    hasNews = true
    makePending(nodes.makeChild(of: parent, named: name))
    mark(key, .subtree)
  }

  private mutating func moveOut(_ event: NotifyEvent, _ parent: NodeIndex) {
    let place = Unsettled.Place(parent: parent, name: Array(event.name))
    if let key = includedKey(event.name, parent) { mark(key, .subtree) }
    var child = nodes.child(of: parent, named: event.name) ?? .none
    if !child.isNone, isSure(place, child) {
      nodes.detach(child)
      // An exchange tells MOVED_TO before MOVED_FROM of one name, under which there is a directory
      // afterwards: whether the name is free now is looked at.
      unsettled.vacated.insert(place)
    } else {
      if !child.isNone { drop(child) }
      child = .none
      unsettled.suspects.insert(place)
    }
    unsettled.departures[event.cookie] = Unsettled.Departure(
      node: child, parent: parent, name: place.name, epoch: unsettled.epoch, hotSince: nil)
  }

  /// Whether it is this directory that leaves the name, and not one that had or got it by a change
  /// whose events are not all handled yet.
  private func isSure(_ place: Unsettled.Place, _ child: NodeIndex) -> Bool {
    nodes[child].state != .pending && !unsettled.armed.contains(child)
      && !unsettled.suspects.contains(place)
  }

  private mutating func moveIn(_ event: NotifyEvent, _ parent: NodeIndex) {
    let place = Unsettled.Place(parent: parent, name: Array(event.name))
    let departure = unsettled.departures.removeValue(forKey: event.cookie)
    guard let departure, nodes.isAlive(departure.node) else {
      if nodes.child(of: parent, named: event.name) != nil { unsettled.suspects.insert(place) }
      noteArrival(nodes.key(of: parent)?.appending(place.name), isListed: true)
      return arrive(event.name, in: parent)
    }
    let child = departure.node
    let occupant = nodes.child(of: parent, named: event.name)
    // Until a directory is listed it may have others that nobody knows.
    let isFree =
      occupant.map { nodes[$0].flags.contains(.lostWatch) } ?? (nodes[parent].state != .pending)
    if !isFree || unsettled.suspects.contains(place) {
      // It was replaced, or the two change places: events that tell the one from the other may be
      // among those to come. Both names are armed anew, and until then who has them is unknown.
      drop(child)
      unsettled.suspects.insert(place)
      unsettled.suspects.insert(
        Unsettled.Place(parent: departure.parent, name: departure.name))
      noteArrival(nodes.key(of: parent)?.appending(place.name), isListed: true)
      return arrive(event.name, in: parent)
    }
    if nodes.isSelfOrAncestor(of: parent, { $0 == child }) {
      // Cannot be in a tree: what we believe of it is wrong.
      drop(child)
      countBreak(.contradiction)
      isAstray = true
      return marks.insertEverything()
    }
    if let occupant { drop(occupant) }
    move(child, from: departure, to: place)
  }

  /// A directory we know has another name.
  private mutating func move(
    _ child: NodeIndex, from departure: Unsettled.Departure, to place: Unsettled.Place
  ) {
    let key = nodes.key(of: place.parent)?.appending(place.name)
    if let key, isExcluded(key, true) {
      drop(child)
      nodes.setFlag(.holdsExcluded, of: place.parent, to: true)
      return excludeAgain(place.parent)
    }
    hasNews = true
    nodes.attach(child, to: place.parent, named: place.name[...])
    nodes.setFlag(.wasMissing, of: child, to: false)
    revisit.append(child)
    guard let key else { return }
    // What is beneath it is listed by nobody.
    noteArrival(key, isListed: false)
    if let old = nodes.key(of: departure.parent)?.appending(departure.name) {
      hot.move(old, to: key)
    }
    if unsettled.hasWritesInTransit { hot.insertDirectory(key, at: sequence) }
    mark(key, .subtree)
  }

  /// An excluded directory may be what excludes its parent: a repository makes it a nested one.
  private mutating func excludeAgain(_ node: NodeIndex) {
    guard node != .root, let key = nodes.key(of: node), isExcluded(key, true) else { return }
    let parent = nodes[node].parent
    drop(node)
    nodes.setFlag(.holdsExcluded, of: parent, to: true)
    mark(key, .subtree)
  }

  /// The path of a subdirectory; nil when it is excluded or has no place in the tree.
  private mutating func includedKey(_ name: ArraySlice<UInt8>, _ parent: NodeIndex) -> PathKey? {
    guard let key = directoryCache.key?.appending(Array(name)), !isExcluded(key, true) else {
      return nil
    }
    hasNews = true
    return key
  }
}
