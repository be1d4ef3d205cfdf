internal import Glibc
internal import Synchronization

/// The calendar of a time zone, as the C library knows it.
///
/// localtime_r(3) tells the offset at a moment; the way back is computed here, because what
/// mktime(3) makes of a time that does not exist, or exists twice, is not said anywhere.
package struct LocalCalendar: Sendable {
  /// What a local clock shows at a moment.
  package struct Components: Hashable, Sendable {
    /// What the clock shows.
    package var dateTime: CivilDateTime
    /// The part of the second.
    package var nanoseconds: UInt32
    /// Seconds east of UTC.
    package var offset: Int
  }

  private let zone: String?

  /// The process's zone, or the one that `TZ` would name.
  ///
  /// Give a zone in tests only: `TZ` is the process's, so every call sets it, asks and sets it back
  /// under a lock, which a thread that reads the environment elsewhere does not know of. Afterwards there
  /// is one that means what none does.
  package init(zone: String? = nil) {
    self.zone = zone
  }

  /// What a local clock shows at this moment.
  package func components(of moment: Timestamp) -> Components {
    let offset = offset(at: moment.seconds)
    return Components(
      dateTime: CivilDateTime(secondsSince1970: moment.seconds &+ Int64(offset)),
      nanoseconds: moment.nanoseconds, offset: offset)
  }

  /// The moment at which a local clock shows this.
  ///
  /// Where it shows it twice (clocks go back) it is the first; a time that is left out (clocks go
  /// forward) is as much later as the clocks went forward, so that 02:30 is 03:30.
  package func timestamp(of dateTime: CivilDateTime, nanoseconds: UInt32 = 0) -> Timestamp {
    let moments = moments(of: dateTime)
    return Timestamp(seconds: moments.first, nanoseconds: nanoseconds)
  }

  /// The first moment of the local day of `moment`: 00:00, or later where that is left out.
  package func startOfDay(_ moment: Timestamp) -> Timestamp {
    startOfDay(moment, daysLater: 0)
  }

  /// The first moment of the local day that is so many days after the one of `moment`.
  package func startOfDay(_ moment: Timestamp, daysLater days: Int) -> Timestamp {
    timestamp(of: Self.date(components(of: moment).dateTime, daysLater: days))
  }

  /// Midnight of the date so many days later, in no zone.
  private static func date(_ dateTime: CivilDateTime, daysLater days: Int) -> CivilDateTime {
    let midnight = CivilDateTime(
      year: dateTime.year, month: dateTime.month, day: dateTime.day)
    return CivilDateTime(secondsSince1970: midnight.secondsSince1970 + Int64(days) * 86_400)
  }

  /// The first and the last moment at which a local clock shows this; equal but for the hour that
  /// comes twice.
  func moments(of dateTime: CivilDateTime) -> (first: Int64, last: Int64) {
    let naive = dateTime.secondsSince1970
    // Offsets are within a day, so a change that matters lies between these two.
    let before = offset(at: naive - 86_400)
    let after = offset(at: naive + 86_400)
    let early = naive - Int64(before)
    let late = naive - Int64(after)
    if before == after { return (early, early) }
    let earlyExists = offset(at: early) == before
    let lateExists = offset(at: late) == after
    switch (earlyExists, lateExists) {
    case (true, true): return (min(early, late), max(early, late))
    case (false, true): return (late, late)
    // Neither: in the gap, where the offset before it holds.
    default: return (early, early)
    }
  }

  // MARK: - The C library

  /// Guards the process's `TZ` while a zone other than its own is asked. When the C library last looked
  /// whether its own has changed.
  private static let lock = Mutex<ContinuousClock.Instant?>(nil)

  /// What no `TZ` means (tzset(3)).
  private static let machine = ":/etc/localtime"

  /// Seconds east of UTC at a moment; 0 where the C library can't tell (a year beyond its range).
  private func offset(at seconds: Int64) -> Int {
    Self.lock.withLock { lookedAt in
      guard let zone else {
        // localtime_r(3) need not look at TZ by itself. Each look asks for /etc/localtime: one a second
        // will do.
        let now = ContinuousClock.now
        if lookedAt.map({ now - $0 >= .seconds(1) }) ?? true {
          tzset()
          lookedAt = now
        }
        return Self.offset(at: seconds)
      }
      let saved = unsafe getenv("TZ").map { unsafe String(cString: $0) }
      unsafe setenv("TZ", zone, 1)
      tzset()
      defer {
        // Never taken away again: the environment's array would move each time it comes back, while
        // another thread starts a program with it.
        unsafe setenv("TZ", saved ?? Self.machine, 1)
        tzset()
      }
      return Self.offset(at: seconds)
    }
  }

  private static func offset(at seconds: Int64) -> Int {
    var time = time_t(seconds)
    var result = unsafe tm()
    guard unsafe localtime_r(&time, &result) != nil else { return 0 }
    return unsafe result.tm_gmtoff
  }
}
