internal import DTMSystem

/// The snapshots that a collection keeps: those that a ref leads to and that are not pruned, or not for
/// long yet, and what can be undone still.
struct CollectionRoots {
  /// A snapshot that goes, the parent of one that stays, and where history goes on behind it; nil: it ends
  /// there.
  private struct Gap {
    let gone: ObjectID
    let next: ObjectID?
  }

  /// How many stay.
  var count: Int { seen.count }
  /// Whether something goes of which no record tells yet.
  private(set) var isNews = false

  private var gaps: [Gap] = []
  private let repository: Repository
  /// Those that were pruned for good; whether a collection has told so.
  private let pruned: [ObjectID: Bool]
  private var seen: Set<ObjectID> = []

  /// `cutoff`: what was pruned, or done, later stays. `walk` marks what that needs.
  ///
  /// Reads the whole ref log and each snapshot once, and marks its tree at once: its pages were stored with it,
  /// and are at hand. Throws `.corrupt` where the log is damaged, or a
  /// snapshot lost that nobody pruned: then nobody knows what is needed.
  init(
    _ repository: Repository, _ state: RefLogState, cutoff: Timestamp,
    marking walk: inout LiveWalk
  ) throws(RepositoryError) {
    self.repository = repository
    let taken = try Self.taken(repository.refLog, cutoff)
    pruned = taken.pruned
    // What was written again without something stays as it is now: nothing brings back what it was.
    let successors = RefLog.successors(taken.rewritten)
    let targets = state.refs.sorted { $0.key < $1.key }.compactMap { Self.id($0.value) }
    for id in targets { try follow(id, &walk) }
    for operation in state.operations where operation.time > max(cutoff, taken.cutoff ?? cutoff) {
      for move in operation.moves {
        for id in [move.old, move.new].compactMap({ $0.flatMap(Self.id) }) {
          let present = successors[id] ?? id
          // What is gone by now was never promised.
          if repository.isIndexed(present, .snapshot) { try follow(present, &walk) }
        }
      }
    }
  }

  private static func id(_ value: RefValue) -> ObjectID? {
    if case .id(let id) = value { return id }
    return nil
  }

  private static func taken(
    _ log: RefLog, _ cutoff: Timestamp
  ) throws(RepositoryError) -> (
    pruned: [ObjectID: Bool], rewritten: [ObjectID: ObjectID], cutoff: Timestamp?
  ) {
    var rewritten: [ObjectID: ObjectID] = [:]
    var decided: Set<ObjectID> = []
    var pruned: [ObjectID: Bool] = [:]
    // Of the collections after the record that is looked at.
    var told: Timestamp?
    try log.history { record in
      if let time = record.collectionCutoff { told = max(told ?? time, time) }
      for fact in record.facts {
        switch fact.key {
        case RefLog.prunedFact:
          guard decided.insert(fact.subject).inserted, !fact.value.isEmpty else { break }
          let isTold = told.map { record.time <= $0 } ?? false
          if isTold || record.time <= cutoff { pruned[fact.subject] = isTold }
        default: if let old = fact.rewrittenFrom { rewritten[old] = fact.subject }
        }
      }
      return true
    }
    return (pruned, rewritten, told)
  }

  /// Takes in a snapshot and what came before it. A ref's own snapshot stays in any case.
  private mutating func follow(
    _ start: ObjectID, _ walk: inout LiveWalk
  ) throws(RepositoryError) {
    var passed: [ObjectID] = []
    var next: ObjectID? = start
    while let id = next {
      let stays = id == start || pruned[id] == nil
      if stays {
        close(&passed, next: id)
        guard seen.insert(id).inserted else { return }
        let snapshot = try kept(id)
        try walk.mark(id, tree: snapshot.tree)
        next = snapshot.parent
      } else {
        passed.append(id)
        if pruned[id] == false { isNews = true }
        next = try predecessor(ofPruned: id)
      }
    }
    close(&passed, next: nil)
  }

  /// Notes where history goes on behind the first of some that go.
  private mutating func close(_ passed: inout [ObjectID], next: ObjectID?) {
    if let first = passed.first { gaps.append(Gap(gone: first, next: next)) }
    passed = []
  }

  private func kept(_ id: ObjectID) throws(RepositoryError) -> Snapshot {
    do throws(RepositoryError) { return try read(id) } catch {
      guard error.code == .notFound || error.code == .corrupt else { throw error }
      throw RepositoryError(
        .corrupt, "\(error.message): what is needed can't be told, so nothing is freed",
        file: error.file, object: id)
    }
  }

  private func predecessor(ofPruned id: ObjectID) throws(RepositoryError) -> ObjectID? {
    do throws(RepositoryError) { return try read(id).parent } catch {
      guard error.code == .notFound || error.code == .corrupt else { throw error }
      return try repository.refLog.predecessor(of: id)
    }
  }

  private func read(_ id: ObjectID) throws(RepositoryError) -> Snapshot {
    try Snapshot(decoding: try repository.objects.read(id, .snapshot), id: id)
  }

  /// The facts that tell where history goes on, those left out that are known.
  func facts() throws(RepositoryError) -> [Fact] {
    var facts: [ObjectID: Fact] = [:]
    for gap in gaps {
      let value = gap.next?.bytes ?? []
      guard try repository.refLog.facts(of: gap.gone)[RefLog.predecessorFact] != value else {
        continue
      }
      facts[gap.gone] = Fact(subject: gap.gone, key: RefLog.predecessorFact, value: value)
    }
    return Array(facts.values)
  }
}
