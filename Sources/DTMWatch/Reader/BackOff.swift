/// Waits between attempts: each twice the one before, up to a limit.
struct BackOff: Sendable {
  let first: Duration
  let limit: Duration
  private var last: Duration?

  init(first: Duration, limit: Duration) {
    self.first = first
    self.limit = limit
  }

  /// How long to wait now.
  mutating func next() -> Duration {
    let next = last.map { min($0 * 2, limit) } ?? first
    last = next
    return next
  }

  mutating func reset() {
    last = nil
  }
}
