package import DTMFolder
package import DTMSystem

/// When which part of a folder is audited: a value without a clock.
///
/// Everything is looked at once in a period, in parts, each followed by a rest that is so much longer
/// than the part's work as the share allows. What differs is looked at again after a while.
package struct AuditSchedule {
  /// A round each day; a scan counts as one.
  package static let period = Duration.seconds(24 * 3600)
  /// Of one core's time.
  static let share = 0.02
  /// Entries of a part: some 10 ms.
  static let partLimit = 4096
  /// How long after the first look a suspect is looked at again: longer than any system call takes
  /// from the change to its event.
  static let secondLook = Duration.seconds(5)
  /// After an attempt that could not be made.
  static let postponement = Duration.seconds(60)

  /// Nil before the folder was looked at as a whole.
  package private(set) var due: Duration?
  /// Where the next part begins; nil for the folder's beginning.
  package private(set) var cursor: PathKey?
  /// What differed, to be looked at again.
  package private(set) var suspects: [AuditSuspect] = []
  private var roundStart = Duration.zero
  /// What the parts since the last suspects' second look cost.
  private var rest = Duration.zero

  package init() {}

  /// A scan has looked at everything.
  package mutating func everythingLookedAt(at now: Duration) {
    self = AuditSchedule()
    due = now + Self.period
  }

  /// A round begins now, unless one is under way or nothing was looked at yet.
  package mutating func begin(at now: Duration) {
    if due != nil, cursor == nil, suspects.isEmpty { due = now }
  }

  /// Whether a part, or a second look, is to be made now.
  package func isDue(at now: Duration) -> Bool { due.map { $0 <= now } ?? false }

  /// A part was compared.
  package mutating func finished(_ part: AuditPart, at now: Duration) {
    if cursor == nil { roundStart = now }
    cursor = part.end
    suspects = part.suspects
    let rest = part.cost * (1 / Self.share - 1)
    due = part.end == nil ? max(roundStart + Self.period, now + rest) : now + rest
    if suspects.isEmpty { return }
    self.rest = max(.zero, (due ?? now) - now - Self.secondLook)
    due = now + Self.secondLook
  }

  /// Suspects were looked at again; these are to be looked at once more.
  package mutating func looked(again: [AuditSuspect], at now: Duration) {
    suspects = again
    due = now + (again.isEmpty ? rest : Self.secondLook)
  }

  /// It could not be done now; suspects that wait are those of a state that is no more.
  package mutating func postpone(at now: Duration) {
    suspects = []
    due = now + Self.postponement
  }
}
