import DTMSystem
import DTMTestSupport
import Glibc
import Synchronization
import SystemPackage
import Testing

/// Zones are given in POSIX form, so that the tests need no time zone files.
@Suite struct LocalCalendarTests {
  /// Central Europe: 2026-03-29 02:00 → 03:00, 2026-10-25 03:00 → 02:00.
  private let berlin = LocalCalendar(zone: "CET-1CEST,M3.5.0,M10.5.0/3")
  /// As Brazil had it: midnight of the third Sunday in October is left out.
  private let noMidnight = LocalCalendar(zone: "BRT3BRST,M10.3.0/0,M2.3.0/0")
  private let kathmandu = LocalCalendar(zone: "NPT-5:45")

  private func utc(_ text: String) -> Timestamp {
    Timestamp(rfc3339: text) ?? Timestamp(seconds: 0)
  }

  @Test func `a local clock shows the zone's time`() {
    let summer = berlin.components(of: utc("2026-07-01T10:00:00.5Z"))
    #expect(summer.dateTime.timeText == "12:00:00" && summer.offset == 7200)
    #expect(summer.nanoseconds == 500_000_000)
    #expect(berlin.components(of: utc("2026-12-31T23:30:00Z")).dateTime.dateText == "2027-01-01")
    #expect(kathmandu.components(of: utc("2026-07-01T10:00:00Z")).dateTime.timeText == "15:45:00")
  }

  @Test func `a time that the clocks leave out is as much later`() {
    let moment = berlin.timestamp(
      of: CivilDateTime(year: 2026, month: 3, day: 29, hour: 2, minute: 30))
    #expect(moment == utc("2026-03-29T01:30:00Z"))
    #expect(berlin.components(of: moment).dateTime.timeText == "03:30:00")
  }

  @Test func `a time that comes twice is the first`() {
    #expect(
      berlin.timestamp(of: CivilDateTime(year: 2026, month: 10, day: 25, hour: 2, minute: 30))
        == utc("2026-10-25T00:30:00Z"))
  }

  @Test func `a day starts at its first moment`() {
    #expect(berlin.startOfDay(utc("2026-03-29T10:00:00Z")) == utc("2026-03-28T23:00:00Z"))
    #expect(berlin.startOfDay(utc("2026-10-25T23:30:00Z")) == utc("2026-10-25T23:00:00Z"))
    #expect(noMidnight.startOfDay(utc("2026-10-18T12:00:00Z")) == utc("2026-10-18T03:00:00Z"))
    #expect(
      berlin.startOfDay(utc("2026-03-30T10:00:00Z"), daysLater: -1) == utc("2026-03-28T23:00:00Z"))
  }

  @Test func `each moment is found again from what the clock shows`() {
    var random = SplitMix.fresh("local times")
    let start = utc("2026-01-01T00:00:00Z")
    for calendar in [berlin, noMidnight, kathmandu, LocalCalendar(zone: "UTC0"), LocalCalendar()] {
      for _ in 0..<500 {
        let moment = start.advanced(by: .seconds(random.below(366 * 86_400)))
        let shown = calendar.components(of: moment).dateTime
        let found = calendar.timestamp(of: shown)
        // In the hour that comes twice it is the earlier one.
        #expect(found == moment || moment.since(found) == .seconds(3600))
        #expect(calendar.components(of: found).dateTime == shown)
      }
    }
  }

  static let forms: [(text: String, moment: String?)] = [
    ("now", "2026-11-22T07:40:01Z"), ("2h", "2026-11-22T05:40:01Z"),
    ("2h ago", "2026-11-22T05:40:01Z"), ("1h30m", "2026-11-22T06:10:01Z"),
    ("1d", "2026-11-21T07:40:01Z"), ("today", "2026-11-21T23:00:00Z"),
    ("yesterday", "2026-11-20T23:00:00Z"), ("2026-11-22", "2026-11-21T23:00:00Z"),
    ("2026-07-01", "2026-06-30T22:00:00Z"), ("2026-11-22T02:10", "2026-11-22T01:10:00Z"),
    ("2026-11-22 02:10:30", "2026-11-22T01:10:30Z"),
    ("2026-11-22T02:10:00.25", "2026-11-22T01:10:00.25Z"),
    ("2026-11-22T02:10Z", "2026-11-22T02:10:00Z"),
    ("2026-11-22T02:10:00+05:30", "2026-11-21T20:40:00Z"),
    ("02:10", "2026-11-22T01:10:00Z"), ("08:40", "2026-11-22T07:40:00Z"),
    ("08:40:01", "2026-11-22T07:40:01Z"), ("08:41", "2026-11-21T07:41:00Z"),
    ("23:59:59", "2026-11-21T22:59:59Z"),
    ("", nil), ("ago", nil), ("2", nil), ("tomorrow", nil), ("2h  ago", nil), ("25:00", nil),
    ("2026-11-31", nil), ("02:10Z", nil), ("2026-11-22T", nil), ("HEAD", nil),
  ]

  @Test(arguments: forms) func `the forms of a time are resolved`(
    _ form: (text: String, moment: String?)
  ) {
    let now = utc("2026-11-22T07:40:01Z")
    #expect(berlin.resolve(form.text, now: now) == form.moment.map(utc))
  }

  @Test func `a time of day that came twice is the last one past`() {
    let form = "02:30"
    for (now, moment) in [
      ("2026-10-25T00:29:00Z", "2026-10-24T00:30:00Z"),
      ("2026-10-25T00:45:00Z", "2026-10-25T00:30:00Z"),
      ("2026-10-25T01:45:00Z", "2026-10-25T01:30:00Z"),
    ] {
      #expect(berlin.resolve(form, now: utc(now)) == utc(moment))
    }
  }

  @Test func `programs can be started while another zone is asked for`() throws {
    let isDone = Atomic<Bool>(false)
    let calendar = berlin
    let asking = try DedicatedThread(named: "zones") {
      while !isDone.load(ordering: .relaxed) {
        _ = calendar.components(of: Timestamp(seconds: 1_700_000_000))
      }
    }
    defer {
      isDone.store(true, ordering: .relaxed)
      asking.join()
    }
    // popen(3) hands the environment's array on as it is just then.
    for _ in 0..<300 {
      guard let pipe = unsafe popen("true", "r") else {
        Issue.record("popen: \(Errno.current)")
        return
      }
      #expect(unsafe pclose(pipe) == 0)
    }
  }

  @Test func `a manual clock moves when told`() {
    let source = ManualTimeSource()
    let (now, monotonic) = (source.now(), source.monotonic())
    source.advance(by: .milliseconds(1500))
    #expect(source.now().since(now) == .milliseconds(1500))
    #expect(source.monotonic() - monotonic == .milliseconds(1500))
    source.setNow(Timestamp(seconds: 5))
    #expect(source.now().seconds == 5 && source.monotonic() - monotonic == .milliseconds(1500))
  }
}
