package import DTMSystem

/// A path that differs between two trees; one of the two is there at least.
package struct TreeDifference: Hashable, Sendable {
  /// Nil: it came.
  package let old: TreeEntry?
  /// Nil: it went.
  package let new: TreeEntry?

  /// A difference; one of the two is not nil.
  package init(old: TreeEntry?, new: TreeEntry?) {
    self.old = old
    self.new = new
  }
}

extension Tree {
  /// Calls `body` in key order with each path whose entry is not the same in this tree, the new one,
  /// and another, the old one, until it returns false.
  ///
  /// `beneath`: only what is beneath this directory; nil: everything. Pages that both have are not
  /// read: O(d log n) for d differences.
  package func forEachDifference(
    from other: Tree, beneath: PathKey? = nil,
    _ body: (TreeDifference) throws(RepositoryError) -> Bool
  ) throws(RepositoryError) {
    if root == other.root { return }
    let range = Self.range(beneath: beneath, from: nil)
    var new = try DifferenceSide(self, range)
    var old = try DifferenceSide(other, range)
    while let position = try DifferenceSide.order(new, old) {
      if position == 0 {
        // Both begin here: the same page is passed over, the higher one is opened.
        if new.isSamePage(as: old) {
          try new.pass()
          try old.pass()
        } else if new.level > 0 || old.level > 0 {
          let isNewHigher = new.level >= old.level
          let isOldHigher = old.level >= new.level
          if isNewHigher { try new.open() }
          if isOldHigher { try old.open() }
        } else {
          if !new.isSameValue(as: old) {
            guard try body(TreeDifference(old: old.entry(), new: new.entry())) else { return }
          }
          try new.pass()
          try old.pass()
        }
      } else if position < 0 {
        if try new.openOrEntry() {
          guard try body(TreeDifference(old: nil, new: new.entry())) else { return }
          try new.pass()
        }
      } else {
        if try old.openOrEntry() {
          guard try body(TreeDifference(old: old.entry(), new: nil)) else { return }
          try old.pass()
        }
      }
    }
  }
}

/// One of the two trees of a difference: a place in it, which is a page that has not been opened, or an
/// entry.
private struct DifferenceSide {
  private struct Step {
    let page: Page
    var index: Int
  }

  private let source: PageSource
  private let range: KeyRange
  /// The open pages, the root first.
  private var steps: [Step] = []

  init(_ tree: Tree, _ range: KeyRange) throws(RepositoryError) {
    source = tree.pages
    self.range = range
    try open(source.page(tree.root))
  }

  private var isAtEnd: Bool {
    guard let last = steps.last else { return true }
    guard let end = range.end else { return false }
    return last.page.keys.compare(last.index, end) >= 0
  }

  /// The level of the page at this place, plus one; 0 for an entry.
  var level: Int { steps.last.map { Int($0.page.level) } ?? 0 }

  /// Which of two places comes first: less than 0, the left; 0: both begin with the same key; nil:
  /// both are at the end.
  static func order(
    _ left: DifferenceSide, _ right: DifferenceSide
  ) throws(RepositoryError) -> Int? {
    guard let leftStep = left.steps.last, !left.isAtEnd else { return right.isAtEnd ? nil : 1 }
    guard let rightStep = right.steps.last, !right.isAtEnd else { return -1 }
    return leftStep.page.keys.compare(leftStep.index, rightStep.page.keys, rightStep.index)
  }

  func isSamePage(as other: DifferenceSide) -> Bool {
    guard case .inner(let page)? = steps.last?.page, let index = steps.last?.index,
      case .inner(let otherPage)? = other.steps.last?.page, let otherIndex = other.steps.last?.index
    else { return false }
    return page.children[index] == otherPage.children[otherIndex]
  }

  func isSameValue(as other: DifferenceSide) -> Bool {
    guard case .leaf(let page)? = steps.last?.page, let index = steps.last?.index,
      case .leaf(let otherPage)? = other.steps.last?.page, let otherIndex = other.steps.last?.index
    else { return false }
    return page.hasSameValue(index, as: otherPage, otherIndex)
  }

  func entry() throws(RepositoryError) -> TreeEntry? {
    guard let last = steps.last, case .leaf(let page) = last.page else { return nil }
    return try page.entry(last.index)
  }

  /// Opens the page at this place; returns true, and does nothing, where it is an entry.
  mutating func openOrEntry() throws(RepositoryError) -> Bool {
    if level == 0 { return true }
    try open()
    return false
  }

  mutating func open() throws(RepositoryError) {
    guard let last = steps.last, case .inner(let page) = last.page else { return }
    try open(source.child(of: page, last.index, isKept: last.page.level > 1))
  }

  private mutating func open(_ page: Page) throws(RepositoryError) {
    let index =
      switch page {
      case .leaf(let leaf): leaf.keys.lowerBound(range.start)
      case .inner(let inner): inner.keys.covering(range.start)
      }
    steps.append(Step(page: page, index: index))
    settle()
  }

  /// Goes past the page or entry at this place.
  mutating func pass() throws(RepositoryError) {
    guard !steps.isEmpty else { return }
    steps[steps.count - 1].index += 1
    settle()
  }

  /// Leaves pages that have been gone through.
  private mutating func settle() {
    while let last = steps.last, last.index >= last.page.keys.count {
      steps.removeLast()
      if !steps.isEmpty { steps[steps.count - 1].index += 1 }
    }
  }
}
