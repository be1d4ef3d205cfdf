/// Goes through what crashes of the machine may leave at the instants of some work.
package struct CrashEnumeration {
  /// The states that are looked at.
  package private(set) var states = 0
  /// The legal states at all instants, each instant's counted up to the limit.
  package private(set) var legal = 0
  package private(set) var instants = 0
  /// Instants of which each legal state was looked at.
  package private(set) var whole = 0
  /// What is wrong with the first bad state.
  package private(set) var problem: String?

  /// At most so many states of one instant are looked at in the long form; most instants have fewer.
  package static let longLimit = 1000

  /// Calls `check` with states of every instant; it says what is wrong with one.
  ///
  /// In the short form about `budget` states: all of the instants that have few, and the same number
  /// of each of the others, drawn. In the long form all, up to `longLimit` of an instant.
  package init(
    _ instants: [CrashInstant], budget: Int, using generator: inout SplitMix,
    stopsAtProblem: Bool = false,
    _ check: (SimulatedFileOperations, CrashInstant) throws -> String?
  ) rethrows {
    let counts = instants.map { $0.count(limit: Self.longLimit) }
    let limit = LongForm.isAsked ? Self.longLimit : Self.limit(counts, budget)
    self.instants = instants.count
    legal = counts.reduce(0, +)
    for (instant, count) in zip(instants, counts) {
      if count <= limit && count < Self.longLimit { whole += 1 }
      for state in instant.states(limit: limit, using: &generator) {
        states += 1
        if let found = try check(state, instant) {
          problem = problem ?? "after \(instant.operations) operations: \(found)"
          if stopsAtProblem { return }
        }
      }
    }
  }

  /// How many states of an instant to take, so that all together are about `budget`.
  private static func limit(_ counts: [Int], _ budget: Int) -> Int {
    var limit = 2
    while limit < longLimit, counts.reduce(0, { $0 + min($1, limit + 1) }) <= budget { limit += 1 }
    return limit
  }

  /// For the test's output.
  package var summary: String {
    "\(states) crash states at \(instants) instants (every legal one at \(whole); "
      + "\(legal) legal, counting at most \(Self.longLimit) an instant)"
  }
}
