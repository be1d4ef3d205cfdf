/// Which snapshots of a line of history stay (configuration.md, `keep`).
package struct RetentionPolicy: Sendable, Hashable {
  /// The newest so many.
  package var last: Int
  /// Of each rule the newest snapshot of so many periods that have one, by the local calendar.
  package var counts: [RetentionPeriod: Int]
  /// All that are no older than this beside the newest one; zero for no such rule.
  package var within: Duration

  /// Negative numbers count as zero.
  package init(last: Int = 0, counts: [RetentionPeriod: Int] = [:], within: Duration = .zero) {
    self.last = max(0, last)
    self.counts = counts.filter { $0.value > 0 }
    self.within = max(.zero, within)
  }

  /// What holds where nobody says otherwise.
  package static let standard = RetentionPolicy(
    last: 20, counts: [.hour: 48, .day: 30, .week: 12, .month: 24, .year: 5],
    within: .seconds(86_400))

  /// Whether it keeps nothing at all.
  package var isEmpty: Bool { last == 0 && counts.isEmpty && within == .zero }
}

/// A period of the local calendar.
package enum RetentionPeriod: Sendable, Hashable, CaseIterable {
  case hour, day
  /// From Monday, as ISO 8601 numbers them.
  case week
  case month, year

  /// The rule's word: `daily`.
  package var adverb: String {
    switch self {
    case .hour: "hourly"
    case .day: "daily"
    case .week: "weekly"
    case .month: "monthly"
    case .year: "yearly"
    }
  }
}
