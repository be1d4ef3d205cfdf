import DTMSystem
import Testing

@Suite struct HumanUnitsTests {
  @Test(arguments: [
    (0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (43_201_331, "41.2 MiB"),
    (217_088, "212 KiB"), (1_047_961, "1023 KiB"), (1_048_064, "1.0 MiB"),
    (-41_943_040, "−40.0 MiB"),
    (102_348, "99.9 KiB"), (102_400, "100 KiB"), (Int.max, "8.0 EiB"), (Int.min, "−8.0 EiB"),
  ]) func `sizes are in IEC units`(count: Int, text: String) {
    #expect(HumanUnits.bytes(count) == text)
  }

  @Test(
    arguments: [
      (.milliseconds(0), "0 ms"), (.milliseconds(250), "250 ms"), (.milliseconds(2500), "2.5 s"),
      (.seconds(3), "3 s"), (.milliseconds(45_900), "45 s"), (.seconds(900), "15 min"),
      (.seconds(905), "15 min 5 s"), (.seconds(3900), "1 h 5 min"), (.seconds(3600), "1 h"),
      (.seconds(3 * 86_400 + 4 * 3600), "3 d 4 h"), (.seconds(-90), "−1 min 30 s"),
    ] as [(Duration, String)]) func `spans of time have at most two units`(
      span: Duration, text: String
    )
  {
    #expect(HumanUnits.duration(span) == text)
  }

  @Test(arguments: [
    (0, "just now"), (1, "just now"), (45, "45 s ago"), (200, "3 min ago"), (7300, "2 h ago"),
    (4 * 86_400, "4 d ago"), (-200, "in 3 min"), (Int.min, "in 106751991167300 d"),
  ]) func `past times are relative`(seconds: Int, text: String) {
    #expect(HumanUnits.ago(seconds: seconds) == text)
  }

  @Test(
    arguments: [
      ("250ms", .milliseconds(250)), ("2s", .seconds(2)), ("15m", .seconds(900)),
      ("15min", .seconds(900)), ("1h", .seconds(3600)), ("7d", .seconds(604_800)),
      ("2w", .seconds(1_209_600)), ("1h30m", .seconds(5400)), ("0s", .zero), ("007s", .seconds(7)),
    ] as [(String, Duration)]) func `durations are a number and a unit`(
      text: String, span: Duration
    )
  {
    #expect(HumanUnits.parseDuration(text) == span)
  }

  @Test(arguments: [
    "", "2", "s", "2 s", "2.5s", "-2s", "2S", "2sec", "1m1h", "1s1s", "99999999999999999999s",
    "999999999999999999w", "999999999999999999d", " 2s", "2s ", "2µs",
  ]) func `anything else is no duration`(text: String) {
    #expect(HumanUnits.parseDuration(text) == nil)
  }

  @Test func `sizes are a number and a unit`() {
    for (text, size) in [
      ("512B", 512), ("64KiB", 65_536), ("20GiB", 21_474_836_480), ("10MB", 10_000_000),
      ("1kB", 1000), ("3TiB", 3_298_534_883_328),
    ] {
      #expect(HumanUnits.parseBytes(text) == size)
    }
    for text in ["", "64", "KiB", "64 KiB", "64kib", "1.5GiB", "-1B", "9999999999PiB", "1KiB "] {
      #expect(HumanUnits.parseBytes(text) == nil)
    }
  }
}
