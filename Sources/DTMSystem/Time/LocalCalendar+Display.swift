/// Times as people read them.
extension LocalCalendar {
  /// `2026-11-22 02:09:58`, local.
  package func display(_ moment: Timestamp) -> String {
    let time = components(of: moment).dateTime
    return
      "\(Self.date(time)) \(Self.two(time.hour)):\(Self.two(time.minute)):\(Self.two(time.second))"
  }

  /// The shortest that tells it from others at `now`: `02:09` today, `yesterday 17:20`,
  /// `2026-11-20 17:20` before.
  package func brief(_ moment: Timestamp, now: Timestamp) -> String {
    let time = components(of: moment).dateTime
    let clock = "\(Self.two(time.hour)):\(Self.two(time.minute))"
    if moment >= startOfDay(now), moment < startOfDay(now, daysLater: 1) { return clock }
    if moment >= startOfDay(now, daysLater: -1), moment < startOfDay(now) {
      return "yesterday \(clock)"
    }
    return "\(Self.date(time)) \(clock)"
  }

  private static func date(_ time: CivilDateTime) -> String {
    "\(time.year)-\(two(time.month))-\(two(time.day))"
  }

  private static func two(_ number: Int) -> String {
    number < 10 ? "0\(number)" : String(number)
  }
}
