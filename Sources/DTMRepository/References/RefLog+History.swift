internal import DTMSystem
internal import Synchronization

/// Reading back beyond the newest segment.
extension RefLog {
  /// Calls `body` with every operation, checkpoints left out, until it returns false.
  ///
  /// Reads one segment at a time, only as far as `body` goes; passes over segments that a repair has
  /// given up. Throws `.corrupt` at damage (`skipsDamage`: passes over segments that are damaged, or
  /// missing), `.notFound` where there is no log.
  package func history(
    newestFirst: Bool = true, skipsDamage: Bool = false,
    _ body: (OperationRecord) throws(RepositoryError) -> Bool
  ) throws(RepositoryError) {
    let numbers = try segments.numbers()
    guard let newest = numbers.last else {
      throw RepositoryError(.notFound, "there is no ref log", file: Segment.directory)
    }
    var gone = newestFirst ? [] : try goneSegments(numbers)
    var neighbour: SegmentContents?
    for number in newestFirst ? numbers.reversed() : numbers where !gone.contains(number) {
      let contents: SegmentContents
      do throws(RepositoryError) {
        contents = try self.contents(number, isNewest: number == newest)
        if let neighbour, !skipsDamage {
          try checkChain(
            older: newestFirst ? contents : neighbour, newer: newestFirst ? neighbour : contents,
            passing: gone)
        }
      } catch {
        guard skipsDamage, error.code == .corrupt else { throw error }
        neighbour = nil
        continue
      }
      gone.formUnion(contents.gone)
      for frame in newestFirst ? contents.frames.reversed() : contents.frames {
        let operation = try contents.body(frame).operation
        if operation.kind == "checkpoint" { continue }
        guard try body(operation) else { return }
      }
      neighbour = contents
    }
  }

  /// Segments that a repair has given up, and could not move away any more.
  func leftovers() throws(RepositoryError) -> Set<Int> {
    let numbers = try segments.numbers()
    return try goneSegments(numbers).intersection(numbers)
  }

  /// All segments that repairs have given up.
  private func goneSegments(_ numbers: [Int]) throws(RepositoryError) -> Set<Int> {
    var gone: Set<Int> = []
    for number in numbers.reversed() where !gone.contains(number) {
      gone.formUnion(try segments.examine(number, isNewest: number == numbers.last).0.gone)
    }
    return gone
  }

  /// The newest value of every fact about an object. What damaged segments said is not known; verify
  /// reports them.
  ///
  /// Reads back to the record that the object, a snapshot, came with, a segment at a time, and the
  /// whole log where there is none. What was read stays in memory; later calls read what is new.
  /// `asOf`: the record up to which has to be known, nil for all that there are: who asks of thousands
  /// is not to look at the files for each.
  package func facts(
    of subject: ObjectID, asOf: UInt64? = nil
  ) throws(RepositoryError) -> [String: [UInt8]] {
    try currentFacts(asOf: asOf) { $0.born.contains(subject) }.facts[subject] ?? [:]
  }

  /// Where history goes on behind a snapshot that can't be read and so does not name its parent: what a
  /// record says of it, else what its branch was at before. Nil where that is not known, or history ends.
  package func predecessor(
    of snapshot: ObjectID, asOf: UInt64? = nil
  ) throws(RepositoryError) -> ObjectID? {
    let index = try currentFacts(asOf: asOf) { $0.facts[snapshot]?[Self.predecessorFact] != nil }
    if let fact = index.facts[snapshot]?[Self.predecessorFact] { return ObjectID(fact) }
    return index.predecessors[snapshot]
  }

  /// The snapshots that were written again without something, by what they were: those whose old id in hex
  /// begins with `prefix`. Reads the whole log.
  package func rewritten(prefix: String) throws(RepositoryError) -> [(old: ObjectID, new: ObjectID)]
  {
    let digits = prefix.lowercased()
    var found: [(old: ObjectID, new: ObjectID)] = []
    for (subject, facts) in try currentFacts(until: { _ in false }).facts {
      guard let value = facts[Self.rewrittenFact] else { continue }
      let text = String(decoding: value, as: UTF8.self)
      if text.hasPrefix(digits), let old = ObjectID(hex: text) { found.append((old, subject)) }
    }
    return found.sorted { $0.old < $1.old }
  }

