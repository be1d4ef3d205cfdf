package import DTMRules

/// The words of a `settle` object that are there.
package struct SettleOverrides: Sendable, Hashable {
  /// Nil means inherited; so do the others.
  package var quiet: Duration?
  /// See `SettlePolicy`.
  package var atMost: Duration?
  /// See `SettlePolicy`.
  package var minInterval: Duration?
  /// See `SettlePolicy`.
  package var openFiles: SettlePolicy.OpenFiles?

  package init(
    quiet: Duration? = nil, atMost: Duration? = nil, minInterval: Duration? = nil,
    openFiles: SettlePolicy.OpenFiles? = nil
  ) {
    self.quiet = quiet
    self.atMost = atMost
    self.minInterval = minInterval
    self.openFiles = openFiles
  }

  /// Whether no word is there.
  package var isEmpty: Bool { self == SettleOverrides() }

  /// The policy with these words in place of the inherited ones.
  ///
  /// `quiet` and `minInterval` may not be longer than `atMost`. Within one object that is an error;
  /// where one is given and the other inherited, the inherited one gives way.
  package func applied(to inherited: SettlePolicy) -> SettlePolicy {
    var policy = inherited
    if let openFiles { policy.openFiles = openFiles }
    if let atMost {
      policy.atMost = atMost
      policy.quiet = quiet ?? min(inherited.quiet, atMost)
      policy.minInterval = minInterval ?? min(inherited.minInterval, atMost)
    } else {
      policy.quiet = quiet ?? inherited.quiet
      policy.minInterval = minInterval ?? inherited.minInterval
      policy.atMost = max(inherited.atMost, policy.quiet, policy.minInterval)
    }
    return policy
  }
}
