package import DTMRepository
internal import DTMSystem

/// The boundaries of a folder's pipelines, read from the ref log.
///
/// What was read stays; `refresh` reads what is new. Whoever decides by it holds the capture lock, so
/// that nobody records a boundary meanwhile.
package struct StageLog: Sendable {
  /// Oldest first.
  package private(set) var entries: [StageEntry] = []
  private let branches: String
  private var sequence: UInt64 = 0
  private var places: [StageKey: [Int]] = [:]
  /// The newest attempt of each; the keys are of attempt 0.
  private var attempts: [StageKey: Int] = [:]

  /// `folder`: whose boundaries; a repository may hold several folders.
  package init(folder: PackID) {
    branches = FolderRefs(folder).branches
  }

  /// Reads what the log has that is new. Cost: the new records; all of them at the first time.
  package mutating func refresh(_ repository: Repository) throws(FolderError) {
    var found: [StageEntry] = []
    var rewritten: [ObjectID: ObjectID] = [:]
    let known = sequence
    var newest = known
    let prefix = branches
    try onRepository { () throws(RepositoryError) in
      // Segments in the middle of which a writer died say nothing of stages that ended before.
      try repository.refLog.history(skipsDamage: true) { operation throws(RepositoryError) in
        if operation.sequence <= known { return false }
        newest = max(newest, operation.sequence)
        if operation.kind == "erase" {
          // The boundaries of before under other ids, no new ones.
          for fact in operation.facts {
            if let old = fact.rewrittenFrom { rewritten[old] = fact.subject }
          }
          return true
        }
        if let entry = Self.entry(operation, prefix) { found.append(entry) }
        return true
      }
    }
    sequence = newest
    for entry in found.reversed() {
      places[entry.fact.key, default: []].append(entries.count)
      entries.append(entry)
      let key = entry.fact.key
      attempts[Self.anyAttempt(key), default: 0] = max(
        attempts[Self.anyAttempt(key)] ?? 0, key.attempt)
    }
    if rewritten.isEmpty { return }
    let successors = RefLog.successors(rewritten)
    for index in entries.indices {
      if let present = successors[entries[index].snapshot] { entries[index].snapshot = present }
    }
  }

  private static func anyAttempt(_ key: StageKey) -> StageKey {
    StageKey(pipeline: key.pipeline, run: key.run, stage: key.stage, attempt: 0)
  }

  private static func entry(_ operation: OperationRecord, _ prefix: String) -> StageEntry? {
    for fact in operation.facts where fact.key == StageFact.name {
      let isHere = operation.moves.contains {
        $0.new == .id(fact.subject) && $0.ref.hasPrefix(prefix)
      }
      if isHere, let stage = StageFact(decoding: fact.value) {
        return StageEntry(
          fact: stage, snapshot: fact.subject, sequence: operation.sequence,
          time: operation.time)
      }
    }
    return nil
  }

  /// What is recorded of a key, oldest first.
  package func entries(of key: StageKey) -> [StageEntry] {
    (places[key] ?? []).map { entries[$0] }
  }

  /// The begin of a key; nil where there is none.
  package func begin(of key: StageKey) -> StageEntry? {
    entries(of: key).last { $0.fact.event == .begin }
  }

  /// How a key ended; nil while it has not.
  package func end(of key: StageKey) -> StageEntry? {
    entries(of: key).last { $0.fact.event.isEnd }
  }

  /// What has begun and not ended, oldest first.
  package var open: [StageEntry] {
    entries.filter { $0.fact.event == .begin && end(of: $0.fact.key) == nil }
  }

  /// What is open though its process is known to be dead.
  package var dead: [StageEntry] {
    open.filter { entry in entry.fact.holder.map { !ProcessMark.isAlive($0) } ?? false }
  }

  /// Runs that were at work between the begin of a key and now, its own apart; those whose process is
  /// known to be dead had ended already.
  package func runsBeside(_ key: StageKey) -> [String] {
    guard let begin = begin(of: key) else { return [] }
    var runs: Set<String> = []
    for entry in entries where entry.fact.key.run != key.run {
      if entry.sequence > begin.sequence {
        if entry.fact.event != .abandoned { runs.insert(entry.fact.key.run) }
      } else if entry.fact.event == .begin {
        if end(of: entry.fact.key) != nil { continue }
        if let holder = entry.fact.holder, !ProcessMark.isAlive(holder) { continue }
        runs.insert(entry.fact.key.run)
      }
    }
    return runs.sorted()
  }

  /// The newest attempt at a stage of a run; nil where there is none.
  func newestAttempt(pipeline: String, run: String, stage: String) -> Int? {
    attempts[StageKey(pipeline: pipeline, run: run, stage: stage, attempt: 0)]
  }

  // MARK: - Deciding

  /// What becomes of a wish: what is recorded already, or what is to be recorded.
  ///
  /// `freshRun`: the id of a run that begins and has none. Throws `.notFound` for the end of a stage
  /// that nobody began and whose run is not named, `.exists` for an outcome beside another.
  package func decide(
    _ wish: StageWish, freshRun: @autoclosure () -> String
  ) throws(FolderError) -> StageDecision {
    let key = try key(of: wish, freshRun: freshRun)
    let begin = begin(of: key)
    let end = end(of: key)
    let fact = StageFact(key, wish.event, holder: wish.event == .begin ? wish.holder : nil)
    if wish.event == .begin {
      if let begin { return .known(begin) }
      guard let end else { return .new(fact) }
      throw Self.conflict(key, end)
    }
    guard let end else { return .new(fact) }
    if end.fact.event == wish.event { return .known(end) }
    // Nobody is believed dead who comes back and tells how it went.
    if end.fact.event == .abandoned { return .new(fact) }
    if wish.event == .abandoned { return .known(end) }
    throw Self.conflict(key, end)
  }

  private static func conflict(_ key: StageKey, _ end: StageEntry) -> FolderError {
    FolderError(
      .exists, "\(key.words) has ended already: \(end.fact.event.rawValue)",
      details: ["that is the snapshot \(end.snapshot.short)"],
      hint: "another try is another attempt: --attempt \(key.attempt + 1)")
  }

  private func key(
    of wish: StageWish, freshRun: () -> String
  ) throws(FolderError) -> StageKey {
    var run = wish.run
    if run == nil, wish.event != .begin {
      let all = entries.filter {
        $0.fact.key.stage == wish.stage && $0.fact.key.pipeline == wish.pipeline
      }
      let open = all.last { $0.fact.event == .begin && end(of: $0.fact.key) == nil }
      // Said again: it is the one that ended last.
      let same = all.last.flatMap { $0.fact.event == wish.event ? $0 : nil }
      run = (open ?? same)?.fact.key.run
      if run == nil {
        throw FolderError(
          .notFound, "no stage \(wish.stage) has begun and not ended",
          hint: "dtm runs lists the runs; --run-id names one")
      }
    }
    let known = run ?? freshRun()
    return StageKey(
      pipeline: wish.pipeline, run: known, stage: wish.stage,
      attempt: wish.attempt ?? attempt(of: wish, run: known))
  }

  /// The attempt that is meant where none is named.
  private func attempt(of wish: StageWish, run: String) -> Int {
    guard
      let newest = newestAttempt(pipeline: wish.pipeline, run: run, stage: wish.stage)
    else { return 1 }
    if wish.event != .begin { return newest }
    if wish.isNewAttempt { return newest + 1 }
    let key = StageKey(pipeline: wish.pipeline, run: run, stage: wish.stage, attempt: newest)
    // Who begins again what failed tries once more; what is open or went well is the same.
    switch end(of: key)?.fact.event {
    case .failed, .abandoned: return newest + 1
    default: return newest
    }
  }
}

/// What somebody reports of a stage.
package struct StageWish: Sendable {
  package var event: StageEvent
  /// Empty for a run as a whole.
  package var stage: String
  package var pipeline = ""
  /// Nil: a new one at a begin, else the one that is open.
  package var run: String?
  package var attempt: Int?
  /// A begin is another attempt, whatever there is.
  package var isNewAttempt = false
  /// Who is at work (`ProcessMark`), where it stays there until the end.
  package var holder: String?

  package init(_ event: StageEvent, stage: String) {
    self.event = event
    self.stage = stage
  }
}

/// What becomes of a wish.
package enum StageDecision: Sendable {
  /// It is recorded already.
  case known(StageEntry)
  /// A snapshot with this fact is to be taken.
  case new(StageFact)
}
