internal import DTMSystem

/// What stands in a terminal's last line while work goes on: nothing for half a second, then what is
/// done and for how long.
package struct ProgressLine: Sendable {
  private static let delay = Duration.milliseconds(500)

  /// What is done.
  package var text: String
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
  package mutating func draw(at now: Duration) -> [UInt8]? {
    let elapsed = now - started
    if elapsed < Self.delay { return nil }
    let seconds = Int(elapsed.components.seconds)
    let span = seconds == 0 ? "" : " \(HumanUnits.duration(.seconds(seconds)))"
    let line = DisplayWidth.cut("\(text) …\(span)", to: columns - 1)
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
}
