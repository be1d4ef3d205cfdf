package import DTMRepository
package import DTMSystem

/// What has to be looked at for the next snapshot, and what vouches that it is everything.
package struct ChangeSet: Sendable {
  /// What vouches that no change was missed.
  package typealias Basis = Snapshot.Basis

  /// How much at a path has to be looked at.
  package enum Scope: Sendable, Hashable {
    /// Look at this one name: present, changed, gone.
    case entry
    /// Everything at and beneath it is unknown: stat it all.
    case subtree
  }

  package var basis: Basis
  /// The watcher's clocks at which its changes begin and end; opaque texts, empty without one.
  package var baseClock: String
  package var endClock: String
  /// Ascending by key, each once.
  package var paths: [(key: PathKey, scope: Scope)]
  /// What may be changing without events: files that were modified and may be open for writing.
  package var hot: [PathKey]
  /// What the watcher can't vouch for.
  package var uncovered: [PathKey]

  package init(
    basis: Basis, baseClock: String = "", endClock: String = "",
    paths: [(key: PathKey, scope: Scope)] = [], hot: [PathKey] = [], uncovered: [PathKey] = []
  ) {
    self.basis = basis
    self.baseClock = baseClock
    self.endClock = endClock
    self.paths = paths
    self.hot = hot
    self.uncovered = uncovered
  }
}
