package import DTMRules
internal import DTMSystem

/// After which snapshots a check runs: all that is given has to hold.
package struct CheckSelection: Sendable, Hashable {
  /// Why the snapshot was taken; empty: whatever.
  package var triggers: [TriggerKind]
  /// One of the rules that fired fits one of these; empty: whatever.
  package var rules: [RulePattern]
  /// The label's value fits.
  package var labels: [String: RulePattern]

  package init(
    triggers: [TriggerKind] = [], rules: [RulePattern] = [], labels: [String: RulePattern] = [:]
  ) {
    self.triggers = triggers
    self.rules = rules
    self.labels = labels
  }

  /// Whether it runs after each.
  package var isEverything: Bool { triggers.isEmpty && rules.isEmpty && labels.isEmpty }

  /// Whether it runs after a snapshot of which this is known.
  package func selects(trigger: String, rules fired: [String], labels carried: [String: String])
    -> Bool
  {
    if !triggers.isEmpty, !triggers.contains(where: { $0.rawValue == trigger }) { return false }
    if !rules.isEmpty,
      !fired.contains(where: { name in rules.contains { Self.fits(name, $0) } })
    {
      return false
    }
    return labels.allSatisfy { key, pattern in
      carried[key].map { Self.fits($0, pattern) } ?? false
    }
  }

  private static func fits(_ text: String, _ pattern: RulePattern) -> Bool {
    PathKey(text).map { pattern.matches($0, isDirectory: false) } ?? false
  }
}
