/// What is measured.
enum Figure: String, CaseIterable, Sendable {
  case cpu = "CPU"
  case wall
  case peakMemory = "peak memory"
  case written
  case repository
  case growth
  case daemon = "CPU of dtmd"
  case commit = "last write to commit"
  case resident
  case anonymous
  case fileBacked = "of files"
  case watched = "directories watched"
  case overflows = "queue overflows"

  enum Unit: Sendable { case seconds, bytes, count }

  var unit: Unit {
    switch self {
    case .cpu, .wall, .daemon, .commit: .seconds
    case .watched, .overflows: .count
    default: .bytes
    }
  }
}

/// The figures of one run; seconds and bytes.
struct Measurement: Sendable {
  private(set) var figures: [Figure: Double]

  init(_ figures: [Figure: Double] = [:]) { self.figures = figures }

  subscript(figure: Figure) -> Double? {
    get { figures[figure] }
    set { figures[figure] = newValue }
  }

  /// One command after the other: times and bytes add up, the peak is the highest.
  static func + (a: Measurement, b: Measurement) -> Measurement {
    Measurement(
      a.figures.merging(b.figures) { $0 + $1 }.merging(
        [.peakMemory: max(a[.peakMemory] ?? 0, b[.peakMemory] ?? 0)]) { $1 })
  }

  /// The same for one of `count` equal runs.
  func divided(by count: Int) -> Measurement {
    var result = self
    for figure in [Figure.cpu, .wall, .written] {
      result[figure] = self[figure].map { $0 / Double(count) }
    }
    return result
  }
}

/// Runs all commands, one after the other.
func measure(_ commands: [Command]) throws -> Measurement {
  try commands.reduce(Measurement()) { try $0 + $1.run() }
}

/// A figure over several runs.
struct Spread: Sendable {
  let median: Double
  let least: Double
  let most: Double

  /// Nil without values.
  init?(_ values: [Double]) {
    let sorted = values.sorted()
    guard let least = sorted.first, let most = sorted.last else { return nil }
    self.least = least
    self.most = most
    let middle = sorted.count / 2
    median = sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
  }
}
