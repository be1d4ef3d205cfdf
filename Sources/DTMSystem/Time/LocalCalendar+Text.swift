/// Times as users write them in `@{…}`, `--since` and `--until`.
extension LocalCalendar {
  /// The moment that `text` names, or nil where it names none.
  ///
  /// `2h`, `2h ago`, `1h30m`: so long before `now`. `now`; `today`, `yesterday`, `2026-11-22`: the
  /// start of that day, as systemd.time(7) has it. `2026-11-22T02:10`, seconds and fraction
  /// optional: local, or in the zone that is given (`Z`, `+02:00`). `02:10`, `02:10:30`: the most
  /// recent one past.
  package func resolve(_ text: String, now: Timestamp) -> Timestamp? {
    switch text {
    case "now": return now
    case "today": return startOfDay(now)
    case "yesterday": return startOfDay(now, daysLater: -1)
    default: break
    }
    let span = text.hasSuffix(" ago") ? String(text.dropLast(4)) : text
    if let duration = HumanUnits.parseDuration(span) {
      return now.advanced(by: .zero - duration)
    }
    guard let parsed = DateTimeText(text) else { return nil }
    if let dateTime = parsed.dateTime {
      if let offset = parsed.offset {
        return Timestamp(
          seconds: dateTime.secondsSince1970 - Int64(offset), nanoseconds: parsed.nanoseconds)
      }
      return timestamp(of: dateTime, nanoseconds: parsed.nanoseconds)
    }
    if let date = parsed.date { return timestamp(of: date) }
    guard let time = parsed.time else { return nil }
    return mostRecent(time, nanoseconds: parsed.nanoseconds, now: now)
  }

  /// The last moment no later than `now` at which a local clock showed this time of day.
  private func mostRecent(
    _ time: CivilDateTime, nanoseconds: UInt32, now: Timestamp
  ) -> Timestamp? {
    let today = components(of: now).dateTime
    for daysAgo in 0...1 {
      let date = CivilDateTime(
        secondsSince1970: CivilDateTime(year: today.year, month: today.month, day: today.day)
          .secondsSince1970 - Int64(daysAgo) * 86_400)
      let moments = moments(
        of: CivilDateTime(
          year: date.year, month: date.month, day: date.day, hour: time.hour, minute: time.minute,
          second: time.second))
      for seconds in [moments.last, moments.first] {
        let moment = Timestamp(seconds: seconds, nanoseconds: nanoseconds)
        if moment <= now { return moment }
      }
    }
    return nil
  }
}
