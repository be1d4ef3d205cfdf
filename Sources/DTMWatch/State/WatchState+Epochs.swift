internal import DTMSystem

/// Settling what events left open.
extension WatchState {
  /// Called when every event that was queued at the beginning of the epoch has been handled.
  package mutating func endEpoch() {
    let hadNews = hasNews
    for node in unsettled.orphans where nodes.isAlive(node) && nodes[node].watch < 0 {
      guard !nodes[node].parent.isNone else { continue }
      unsettled.suspects.insert(place(of: node))
      countBreak(.lostWatch)
    }
    let suspects = unsettled.suspects
    let vacated = unsettled.vacated.subtracting(suspects)
    let missing = unsettled.missing
    unsettled.orphans = []
    unsettled.suspects = []
    unsettled.vacated = []
    unsettled.missing = []
    unsettled.armed = []
    for place in suspects where nodes.isAlive(place.parent) {
      hotBeneath(place)
      arrive(place.name[...], in: place.parent)
    }
    for place in vacated where nodes.isAlive(place.parent) {
      if nodes.child(of: place.parent, named: place.name[...]) != nil { continue }
      arrive(place.name[...], in: place.parent)
    }
    hasNews = hadNews
    for node in missing where nodes.isAlive(node) && nodes[node].state == .pending {
      pending.append(node)
    }
    expireDepartures()
    countStall()
    unsettled.epoch += 1
    nodes.flushFreed()
  }

  private mutating func countStall() {
    guard unsettled.hasStalled else { return }
    unsettled.hasStalled = false
    unsettled.stalledEpochs += 1
    if unsettled.stalledEpochs > Unsettled.stallLimit {
      // Not to be explained by anything that is under way: what we believe is wrong.
      unsettled.stalledEpochs = 0
      countBreak(.contradiction)
      isAstray = true
    }
  }

  /// Which files were written beneath it is not sure either.
  private mutating func hotBeneath(_ place: Unsettled.Place) {
    guard !hot.isEmpty, let key = nodes.key(of: place.parent)?.appending(place.name) else { return }
    if hot.removeAll(beneath: key) { hot.insertDirectory(key, at: sequence) }
  }

  private func place(of node: NodeIndex) -> Unsettled.Place {
    Unsettled.Place(parent: nodes[node].parent, name: Array(nodes.name(of: node)))
  }

  /// A rename whose other half did not come within an epoch left the folder. Should the half come
  /// later, it is a directory that is new to us.
  private mutating func expireDepartures() {
    if unsettled.departures.isEmpty {
      unsettled.hasWritesInTransit = false
      return
    }
    for (cookie, departure) in unsettled.departures where departure.epoch < unsettled.epoch {
      unsettled.departures.removeValue(forKey: cookie)
      guard nodes.isAlive(departure.node) else { continue }
      if nodes.isAlive(departure.parent),
        let key = nodes.key(of: departure.parent)?.appending(departure.name)
      {
        hot.removeAll(beneath: key)
      }
      drop(departure.node)
    }
  }
}
