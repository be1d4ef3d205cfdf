/// Walks the pages of one level from left to right, reading none of the level but what is asked for.
struct LevelCursor {
  private struct Step {
    let page: InnerPage
    var index: Int
  }

  private let source: PageSource
  private let root: Page
  private let level: UInt8
  /// The way down: the root first, a page of `level + 1` last. Empty where the level is the root's.
  private var steps: [Step] = []
  private(set) var isAtEnd = false

  /// Is nowhere before `seek`; `level` is at most the root's.
  init(_ source: PageSource, root: Page, level: UInt8) {
    self.source = source
    self.root = root
    self.level = level
  }

  /// Goes to the page that covers a key: the last one that does not begin after it, or the first.
  mutating func seek(_ key: [UInt8]) throws(RepositoryError) {
    isAtEnd = false
    steps.removeAll(keepingCapacity: true)
    var page = root
    while case .inner(let inner) = page, inner.level > level {
      let index = inner.keys.covering(key)
      steps.append(Step(page: inner, index: index))
      if inner.level == level + 1 { break }
      page = try source.child(of: inner, index)
    }
  }

  /// Goes to the next page.
  mutating func advance() throws(RepositoryError) {
    while let last = steps.last, last.index + 1 >= last.page.keys.count { steps.removeLast() }
    guard let last = steps.last else {
      isAtEnd = true
      return
    }
    steps[steps.count - 1].index += 1
    var page = last.page
    var index = last.index + 1
    while page.level > level + 1 {
      guard case .inner(let inner) = try source.child(of: page, index) else { return }
      steps.append(Step(page: inner, index: 0))
      page = inner
      index = 0
    }
  }

  mutating func moveToEnd() {
    steps.removeAll(keepingCapacity: true)
    isAtEnd = true
  }

  /// Whether this is the level's first page.
  var isAtStart: Bool { !isAtEnd && steps.allSatisfy { $0.index == 0 } }

  /// The key under which the level above has the page; nil where the page is the root.
  var firstKey: [UInt8]? {
    guard let last = steps.last else { return nil }
    return last.page.keys.key(last.index)
  }

  /// The first key of the next page; nil where there is none.
  var nextFirstKey: [UInt8]? {
    for step in steps.reversed() where step.index + 1 < step.page.keys.count {
      return step.page.keys.key(step.index + 1)
    }
    return nil
  }

  /// Reads the page.
  func page(isKept: Bool = true) throws(RepositoryError) -> Page {
    guard let last = steps.last else { return root }
    return try source.child(of: last.page, last.index, isKept: isKept)
  }
}
