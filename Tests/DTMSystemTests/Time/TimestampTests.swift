import DTMSystem
import DTMTestSupport
import Glibc
import Testing

@Suite struct TimestampTests {
  @Test(
    arguments: [
      (1_795_333_201, 123_456_789, "2026-11-22T07:40:01.123456Z"),
      (0, 0, "1970-01-01T00:00:00.000000Z"), (-1, 999_999_999, "1969-12-31T23:59:59.999999Z"),
      (951_782_400, 0, "2000-02-29T00:00:00.000000Z"),
      (-62_167_219_200, 0, "0000-01-01T00:00:00.000000Z"),
      (253_402_300_799, 0, "9999-12-31T23:59:59.000000Z"),
    ] as [(Int64, UInt32, String)]) func `a moment is written in UTC`(
      seconds: Int64, nanoseconds: UInt32, text: String
    )
  {
    #expect(Timestamp(seconds: seconds, nanoseconds: nanoseconds).rfc3339 == text)
  }

  @Test(
    arguments: [
      ("2026-11-22T07:40:01.123456789Z", 1_795_333_201, 123_456_789),
      ("2026-11-22t07:40:01z", 1_795_333_201, 0),
      ("2026-11-22 07:40:01.5Z", 1_795_333_201, 500_000_000),
      ("2026-11-22T09:40:01+02:00", 1_795_333_201, 0),
      ("2026-11-22T02:10:01-05:30", 1_795_333_201, 0),
      ("2026-11-22T07:40Z", 1_795_333_200, 0), ("1969-12-31T23:59:59Z", -1, 0),
      ("2016-12-31T23:59:60Z", 1_483_228_800, 0),
    ] as [(String, Int64, UInt32)]) func `RFC 3339 is read`(
      text: String, seconds: Int64, nanoseconds: UInt32
    )
  {
    #expect(
      Timestamp(rfc3339: text) == Timestamp(seconds: seconds, nanoseconds: nanoseconds))
  }

  @Test(arguments: [
    "", "2026-11-22", "2026-11-22T07:40:01", "2026-13-01T00:00:00Z", "2026-02-29T00:00:00Z",
    "2026-11-22T24:00:00Z", "2026-11-22T07:60:00Z", "2026-11-22T07:40:61Z", "2026-1-22T07:40:01Z",
    "2026-11-22T07:40:01.Z", "2026-11-22T07:40:01.1234567890Z", "2026-11-22T07:40:01+0200",
    "2026-11-22T07:40:01Z ", "+2026-11-22T07:40:01Z", "2026-11-22T07:40:01+24:00", "x",
    "2100-02-29T00:00:00Z",
  ]) func `anything else is no moment`(text: String) {
    #expect(Timestamp(rfc3339: text) == nil)
  }

  @Test func `random moments agree with the C library and read back`() {
    var random = SplitMix.fresh("moments")
    for _ in 0..<5000 {
      let moment = Timestamp(
        seconds: Int64.random(in: -62_167_219_200...253_402_300_799, using: &random),
        nanoseconds: UInt32(random.below(1_000_000)) * 1000)
      #expect(Timestamp(rfc3339: moment.rfc3339) == moment)
      var time = time_t(moment.seconds)
      var parts = unsafe tm()
      unsafe gmtime_r(&time, &parts)
      let civil = CivilDateTime(secondsSince1970: moment.seconds)
      #expect(
        unsafe civil.year == Int(parts.tm_year) + 1900 && civil.month == Int(parts.tm_mon) + 1
          && civil.day == Int(parts.tm_mday) && civil.hour == Int(parts.tm_hour)
          && civil.minute == Int(parts.tm_min) && civil.second == Int(parts.tm_sec))
      #expect(civil.secondsSince1970 == moment.seconds)
    }
  }

  @Test func `moving a moment and measuring between two agree`() {
    var random = SplitMix.fresh("spans")
    for _ in 0..<2000 {
      let moment = Timestamp(
        seconds: Int64(random.below(4_000_000_000)) - 2_000_000_000,
        nanoseconds: UInt32(random.below(1_000_000_000)))
      let span =
        Duration.seconds(random.below(1_000_000) - 500_000)
        + .nanoseconds(random.below(1_000_000_000))
      let moved = moment.advanced(by: span)
      #expect(moved.since(moment) == span)
      #expect((moved < moment) == (span < .zero))
      #expect(moved.nanoseconds < 1_000_000_000)
    }
    #expect(Timestamp(seconds: .max).advanced(by: .seconds(1)) == Timestamp(seconds: .max))
    #expect(Timestamp(seconds: .min).advanced(by: .seconds(-1)) == Timestamp(seconds: .min))
  }

  @Test func `the kernel's clocks go forward`() {
    let source = SystemTimeSource()
    let (first, second) = (source.monotonic(), source.monotonic())
    #expect(first <= second && first > .zero)
    #expect(source.now() > Timestamp(seconds: 1_700_000_000))
  }
}