  /// What became of the snapshots that were written again without something: the newest of each. Reads the
  /// whole log.
  package func successors() throws(RepositoryError) -> [ObjectID: ObjectID] {
    Self.successors(
      Dictionary(try rewritten(prefix: "").map { ($0.old, $0.new) }, uniquingKeysWith: { $1 }))
  }

  /// The newest of each, of what each became at first.
  package static func successors(_ next: [ObjectID: ObjectID]) -> [ObjectID: ObjectID] {
    next.mapValues { first in
      var newest = first
      // A log that says of two snapshots that each came of the other leads nowhere.
      for _ in next {
        guard let newer = next[newest] else { break }
        newest = newer
      }
      return newest
    }
  }

  /// Whether a snapshot was taken away on purpose, so that it is not lost when it is not there.
  package func isPruned(
    _ snapshot: ObjectID, asOf: UInt64? = nil
  ) throws(RepositoryError) -> Bool {
    try facts(of: snapshot, asOf: asOf)[Self.prunedFact]?.isEmpty == false
  }

  /// Whether a snapshot that was pruned has been given up by a collection since, so that what it needs may be
  /// gone, whatever is left of it.
  package func isCollected(
    _ snapshot: ObjectID, asOf: UInt64? = nil
  ) throws(RepositoryError) -> Bool {
    try currentFacts(asOf: asOf) { $0.born.contains(snapshot) }.collected.contains(snapshot)
  }

  /// All that is new, and what is older until that is enough.
  private func currentFacts(
    asOf: UInt64? = nil, until isEnough: (FactIndex) -> Bool
  ) throws(RepositoryError) -> FactIndex {
    var index = factIndex.withLock { $0 }
    if let asOf, index.oldestSegment != nil, index.sequence >= asOf,
      index.isWhole || isEnough(index)
    {
      return index
    }
    let state = try read()
    let known = (index.sequence, index.oldestSegment)
    if index.oldestSegment != nil, index.sequence < state.sequence {
      var newer = FactIndex()
      try history(skipsDamage: true) { operation throws(RepositoryError) in
        if operation.sequence <= index.sequence { return false }
        newer.addOlder(operation)
        return true
      }
      newer.sequence = max(newer.sequence, state.sequence)
      index.merge(newer)
    }
    while !index.isWhole, !isEnough(index) { try takeInOlder(&index) }
    if known != (index.sequence, index.oldestSegment) {
      factIndex.withLock { if $0.isLess(than: index) { $0 = index } }
    }
    return index
  }

  /// Takes in one segment more.
  private func takeInOlder(_ index: inout FactIndex) throws(RepositoryError) {
    let numbers = try segments.numbers()
    let oldest = index.oldestSegment ?? Int.max
    guard let number = numbers.last(where: { $0 < oldest }) else {
      index.isWhole = true
      return
    }
    index.oldestSegment = number
    if index.gone.contains(number) { return }
    do throws(RepositoryError) {
      let contents = try self.contents(number, isNewest: number == numbers.last)
      index.gone.formUnion(contents.gone)
      for frame in contents.frames.reversed() {
        let operation = try contents.body(frame).operation
        if operation.kind != "checkpoint" { index.addOlder(operation) }
      }
    } catch {
      guard error.code == .corrupt else { throw error }
    }
  }

  /// A writer at work may make the newest segment look damaged for a moment.
  private func contents(_ number: Int, isNewest: Bool) throws(RepositoryError) -> SegmentContents {
    do throws(RepositoryError) {
      return try segments.read(number, isNewest: isNewest)
    } catch  where error.code == .corrupt && isNewest {
      return try segments.read(number, isNewest: try segments.numbers().last == number)
    }
  }

  /// `gone`: segments that may lie between.
  private func checkChain(
    older: SegmentContents, newer: SegmentContents, passing gone: Set<Int>
  ) throws(RepositoryError) {
    let between = (older.number + 1)..<max(older.number + 1, newer.number)
    if !between.isEmpty, between.allSatisfy(gone.contains) { return }
    guard let damage = RefLog.chainDamage(older: older, newer: newer) else { return }
    throw segments.error(damage, in: newer.number)
  }

