internal import DTMSystem

/// The marks since the last set was taken: bounded, folding into "unknown below".
struct DirtyMarks: Sendable {
  /// Beyond so many marks the fullest directories become subtrees: about 10 MiB.
  static let standardLimit = 50_000

  /// Everything is unknown; the single marks are not kept then.
  private(set) var isEverything: Bool
  private var scopes: [PathKey: DirtySet.Scope] = [:]
  private let limit: Int
  /// How often marks were folded.
  private(set) var folds = 0

  /// The directory of the last mark and whether a subtree covers it: marks come in runs.
  private var lastDirectory: PathKey?
  private var lastDirectoryIsCovered = false

  init(isEverything: Bool, limit: Int = DirtyMarks.standardLimit) {
    self.isEverything = isEverything
    self.limit = max(limit, 4)
  }

  var isEmpty: Bool { !isEverything && scopes.isEmpty }
  var count: Int { scopes.count }

  /// Marks everything.
  mutating func insertEverything() {
    isEverything = true
    scopes = [:]
    lastDirectory = nil
  }

  /// Marks one path; the wider scope wins.
  mutating func insert(_ key: PathKey, _ scope: DirtySet.Scope) {
    if isEverything { return }
    if key.isRoot, scope == .subtree { return insertEverything() }
    if scope == .subtree {
      scopes[key] = .subtree
      lastDirectory = nil
    } else if scopes[key] == nil {
      scopes[key] = .entry
    }
    if scopes.count > limit { fold() }
  }

  /// Marks a name in a directory, unless a subtree above covers it.
  mutating func insert(_ name: ArraySlice<UInt8>, in directory: PathKey, _ scope: DirtySet.Scope) {
    if isEverything { return }
    if lastDirectory != directory {
      lastDirectory = directory
      lastDirectoryIsCovered = isCovered(directory)
    }
    // A run within one directory never asks again, so a subtree marked above it meanwhile leaves
    // a few marks too many; `insert` of a subtree resets that.
    if lastDirectoryIsCovered { return }
    insert(directory.appending(Array(name)), scope)
  }

  /// Merges a set that was given back.
  mutating func insert(_ set: DirtySet) {
    if set.basis == .scan { return insertEverything() }
    for mark in set.marks { insert(mark.key, mark.scope) }
  }

  /// The marks sorted, without those that a subtree covers.
  func sorted() -> [DirtySet.Mark] {
    var marks = scopes.map { DirtySet.Mark(key: $0.key, scope: $0.value) }
    marks.sort { $0.key < $1.key }
    var result: [DirtySet.Mark] = []
    result.reserveCapacity(marks.count)
    // What is beneath a directory follows it at once, so one look back is enough.
    var subtree: PathKey?
    for mark in marks {
      if let subtree, mark.key.isBeneath(subtree) { continue }
      if mark.scope == .subtree { subtree = mark.key }
      result.append(mark)
    }
    return result
  }

  private func isCovered(_ directory: PathKey) -> Bool {
    var current: PathKey? = directory
    while let key = current {
      if scopes[key] == .subtree { return true }
      current = key.parent
    }
    return false
  }

  /// Turns the directories with the most marks into subtrees until half of the limit is left.
  ///
  /// Ends: each round makes the deepest paths shorter, and the root's subtree is everything.
  private mutating func fold() {
    folds += 1
    while scopes.count > limit / 2, !isEverything {
      var counts: [PathKey: Int] = [:]
      for key in scopes.keys {
        if let parent = key.parent { counts[parent, default: 0] += 1 }
      }
      var excess = scopes.count - limit / 2
      var folded: Set<PathKey> = []
      for (parent, count) in counts.sorted(by: { ($1.value, $0.key) < ($0.value, $1.key) }) {
        if excess <= 0 { break }
        folded.insert(parent)
        // One mark replaces them. A single one is no gain now, but a shorter path next round.
        excess -= max(count - 1, 1)
      }
      if folded.contains(.root) { return insertEverything() }
      scopes = scopes.filter { key, _ in key.parent.map { !folded.contains($0) } ?? true }
      for parent in folded { scopes[parent] = .subtree }
      let kept = sorted()
      scopes.removeAll(keepingCapacity: true)
      for mark in kept { scopes[mark.key] = mark.scope }
    }
    lastDirectory = nil
  }
}
