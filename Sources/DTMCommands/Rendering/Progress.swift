internal import DTMSystem
internal import SystemPackage

/// Shows on standard error that long work goes on, where a person looks at it.
///
/// Safe to use from any thread.
final class Progress: Sendable {
  private static let pause = Duration.milliseconds(100)

  private struct State {
    var line: ProgressLine?
    /// Counts the works, so that a drawing thread knows when its own has ended.
    var work = 0
  }

  /// Nil: nothing is shown.
  private let columns: Int?
  /// What the work that goes on counts.
  let counts = WorkProgress()
  private let time: any TimeSource
  private let state = Monitor(State())

  /// `columns`: of the terminal that standard error is; nil where it is none, or nobody wants it.
  init(columns: Int?, time: any TimeSource) {
    self.columns = columns
    self.time = time
  }

  /// Does something that may take long, and shows meanwhile what it is.
  func during<Value>(_ text: String, _ body: () throws -> Value) rethrows -> Value {
    guard let columns else { return try body() }
    counts.begin()
    let now = time.monotonic()
    let work = state.update { state in
      state.line = ProgressLine(text, columns: columns, at: now)
      state.work += 1
      return state.work
    }
    // Without a thread nothing is shown: the work is what counts.
    let thread = try? DedicatedThread(named: "progress") { [self] in draw(work) }
    defer {
      clear()
      state.update { $0.work += 1 }
      thread?.join()
    }
    return try body()
  }

  /// Takes the line away, for something else to be written.
  func clear() {
    state.withLock { Self.write($0.line?.erase()) }
  }

  private func draw(_ work: Int) {
    while true {
      let isOver = state.wait(until: .after(Self.pause)) { $0.work == work ? nil : true }
      if isOver == true { return }
      let now = time.monotonic()
      let reading = counts.reading
      state.withLock { state in
        if state.work == work { Self.write(state.line?.draw(reading, at: now)) }
      }
    }
  }

  private static func write(_ bytes: [UInt8]?) {
    guard let bytes else { return }
    // Who closed standard error does not look at it.
    try? StandardStream.error.write(bytes)
  }
}
