package import DTMSystem

/// Rules that a clock fires.
extension RuleEngine {
  /// When the next rule of a clock is due; nil where there is none that waits for time alone.
  package var nextTime: Timestamp? {
    var earliest: Timestamp?
    for (number, rule) in rules.enumerated() {
      if inFlight.contains(clockMark(number)) { continue }
      for condition in rule.conditions {
        // One that is due and waits for something else needs no clock.
        guard let time = nextTime(number, condition), time > now || rule.isScheduled else {
          continue
        }
        earliest = min(earliest ?? time, time)
      }
    }
    return earliest
  }

  func nextTime(_ rule: Int, _ condition: RuleCondition) -> Timestamp? {
    // What was recorded later than now is of a clock that was wrong.
    let last = min(memory.times[clockMark(rule)] ?? start, now)
    switch condition {
    case .every(let period): return last.advanced(by: period)
    case .at(let minute): return next(minute: minute, after: last)
    default: return nil
    }
  }

  /// The first moment after another at which a local clock shows this time of day. A time that the
  /// clocks leave out is as much later as they went forward, one that comes twice is the first.
  private func next(minute: Int, after last: Timestamp) -> Timestamp {
    for days in 0...2 {
      let day = calendar.components(of: calendar.startOfDay(last, daysLater: days)).dateTime
      let time = calendar.timestamp(
        of: CivilDateTime(
          year: day.year, month: day.month, day: day.day, hour: minute / 60, minute: minute % 60))
      if time > last { return time }
    }
    return last.advanced(by: .seconds(86_400))
  }
}
