/// One row of what is measured: a set-up, commands side by side, and what is to be reached.
struct Workload: Sendable {
  /// For `--only`.
  let name: String
  let title: String
  /// What dtm is to reach.
  var goals: [Goal] = []
  /// Takes minutes: only with `--long`.
  var isLong = false
  /// How often at most, where once takes long.
  var mostRuns = Int.max
  let contenders: @Sendable (Bench) throws -> [Contender]
}

/// One of those that are measured side by side.
struct Contender {
  let name: String
  /// Once, before the first round.
  var setUp: () throws -> Void = {}
  /// Before each round, not measured.
  var prepare: (_ round: Int) throws -> Void = { _ in }
  /// The round, counted from 0.
  let measure: (_ round: Int) throws -> Measurement
  /// Once, after the last round.
  var tearDown: () throws -> Void = {}
}

/// A limit for one figure's median: an amount, a multiple of what another contender needs, or an
/// amount beyond that.
struct Goal: Sendable {
  let figure: Figure
  /// Seconds, bytes; with `times` a factor.
  let most: Double
  /// The contender whose median `most` multiplies.
  var times: String?
  /// The contender whose median is added to `most`.
  var plus: String?
  /// Whom it is for.
  var contender = "dtm"
}

/// All of them, in the order of the table.
enum Workloads {
  static let all: [Workload] =
    capture + changes + restoring + reading + smallest + forgetting + watched + ruled
}
