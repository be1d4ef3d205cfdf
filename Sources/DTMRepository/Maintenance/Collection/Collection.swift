/// When something is freed.
package struct CollectionPolicy: Sendable {
  /// What was pruned, or can be undone, stays for so long.
  package var grace: Duration
  /// A pack is rewritten when more than this share of it is not needed; from 0 to 1.
  package var waste: Double
  /// Whether live packs that nobody writes are sealed, whatever is in them.
  package var sealsLivePacks = false
  /// zstd's level for what is rewritten.
  package var level = 3

  package init(grace: Duration, waste: Double) {
    self.grace = grace
    self.waste = waste
  }

  /// What a daemon does by itself.
  package static let standard = CollectionPolicy(grace: .seconds(7 * 86_400), waste: 0.3)
  /// What somebody gets who wants the room now.
  package static let now = CollectionPolicy(grace: .zero, waste: 0.05)
  /// Nothing that is not needed stays anywhere, but what can be undone still.
  package static func erasure(grace: Duration) -> CollectionPolicy {
    var policy = CollectionPolicy(grace: grace, waste: 0)
    policy.sealsLivePacks = true
    return policy
  }
}

/// What a collection did.
package struct CollectionReport: Sendable {
  /// Snapshots whose content stays.
  package var keptSnapshots = 0
  /// Bytes of packs that are gone, less those that were written anew.
  package var freedBytes = 0
  package var deletedPacks = 0
  package var rewrittenPacks = 0
  /// Bytes that nobody needs, and that are freed by a later collection: somebody who began before this
  /// one did is still writing.
  package var waitingBytes = 0
  /// Bytes of all packs that count, afterwards.
  package var packBytes = 0
  /// What could not be done, a sentence each.
  package var remarks: [String] = []
}
