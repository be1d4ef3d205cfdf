/// A date and time of day in the Gregorian calendar, in no zone.
package struct CivilDateTime: Hashable, Sendable {
  /// Astronomical: 0 is 1 BC.
  package var year: Int
  /// 1 … 12.
  package var month: Int
  /// 1 … 31.
  package var day: Int
  /// 0 … 23.
  package var hour: Int
  /// 0 … 59.
  package var minute: Int
  /// 0 … 60.
  package var second: Int

  package init(
    year: Int, month: Int, day: Int, hour: Int = 0, minute: Int = 0, second: Int = 0
  ) {
    self.year = year
    self.month = month
    self.day = day
    self.hour = hour
    self.minute = minute
    self.second = second
  }

  /// The date and time that a clock set to UTC shows.
  ///
  /// Algorithm: Howard Hinnant, "chrono-compatible low-level date algorithms", civil_from_days.
  package init(secondsSince1970 seconds: Int64) {
    let days = Int(seconds.flooredQuotient(by: 86_400))
    let rest = Int(seconds - Int64(days) * 86_400)
    let shifted = days + 719_468
    let era = Int(Int64(shifted).flooredQuotient(by: 146_097))
    let dayOfEra = shifted - era * 146_097
    let yearOfEra =
      (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
    self.init(
      year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month: month,
      day: dayOfYear - (153 * shiftedMonth + 2) / 5 + 1,
      hour: rest / 3600, minute: rest % 3600 / 60, second: rest % 60)
  }

  /// The moment at which a clock set to UTC shows this.
  ///
  /// Algorithm: as above, days_from_civil.
  package var secondsSince1970: Int64 {
    let shiftedYear = month <= 2 ? year - 1 : year
    let era = Int(Int64(shiftedYear).flooredQuotient(by: 400))
    let yearOfEra = shiftedYear - era * 400
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    let days = Int64(era * 146_097 + dayOfEra - 719_468)
    return days * 86_400 + Int64(hour * 3600 + minute * 60 + second)
  }

  /// Whether each part is in its range and the month has this day.
  package var isValid: Bool {
    (1...12).contains(month) && (0...23).contains(hour) && (0...59).contains(minute)
      && (0...60).contains(second) && (0...9999).contains(year)
      && (1...Self.days(inMonth: month, of: year)).contains(day)
  }

  private static func days(inMonth month: Int, of year: Int) -> Int {
    switch month {
    case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
  }

  func appendDate(to text: inout [UInt8]) {
    appendDecimal(year, digits: 4, to: &text)
    text.append(UInt8(ascii: "-"))
    appendDecimal(month, digits: 2, to: &text)
    text.append(UInt8(ascii: "-"))
    appendDecimal(day, digits: 2, to: &text)
  }

  func appendTime(to text: inout [UInt8]) {
    appendDecimal(hour, digits: 2, to: &text)
    text.append(UInt8(ascii: ":"))
    appendDecimal(minute, digits: 2, to: &text)
    text.append(UInt8(ascii: ":"))
    appendDecimal(second, digits: 2, to: &text)
  }

  /// `2026-11-22`.
  package var dateText: String {
    var text: [UInt8] = []
    appendDate(to: &text)
    return String(decoding: text, as: UTF8.self)
  }

  /// `02:10:30`.
  package var timeText: String {
    var text: [UInt8] = []
    appendTime(to: &text)
    return String(decoding: text, as: UTF8.self)
  }
}

extension BinaryInteger {
  /// Division that rounds down; the divisor is positive.
  package func flooredQuotient(by divisor: Self) -> Self {
    let quotient = self / divisor
    return self % divisor < 0 ? quotient - 1 : quotient
  }
}
