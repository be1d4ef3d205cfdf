package import DTMSystem

/// Decides what of a line of history stays. Pure: times go in, reasons come out.
package struct Retention: Sendable {
  private let policy: RetentionPolicy
  private let calendar: LocalCalendar

  package init(_ policy: RetentionPolicy, calendar: LocalCalendar) {
    self.policy = policy
    self.calendar = calendar
  }

  /// Why each snapshot of a line stays, in the order of the rules; none: no rule keeps it.
  ///
  /// `times`: in the order of history, newest first. A clock that was set back does not matter: what counts
  /// is the time, and of equal ones the later snapshot. The result has the same order.
  package func reasons(_ times: [Timestamp]) -> [[String]] {
    var reasons = [[String]](repeating: [], count: times.count)
    let shown = times.map(calendar.components)
    let order = times.indices.sorted { (times[$1], $0) < (times[$0], $1) }
    guard let newest = order.first else { return [] }
    for (rank, index) in order.prefix(policy.last).enumerated() {
      reasons[index].append("last \(rank + 1) of \(policy.last)")
    }
    for period in RetentionPeriod.allCases {
      guard let count = policy.counts[period] else { continue }
      var left = count
      var present: CalendarPeriod?
      for index in order {
        let found = CalendarPeriod(period, shown[index])
        if found == present { continue }
        if left == 0 { break }
        present = found
        left -= 1
        reasons[index].append("\(period.adverb) \(found.name)")
      }
    }
    if policy.within > .zero {
      let oldest = times[newest].advanced(by: .zero - policy.within)
      for index in order where times[index] >= oldest {
        reasons[index].append("within \(HumanUnits.duration(policy.within)) of the newest")
      }
    }
    return reasons
  }
}

/// One period of the calendar.
struct CalendarPeriod: Hashable {
  private let period: RetentionPeriod
  /// Ascending with time.
  private let number: Int
  /// Of hours: the one that comes twice when clocks go back is two.
  private let offset: Int

  init(_ period: RetentionPeriod, _ components: LocalCalendar.Components) {
    self.period = period
    let date = components.dateTime
    offset = period == .hour ? components.offset : 0
    switch period {
    case .hour: number = Self.day(date) * 24 + date.hour
    case .day: number = Self.day(date)
    case .week: number = Self.day(date) - (date.isoWeekday - 1)
    case .month: number = date.year * 12 + date.month - 1
    case .year: number = date.year
    }
  }

  private static func day(_ date: CivilDateTime) -> Int {
    Int(date.secondsSince1970.flooredQuotient(by: 86_400))
  }

  /// As people write it: `2026-11-24 18h`, `2026-W48`.
  var name: String {
    switch period {
    case .hour:
      Self.dayName(number.flooredQuotient(by: 24)) + " "
        + Self.padded(number - number.flooredQuotient(by: 24) * 24, 2) + "h"
    case .day: Self.dayName(number)
    case .week:
      switch CivilDateTime(secondsSince1970: Int64(number) * 86_400).isoWeek {
      case (let year, let week): Self.padded(year, 4) + "-W" + Self.padded(week, 2)
      }
    case .month:
      Self.padded(number.flooredQuotient(by: 12), 4) + "-"
        + Self.padded(number - number.flooredQuotient(by: 12) * 12 + 1, 2)
    case .year: Self.padded(number, 4)
    }
  }

  private static func dayName(_ day: Int) -> String {
    let date = CivilDateTime(secondsSince1970: Int64(day) * 86_400)
    return [padded(date.year, 4), padded(date.month, 2), padded(date.day, 2)].joined(separator: "-")
  }

  private static func padded(_ number: Int, _ width: Int) -> String {
    let digits = String(number.magnitude)
    return (number < 0 ? "-" : "") + String(repeating: "0", count: max(0, width - digits.count))
      + digits
  }
}
