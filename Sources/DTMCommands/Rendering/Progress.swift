package import DTMSystem

/// How far long work has come, on a terminal's last line: not before half a second is over, and ten
/// times a second at most.
package final class Progress {
  private static let delay = Duration.milliseconds(500)
  private static let pause = Duration.milliseconds(100)

  private let sink: any OutputSink
  private let time: any TimeSource
  private let isWanted: Bool
  private var started: Duration?
  private var next: Duration?
  private var isShown = false

  package init(_ sink: any OutputSink, time: any TimeSource, isWanted: Bool) {
    self.sink = sink
    self.time = time
    self.isWanted = isWanted
  }

  /// Says where the work is; `text` is asked for only when it is shown.
  package func update(_ text: @autoclosure () -> String) {
    if !isWanted { return }
    let now = time.monotonic()
    guard let due = next else {
      next = now + Self.delay
      started = now
      return
    }
    guard now >= due, let columns = sink.terminal?.columns else { return }
    next = now + Self.pause
    isShown = true
    let line = DisplayWidth.cut(text(), to: columns - 1)
    // Carriage return, erase to the end of the line (ECMA-48).
    try? sink.write(Array("\r\u{1B}[K\(line)".utf8))
  }

  /// How long the work has run.
  var elapsed: Duration { started.map { time.monotonic() - $0 } ?? .zero }

  /// Takes the line away.
  package func clear() {
    if isShown { try? sink.write(Array("\r\u{1B}[K".utf8)) }
    isShown = false
  }
}
