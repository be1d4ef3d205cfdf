package import DTMRules

/// Which snapshots of a folder stay, and how long what was taken away can come back.
package struct KeepPolicy: Sendable, Hashable {
  package var retention: RetentionPolicy
  /// For so long a snapshot that was pruned stays restorable.
  package var grace: Duration

  package init(
    retention: RetentionPolicy = .standard, grace: Duration = Self.standardGrace
  ) {
    self.retention = retention
    self.grace = grace
  }

  /// Seven days.
  package static let standardGrace = Duration.seconds(7 * 86_400)
}
