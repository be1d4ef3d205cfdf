/// A search for the first bad one of a row whose last is known to be bad: a value without any work of its own.
package struct Bisection {
  /// What a try says.
  package enum Verdict: String, Sendable {
    case good, bad, skipped
  }

  private var low = 0
  private var high: Int
  private var skipped: Set<Int> = []
  /// The last that is known to be good; nil: what came before the row.
  package private(set) var lastGood: Int?

  /// `count`: at least one.
  package init(count: Int) {
    precondition(count > 0, "the last one is bad")
    high = count - 1
  }

  /// The next to try: the one nearest to the middle that was not skipped; nil when none is left.
  package var next: Int? {
    let middle = (low + high) / 2
    return (low..<high).filter { !skipped.contains($0) }.min {
      (abs($0 - middle), $0) < (abs($1 - middle), $1)
    }
  }

  /// Takes in what a try said.
  package mutating func learn(_ verdict: Verdict, at index: Int) {
    switch verdict {
    case .good:
      low = max(low, index + 1)
      lastGood = max(lastGood ?? index, index)
    case .bad: high = min(high, index)
    case .skipped: skipped.insert(index)
    }
  }

  /// What may be the first bad one; one when the search is over, unless some were skipped.
  package var suspects: [Int] { Array(low...max(low, high)) }
}
