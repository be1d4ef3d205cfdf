package import DTMSystem

/// What stands in a terminal's last line while work goes on: nothing for half a second, then what is
/// done, how far it has come, and how long it takes.
package struct ProgressLine: Sendable {
  private static let delay = Duration.milliseconds(500)
  /// Before that a rate says nothing about the rest.
  private static let foresight = Duration.seconds(2)

  /// What is done.
  private let text: String
  private let started: Duration
  private let columns: Int
  private var shown: String?

  /// `columns`: the terminal's. `now`: on the monotonic clock.
  package init(_ text: String, columns: Int, at now: Duration) {
    self.text = text
    self.columns = columns
    started = now
  }

  /// The bytes that bring the line up to date; nil where it is, or it is too early.
  package mutating func draw(
    _ reading: WorkProgress.Reading = WorkProgress.Reading(), at now: Duration
  ) -> [UInt8]? {
    let elapsed = now - started
    if elapsed < Self.delay { return nil }
    var parts = [Self.entries(reading), Self.bytes(reading), Self.rate(reading, elapsed)]
      .compactMap(\.self)
    var end = ""
    if let left = Self.left(reading, elapsed) {
      // First: the end of the line may be cut off.
      parts.insert("\(left) left", at: 0)
    } else if elapsed >= .seconds(1) {
      end = " " + HumanUnits.duration(.seconds(elapsed.components.seconds))
    }
    let counts = parts.isEmpty ? "" : ": " + parts.joined(separator: ", ")
    let line = DisplayWidth.cut("\(text)\(counts) …\(end)", to: columns - 1)
    if line == shown { return nil }
    shown = line
    // Carriage return, erase to the end of the line (ECMA-48).
    return Array("\r\u{1B}[K\(line)".utf8)
  }

  /// The bytes that take the line away; nil where there is none.
  package mutating func erase() -> [UInt8]? {
    if shown == nil { return nil }
    shown = nil
    return Array("\r\u{1B}[K".utf8)
  }

  // MARK: - Parts

  private static func entries(_ reading: WorkProgress.Reading) -> String? {
    if reading.entries == 0 { return nil }
    let done = Words.grouped(reading.entries)
    if reading.expectedEntries < reading.entries { return "\(done) entries" }
    return "\(done) of \(Words.grouped(reading.expectedEntries)) entries"
  }

  private static func bytes(_ reading: WorkProgress.Reading) -> String? {
    if reading.bytes == 0 { return nil }
    let done = HumanUnits.bytes(reading.bytes)
    if reading.expectedBytes < reading.bytes { return done }
    return "\(done) of \(HumanUnits.bytes(reading.expectedBytes))"
  }

  private static func rate(_ reading: WorkProgress.Reading, _ elapsed: Duration) -> String? {
    if reading.bytes == 0 { return nil }
    return HumanUnits.bytes(Int(Double(reading.bytes) / (elapsed / .seconds(1)))) + "/s"
  }

  /// How long the rest takes at the pace so far.
  private static func left(_ reading: WorkProgress.Reading, _ elapsed: Duration) -> String? {
    if elapsed < foresight { return nil }
    let share: Double
    if reading.expectedBytes > reading.bytes, reading.bytes > 0 {
      share = Double(reading.expectedBytes) / Double(reading.bytes) - 1
    } else if reading.expectedEntries > reading.entries, reading.entries > 0,
      reading.expectedBytes == 0
    {
      share = Double(reading.expectedEntries) / Double(reading.entries) - 1
    } else {
      return nil
    }
    let seconds = max(1, Int((share * (elapsed / .seconds(1))).rounded()))
    return HumanUnits.duration(.seconds(seconds))
  }
}
