/// The parts of a date, a time of day, or both, as RFC 3339 writes them, the zone and the seconds
/// optional; a space may stand for the `T`.
struct DateTimeText {
  /// Year, month and day; nil where there is a time of day alone.
  private(set) var date: CivilDateTime?
  /// Hour, minute and second (in a value whose date means nothing); nil where there is a date alone.
  private(set) var time: CivilDateTime?
  private(set) var nanoseconds: UInt32 = 0
  /// Seconds east of UTC; nil where no zone is given.
  private(set) var offset: Int?

  private var rest: ArraySlice<UInt8>

  /// Nil for anything that is not whole, or not a date that exists.
  init?(_ text: String) {
    rest = Array(text.utf8)[...]
    if rest.count >= 5, rest[rest.startIndex + 4] == UInt8(ascii: "-") {
      guard let year = number(digits: 4), take("-"), let month = number(digits: 2), take("-"),
        let day = number(digits: 2)
      else { return nil }
      let civil = CivilDateTime(year: year, month: month, day: day)
      if !civil.isValid { return nil }
      date = civil
      if rest.isEmpty { return }
      guard take("T") || take("t") || take(" ") else { return nil }
    }
    guard timeOfDay() else { return nil }
    if date != nil && !rest.isEmpty && !zone() { return nil }
    if !rest.isEmpty { return nil }
  }

  /// Date and time where both are given.
  var dateTime: CivilDateTime? {
    guard let date, let time else { return nil }
    return CivilDateTime(
      year: date.year, month: date.month, day: date.day, hour: time.hour, minute: time.minute,
      second: time.second)
  }

  private mutating func timeOfDay() -> Bool {
    guard let hour = number(digits: 2), take(":"), let minute = number(digits: 2) else {
      return false
    }
    var second = 0
    if take(":") {
      guard let value = number(digits: 2) else { return false }
      second = value
      if take("."), !fraction() { return false }
    }
    let civil = CivilDateTime(
      year: 2000, month: 1, day: 1, hour: hour, minute: minute, second: second)
    time = civil
    return civil.isValid
  }

  private mutating func fraction() -> Bool {
    var scale: UInt32 = 100_000_000
    var count = 0
    while let byte = rest.first, let digit = Self.digit(byte) {
      nanoseconds += UInt32(digit) * scale
      scale /= 10
      count += 1
      rest.removeFirst()
    }
    return (1...9).contains(count)
  }

  private mutating func zone() -> Bool {
    if take("Z") || take("z") {
      offset = 0
      return true
    }
    let sign: Int
    if take("+") { sign = 1 } else if take("-") { sign = -1 } else { return false }
    guard let hour = number(digits: 2), take(":"), let minute = number(digits: 2), hour < 24,
      minute < 60
    else { return false }
    offset = sign * (hour * 3600 + minute * 60)
    return true
  }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard let first = rest.first, first == UInt8(ascii: character) else { return false }
    rest.removeFirst()
    return true
  }

  private mutating func number(digits count: Int) -> Int? {
    guard rest.count >= count else { return nil }
    var value = 0
    for byte in rest.prefix(count) {
      guard let digit = Self.digit(byte) else { return nil }
      value = value * 10 + digit
    }
    rest.removeFirst(count)
    return value
  }

  private static func digit(_ byte: UInt8) -> Int? {
    byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") ? Int(byte - UInt8(ascii: "0")) : nil
  }
}