  /// What is wrong where a segment follows another; nil for nothing.
  static func chainDamage(older: SegmentContents, newer: SegmentContents) -> SegmentDamage? {
    guard let last = older.frames.last, let first = newer.frames.first else { return nil }
    if newer.number == older.number + 1 && first.sequence == last.sequence + 1
      && first.previous == last.digest
    {
      return nil
    }
    return SegmentDamage(
      offset: first.offset, sequence: first.sequence,
      message: "record \(first.sequence) does not follow record \(last.sequence), the last of "
        + "segment \(older.number)")
  }
}

/// Facts by subject; the newest of a key counts.
struct FactIndex {
  var facts: [ObjectID: [String: [UInt8]]] = [:]
  /// Snapshots whose first record is taken in: no older one says anything of them.
  var born: Set<ObjectID> = []
  /// Where a branch was before it came to a snapshot.
  var predecessors: [ObjectID: ObjectID] = [:]
  /// Snapshots that were pruned, and when, and no collection has given up; and those that one has.
  var pruned: [ObjectID: Timestamp] = [:]
  var collected: Set<ObjectID> = []
  /// The latest time before which a collection has given up what was pruned.
  var cutoff: Timestamp?
  /// The last record that is taken in.
  var sequence: UInt64 = 0
  /// All records from the start of this segment on are taken in; nil before the first.
  var oldestSegment: Int?
  /// Segments that a repair has given up.
  var gone: Set<Int> = []
  /// Whether there is nothing older.
  var isWhole = false

  /// Takes in a record that is older than all taken in so far.
  mutating func addOlder(_ operation: OperationRecord) {
    sequence = max(sequence, operation.sequence)
    if let time = operation.collectionCutoff { cutoff = max(cutoff ?? time, time) }
    for fact in operation.facts.reversed() where facts[fact.subject]?[fact.key] == nil {
      facts[fact.subject, default: [:]][fact.key] = fact.value
      if fact.key == RefLog.prunedFact, !fact.value.isEmpty {
        pruned[fact.subject] = operation.time
      }
    }
    giveUpPruned(before: cutoff, those: operation.facts.map(\.subject))
    // A repair repeats what it found of segments, between others that still count.
    if operation.kind != RefLog.repairKind {
      for fact in operation.facts where fact.key == RefLog.durationFact {
        born.insert(fact.subject)
      }
    }
    guard operation.undoes == nil else { return }
    for move in operation.moves {
      // The first time that a snapshot was somewhere counts: later it was only gone back to.
      if case .id(let new) = move.new, case .id(let old) = move.old { predecessors[new] = old }
    }
  }

  /// Moves snapshots to the collected ones that were pruned no later than a time.
  private mutating func giveUpPruned(before time: Timestamp?, those subjects: [ObjectID]) {
    guard let time else { return }
    for subject in subjects {
      guard let when = pruned[subject], when <= time else { continue }
      pruned[subject] = nil
      collected.insert(subject)
    }
  }

  /// Whether another index of the same log knows more.
  func isLess(than other: FactIndex) -> Bool {
    (sequence, -(oldestSegment ?? .max)) < (other.sequence, -(other.oldestSegment ?? .max))
      || !isWhole && other.isWhole
  }

  /// Takes in an index of records that are all newer.
  mutating func merge(_ newer: FactIndex) {
    for (subject, values) in newer.facts {
      facts[subject, default: [:]].merge(values) { $1 }
    }
    for (subject, values) in newer.facts where values[RefLog.prunedFact] != nil {
      pruned[subject] = newer.pruned[subject]
    }
    collected.formUnion(newer.collected)
    giveUpPruned(before: newer.cutoff, those: Array(pruned.keys))
    if let time = newer.cutoff { cutoff = max(cutoff ?? time, time) }
    born.formUnion(newer.born)
    predecessors.merge(newer.predecessors) { older, _ in older }
    sequence = max(sequence, newer.sequence)
  }
}
