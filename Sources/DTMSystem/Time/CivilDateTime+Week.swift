extension CivilDateTime {
  /// 1 (Monday) … 7 (Sunday).
  package var isoWeekday: Int {
    // 1970-01-01 was a Thursday.
    let days = secondsSince1970.flooredQuotient(by: 86_400) + 3
    return Int(days - days.flooredQuotient(by: 7) * 7) + 1
  }

  /// The week as ISO 8601 numbers it: it belongs to the year of its Thursday.
  package var isoWeek: (year: Int, number: Int) {
    let thursday = CivilDateTime(
      secondsSince1970: secondsSince1970 + Int64(4 - isoWeekday) * 86_400)
    let first = CivilDateTime(year: thursday.year, month: 1, day: 1)
    let days = (thursday.secondsSince1970 - first.secondsSince1970).flooredQuotient(by: 86_400)
    return (thursday.year, Int(days) / 7 + 1)
  }
}
