/// A moment: seconds since 1970 in UTC (negative before) and 0 … 999,999,999 nanoseconds.
package struct Timestamp: Hashable, Comparable, Sendable {
  /// Since 1970 in UTC, leap seconds not counted; negative before.
  package var seconds: Int64
  /// 0 … 999,999,999, also before 1970.
  package var nanoseconds: UInt32

  package init(seconds: Int64, nanoseconds: UInt32 = 0) {
    self.seconds = seconds
    self.nanoseconds = nanoseconds
  }

  /// The moment of a file's time.
  package init(_ time: FileTime) {
    self.init(seconds: time.seconds, nanoseconds: time.nanoseconds)
  }

  package static func < (left: Timestamp, right: Timestamp) -> Bool {
    (left.seconds, left.nanoseconds) < (right.seconds, right.nanoseconds)
  }

  /// This moment moved by a span of time, cut to whole nanoseconds; stays at the ends of the range.
  package func advanced(by span: Duration) -> Timestamp {
    let (whole, attoseconds) = span.components
    var moved = Int64(nanoseconds) + attoseconds / 1_000_000_000
    var carry: Int64 = 0
    if moved < 0 {
      moved += 1_000_000_000
      carry = -1
    } else if moved >= 1_000_000_000 {
      moved -= 1_000_000_000
      carry = 1
    }
    let (first, overflow) = seconds.addingReportingOverflow(whole)
    let (second, carried) = first.addingReportingOverflow(carry)
    if overflow || carried {
      return Timestamp(seconds: span < .zero ? .min : .max, nanoseconds: 0)
    }
    return Timestamp(seconds: second, nanoseconds: UInt32(moved))
  }

  /// The time from `earlier` to this moment.
  package func since(_ earlier: Timestamp) -> Duration {
    .seconds(seconds) - .seconds(earlier.seconds)
      + .nanoseconds(Int64(nanoseconds) - Int64(earlier.nanoseconds))
  }

  /// `2026-11-22T07:40:01.123456Z`: UTC, six digits of the second, cut and not rounded.
  package var rfc3339: String {
    let civil = CivilDateTime(secondsSince1970: seconds)
    var text: [UInt8] = []
    text.reserveCapacity(27)
    civil.appendDate(to: &text)
    text.append(UInt8(ascii: "T"))
    civil.appendTime(to: &text)
    text.append(UInt8(ascii: "."))
    appendDecimal(Int(nanoseconds / 1000), digits: 6, to: &text)
    text.append(UInt8(ascii: "Z"))
    return String(decoding: text, as: UTF8.self)
  }

  /// A date and time with a zone (`Z` or `+02:00`), seconds and their fraction optional; nil for
  /// anything else. A second 60 is the first of the next minute.
  package init?(rfc3339 text: String) {
    guard let parsed = DateTimeText(text), let civil = parsed.dateTime, let offset = parsed.offset
    else { return nil }
    self.init(
      seconds: civil.secondsSince1970 - Int64(offset), nanoseconds: parsed.nanoseconds)
  }
}

/// Appends a number with leading zeros; more digits than asked for are all written.
func appendDecimal(_ value: Int, digits: Int, to text: inout [UInt8]) {
  let start = text.count
  var rest = value.magnitude
  while rest > 0 || text.count - start < digits {
    text.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10))
    rest /= 10
  }
  if value < 0 { text.append(UInt8(ascii: "-")) }
  text[start...].reverse()
}
