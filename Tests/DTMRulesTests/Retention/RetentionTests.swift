import DTMRules
import DTMSystem
import DTMTestSupport
import Testing

struct RetentionTests {
  /// The rules of the European Union, as POSIX writes them; `SlowCalendar` counts them out.
  private static let zone = "CET-1CEST,M3.5.0,M10.5.0/3"
  private static let calendar = LocalCalendar(zone: zone)

  private static func text(_ period: RetentionPeriod, _ time: Timestamp) -> String {
    SlowCalendar(time.seconds).text(period)
  }

  /// What stays, worked out another way: all times into groups, of the newest groups the newest time.
  private static func kept(_ policy: RetentionPolicy, _ times: [Timestamp]) -> Set<Int> {
    let byTime = times.indices.sorted { (times[$1], $0) < (times[$0], $1) }
    var kept = Set(byTime.prefix(policy.last))
    for (period, count) in policy.counts {
      let groups = Dictionary(grouping: byTime) { text(period, times[$0]) }
      let newest = groups.values.map { $0[0] }.sorted { (times[$1], $0) < (times[$0], $1) }
      kept.formUnion(newest.prefix(count))
    }
    if let first = byTime.first, policy.within > .zero {
      kept.formUnion(
        byTime.filter { times[first].since(times[$0]) <= policy.within })
    }
    return kept
  }

  private static func policy(_ random: inout SplitMix) -> RetentionPolicy {
    var counts: [RetentionPeriod: Int] = [:]
    for period in RetentionPeriod.allCases where random.oneIn(2) {
      counts[period] = random.below(60)
    }
    return RetentionPolicy(
      last: random.below(30), counts: counts,
      within: random.oneIn(2) ? .zero : .seconds(random.below(400_000)))
  }

  @Test func `ten thousand times stay or go as another calculator says`() {
    var random = SplitMix.fresh("retention")
    for round in 0..<12 {
      let policy = round == 0 ? RetentionPolicy.standard : Self.policy(&random)
      // From snapshots each few seconds to some a year, with clocks that go back now and then.
      let step = 1 << (2 + random.below(17))
      var second: Int64 = 1_900_000_000
      let times = (0..<(round == 0 ? 10_000 : 1500)).map { _ in
        second -= Int64(random.below(step))
        let back = random.oneIn(50) ? Int64(random.below(20_000)) : 0
        return Timestamp(seconds: second + back, nanoseconds: random.oneIn(2) ? 0 : 5)
      }
      let reasons = Retention(policy, calendar: Self.calendar).reasons(times)
      let kept = Set(reasons.indices.filter { !reasons[$0].isEmpty })
      let expected = Self.kept(policy, times)
      let difference = kept.symmetricDifference(expected).sorted()
      #expect(difference.isEmpty, "\(policy)")
    }
  }

  @Test func `periods have the names of the calendar`() {
    var random = SplitMix.fresh("names of periods")
    for _ in 0..<3000 {
      let time = Timestamp(seconds: Int64(random.below(1_900_000_000)) + 900_000_000)
      for period in RetentionPeriod.allCases {
        let policy = RetentionPolicy(counts: [period: 1])
        let reason = Retention(policy, calendar: Self.calendar).reasons([time])[0]
        let text = Self.text(period, time)
        let name = period == .hour ? String(text.prefix { $0 != "h" }) + "h" : text
        #expect(reason == ["\(period.adverb) \(name)"])
      }
    }
  }

  @Test func `the hour that comes twice is two, and the one that is left out none`() {
    // 2026-10-25 03:00 CEST is 02:00 CET.
    let twice: Int64 = 1_792_890_000
    let hours = RetentionPolicy(counts: [.hour: 10])
    func kept(_ seconds: [Int64]) -> [Bool] {
      Retention(hours, calendar: Self.calendar)
        .reasons(seconds.map { Timestamp(seconds: $0) }).map { !$0.isEmpty }
    }
    #expect(kept([twice + 60, twice + 30, twice - 30, twice - 60]) == [true, false, true, false])
    // 2026-03-29 02:00 CET is 03:00 CEST.
    let leap: Int64 = 1_774_746_000
    #expect(kept([leap + 60, leap - 60]) == [true, true])
  }

  @Test func `what says nothing keeps nothing`() {
    #expect(RetentionPolicy(last: -1, counts: [.day: 0], within: .seconds(-5)).isEmpty)
    #expect(!RetentionPolicy.standard.isEmpty)
    let times = [Timestamp(seconds: 5), Timestamp(seconds: 5)]
    #expect(Retention(RetentionPolicy(), calendar: Self.calendar).reasons(times) == [[], []])
    #expect(Retention(.standard, calendar: Self.calendar).reasons([]).isEmpty)
    // Of equal times the later snapshot stays.
    #expect(
      Retention(RetentionPolicy(last: 1), calendar: Self.calendar).reasons(times)
        == [["last 1 of 1"], []])
  }
}

/// The calendar of central Europe since 1980, counted out a year and a month at a time, to hold the real
/// one against.
private struct SlowCalendar {
  private var year = 1970
  private var month = 1
  private var day = 1
  private let hour: Int
  private let isSummer: Bool
  /// Days since 1970-01-01, which was a Thursday.
  private let days: Int

  private static func length(_ month: Int, of year: Int) -> Int {
    let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    return month == 2 ? (isLeap ? 29 : 28) : [4, 6, 9, 11].contains(month) ? 30 : 31
  }

  private static func days(before year: Int, _ month: Int = 1) -> Int {
    var days = 0
    for past in 1970..<year { for month in 1...12 { days += length(month, of: past) } }
    for past in 1..<month { days += length(past, of: year) }
    return days
  }

  /// 01:00 UTC of a month's last Sunday.
  private static func change(_ month: Int, _ year: Int) -> Int64 {
    var day = days(before: year, month) + length(month, of: year) - 1
    while day % 7 != 3 { day -= 1 }
    return Int64(day) * 86_400 + 3600
  }

  init(_ seconds: Int64) {
    var year = 1970
    while Int64(Self.days(before: year + 1)) * 86_400 <= seconds { year += 1 }
    isSummer = seconds >= Self.change(3, year) && seconds < Self.change(10, year)
    let local = seconds + (isSummer ? 7200 : 3600)
    days = Int(local / 86_400)
    hour = Int(local % 86_400 / 3600)
    while Self.days(before: self.year + 1) <= days { self.year += 1 }
    while month < 12, Self.days(before: self.year, month + 1) <= days { month += 1 }
    day = days - Self.days(before: self.year, month) + 1
  }

  private func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }

  /// The same for times of one period.
  func text(_ period: RetentionPeriod) -> String {
    let date = "\(year)-\(two(month))-\(two(day))"
    switch period {
    case .hour: return "\(date) \(two(hour))h \(isSummer)"
    case .day: return date
    case .week:
      var thursday = days
      while thursday % 7 != 0 { thursday += days % 7 < 4 ? -1 : 1 }
      var year = 1970
      while Self.days(before: year + 1) <= thursday { year += 1 }
      return "\(year)-W\(two((thursday - Self.days(before: year)) / 7 + 1))"
    case .month: return "\(year)-\(two(month))"
    case .year: return "\(year)"
    }
  }
}
