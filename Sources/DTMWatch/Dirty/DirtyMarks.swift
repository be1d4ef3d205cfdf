package import DTMSystem

/// The marks since the last set was taken: bounded, folding into "unknown below".
///
/// Entries are kept as names by directory. Events come in runs within one directory, and a full
/// directory is folded by dropping its names: both cost the reader next to nothing.
package struct DirtyMarks: Sendable {
  /// Beyond so many marks the fullest directories become subtrees: about 3 MiB.
  package static let standardLimit = 20_000

  /// Everything is unknown; the single marks are not kept then.
  package private(set) var isEverything: Bool
  /// How many single marks are kept.
  package private(set) var count = 0
  /// How often marks were folded.
  private(set) var folds = 0

  private var names: [PathKey: Set<[UInt8]>] = [:]
  private var subtrees: Set<PathKey> = []
  private var hasRootEntry = false
  private let limit: Int
  private var run = Run()

  /// The directory that was marked in last; its names are here and not in `names`.
  private struct Run {
    var directory: PathKey?
    var names: Set<[UInt8]> = []
    var isCovered = false
  }

  /// Begins with nothing or everything marked; at most `limit` marks are kept.
  package init(isEverything: Bool, limit: Int = DirtyMarks.standardLimit) {
    self.isEverything = isEverything
    self.limit = max(limit, 4)
  }

  /// Whether nothing is marked.
  package var isEmpty: Bool { !isEverything && count == 0 }

  /// Marks everything.
  mutating func insertEverything() {
    self = DirtyMarks(isEverything: true, limit: limit, folds: folds)
  }

  private init(isEverything: Bool, limit: Int, folds: Int) {
    self.init(isEverything: isEverything, limit: limit)
    self.folds = folds
  }

  /// Marks one path; the wider scope wins.
  package mutating func insert(_ key: PathKey, _ scope: DirtySet.Scope) {
    if isEverything { return }
    if scope == .subtree {
      if key.isRoot { return insertEverything() }
      endRun()
      if subtrees.insert(key).inserted { count += 1 }
    } else if let parent = key.parent {
      return insert(key.name[...], in: parent)
    } else if !hasRootEntry {
      hasRootEntry = true
      count += 1
    }
    if count > limit { fold() }
  }

  /// Marks a name in a directory, unless a subtree covers it.
  package mutating func insert(_ name: ArraySlice<UInt8>, in directory: PathKey) {
    if isEverything { return }
    if run.directory != directory {
      endRun()
      run.directory = directory
      run.isCovered = isCovered(directory)
      run.names = names.removeValue(forKey: directory) ?? []
    }
    if run.isCovered { return }
    if run.names.insert(Array(name)).inserted { count += 1 }
    if count > limit { fold() }
  }

  private mutating func endRun() {
    if let directory = run.directory, !run.names.isEmpty { names[directory] = run.names }
    run = Run()
  }

  /// Merges a set that was given back.
  mutating func insert(_ set: DirtySet) {
    if set.basis == .scan { return insertEverything() }
    for mark in set.marks { insert(mark.key, mark.scope) }
  }

  /// The marks sorted, without those that a subtree covers.
  package func sorted() -> [DirtySet.Mark] {
    var closed = self
    closed.endRun()
    var marks = closed.subtrees.map { DirtySet.Mark(key: $0, scope: .subtree) }
    if closed.hasRootEntry { marks.append(DirtySet.Mark(key: .root, scope: .entry)) }
    for (directory, names) in closed.names {
      for name in names {
        let key = directory.appending(name)
        if !closed.subtrees.contains(key) { marks.append(DirtySet.Mark(key: key, scope: .entry)) }
      }
    }
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

  /// Whether the directory, or one above it, is marked with everything beneath.
  private func isCovered(_ directory: PathKey) -> Bool {
    if subtrees.isEmpty { return false }
    var current: PathKey? = directory
    while let key = current {
      if subtrees.contains(key) { return true }
      current = key.parent
    }
    return false
  }

  // MARK: Folding

  /// Turns the directories with the most marks into subtrees until half of the limit is left.
  ///
  /// Ends: the directories' own marks are first made one each, and then moved up, round by round,
  /// to directories nearer to the root, whose subtree is everything.
  private mutating func fold() {
    folds += 1
    endRun()
    let target = limit / 2
    for (directory, names) in fullest(names.mapValues(\.count)) {
      if count <= target || names < 2 { break }
      if directory.isRoot { return insertEverything() }
      self.names.removeValue(forKey: directory)
      count -= names
      if subtrees.insert(directory).inserted { count += 1 }
    }
    recount()
    while count > target {
      var above: [PathKey: Int] = [:]
      for key in subtrees { above[key.parent ?? .root, default: 0] += 1 }
      for key in names.keys { above[key, default: 0] += 1 }
      let folded = Set(fullest(above).prefix(max(1, above.count / 2)).map(\.key))
      if folded.contains(.root) { return insertEverything() }
      subtrees.formUnion(folded)
      recount()
    }
  }

  /// The directories with at least one mark, those with the most first.
  private func fullest(_ counts: [PathKey: Int]) -> [(key: PathKey, value: Int)] {
    counts.sorted { $0.value > $1.value }
  }

  /// Drops what subtrees cover, and counts.
  private mutating func recount() {
    for directory in names.keys where isCovered(directory) {
      names.removeValue(forKey: directory)
    }
    for key in subtrees {
      if let parent = key.parent, isCovered(parent) { subtrees.remove(key) }
    }
    count = names.values.reduce(hasRootEntry ? 1 : 0) { $0 + $1.count } + subtrees.count
  }
}
