/// When a guard raises an alarm, and what it does then (configuration.md, `guard`).
package struct GuardPolicy: Sendable, Hashable {
  /// What an alarm brings about.
  package enum Measure: String, Sendable, CaseIterable {
    /// The newest snapshot before the damage is pinned.
    case pinPrevious = "pin-previous"
    /// Nothing is pruned for a while.
    case holdRetention = "hold-retention"
    /// Somebody is told.
    case alert
  }

  /// The share of the files, in percent, that may be gone or empty; nil: any.
  package var removed: Int?
  /// The share of the files, in percent, that may turn into something unlike what they were; nil: any.
  package var rewritten: Int?
  /// What happens within so long counts together.
  package var within: Duration
  /// Fewer files than this raise no alarm.
  package var atLeast: Int
  package var measures: Set<Measure>
  /// How long retention is held, and the alarm is shown unless somebody ends it.
  package var hold: Duration

  package init(
    removed: Int? = nil, rewritten: Int? = nil, within: Duration = .seconds(60),
    atLeast: Int = 100, measures: Set<Measure> = Set(Measure.allCases),
    hold: Duration = .seconds(7 * 86_400)
  ) {
    self.removed = removed
    self.rewritten = rewritten
    self.within = within
    self.atLeast = atLeast
    self.measures = measures
    self.hold = hold
  }

  /// What holds where nobody says otherwise.
  package static let standard = GuardPolicy(removed: 30, rewritten: 60)

  /// One that guards nothing.
  package static let off = GuardPolicy()

  /// Whether it never raises an alarm, or does nothing then.
  package var isOff: Bool { removed == nil && rewritten == nil || measures.isEmpty }

  /// Whether so many of all files reach a share.
  func reaches(_ count: Int, of files: Int, share: Int?) -> Bool {
    guard let share, count >= max(1, atLeast) else { return false }
    let (scaled, isTooLarge) = count.multipliedReportingOverflow(by: 100)
    let (limit, isLimitTooLarge) = files.multipliedReportingOverflow(by: share)
    return isTooLarge || !isLimitTooLarge && scaled >= limit
  }
}
