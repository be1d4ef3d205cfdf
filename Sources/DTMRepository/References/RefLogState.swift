internal import DTMSystem

/// What the ref log says after a record: the refs, the live packs, what can be undone.
package struct RefLogState: Sendable {
  package private(set) var refs: [String: RefValue] = [:]
  package private(set) var livePacks: [PackID: LivePack] = [:]
  /// Of the last record.
  package private(set) var sequence: UInt64 = 0
  /// Of the last record; the log's head.
  package private(set) var digest = ObjectID(words: (0, 0, 0, 0))
  /// The newest operations that can be undone or redone, oldest first, at most `operationLimit`.
  package private(set) var operations: [OperationRecord] = []

  /// How many operations can be undone at most.
  package static let operationLimit = 200

  init() {}

  /// Takes a record in. The first one of a segment says what everything is.
  mutating func apply(_ body: RecordBody, digest: ObjectID, isFirstOfSegment: Bool) {
    sequence = body.operation.sequence
    self.digest = digest
    livePacks = Dictionary(
      body.operation.livePacks.map { ($0.id, $0) }, uniquingKeysWith: { $1 })
    if isFirstOfSegment {
      refs = body.refs
      operations = body.operations
      return
    }
    for move in body.operation.moves { refs[move.ref] = move.new }
    if let undone = body.operation.undoes {
      if let index = operations.lastIndex(where: { $0.sequence == undone }) {
        operations[index].isUndone = body.operation.kind == "undo"
      }
    } else if body.operation.isUndoable {
      var operation = body.operation
      operation.livePacks = []
      // A pruning has thousands; `undo` reads them from the record.
      operation.facts = []
      operations.append(operation)
      if operations.count > Self.operationLimit { operations.removeFirst() }
    }
  }

  /// Takes live packs for those that count, whatever records say: for a repair.
  mutating func assume(livePacks: [PackID: LivePack]) {
    self.livePacks = livePacks
  }

  // MARK: What comes next

  /// The record that a draft makes after this state.
  ///
  /// Throws `.conflict` when a ref is not what the draft takes it for or an operation is not (or
  /// already) undone, `.notFound` for an operation that can't be undone any more, `.invalidInput`
  /// for a draft that contradicts itself.
  func operation(_ draft: RecordDraft, at time: Timestamp) throws(RepositoryError)
    -> OperationRecord
  {
    try check(draft)
    var packs = livePacks
    for id in draft.removedPacks { packs[id] = nil }
    for pack in draft.livePacks { packs[pack.id] = pack }
    return OperationRecord(
      sequence: sequence + 1, time: time, pid: draft.pid, uid: draft.uid, kind: draft.kind,
      summary: draft.summary,
      moves: draft.moves.sorted { Self.isOrdered($0.ref, $1.ref) },
      facts: draft.facts.sorted { left, right in
        left.subject == right.subject
          ? Self.isOrdered(left.key, right.key) : left.subject < right.subject
      },
      livePacks: packs.values.sorted { $0.id < $1.id }, undoes: draft.undoes,
      details: draft.details, isUndone: false)
  }

  /// The record that begins a new segment.
  func checkpoint(at time: Timestamp, pid: Int32, uid: UInt32) -> RecordBody {
    RecordBody(
      operation: OperationRecord(
        sequence: sequence + 1, time: time, pid: pid, uid: uid, kind: "checkpoint", summary: "",
        moves: [], facts: [], livePacks: livePacks.values.sorted { $0.id < $1.id }, undoes: nil,
        details: [], isUndone: false),
      refs: refs, operations: operations)
  }

  /// Refs are ordered by their UTF-8 bytes.
  static func isOrdered(_ left: String, _ right: String) -> Bool {
    left.utf8.lexicographicallyPrecedes(right.utf8)
  }

  private func check(_ draft: RecordDraft) throws(RepositoryError) {
    var seen: Set<String> = []
    for move in draft.moves {
      guard seen.insert(move.ref).inserted else {
        throw RepositoryError(.invalidInput, "the ref \(move.ref) moves twice in one operation")
      }
      // Swift's strings are equal when they look alike; the format's are bytes.
      if let index = refs.index(forKey: move.ref),
        !refs[index].key.utf8.elementsEqual(move.ref.utf8)
      {
        throw RepositoryError(
          .invalidInput, "the ref \(move.ref) differs from an existing one only in its encoding")
      }
      guard refs[move.ref] == move.old else {
        throw RepositoryError(
          .conflict,
          "the ref \(move.ref) is \(Self.text(refs[move.ref])), not \(Self.text(move.old)) any more"
        )
      }
    }
    var facts: Set<Fact> = []
    for fact in draft.facts {
      guard facts.insert(Fact(subject: fact.subject, key: fact.key, value: [])).inserted else {
        throw RepositoryError(.invalidInput, "the fact \(fact.key) stands twice in one operation")
      }
    }
    guard let undone = draft.undoes else { return }
    guard draft.kind == "undo" || draft.kind == "redo" else {
      throw RepositoryError(.invalidInput, "only undo and redo name an operation")
    }
    guard let operation = operations.last(where: { $0.sequence == undone }) else {
      throw RepositoryError(.notFound, "operation \(undone) is none that can be undone")
    }
    guard operation.isUndone == (draft.kind == "redo") else {
      throw RepositoryError(
        .conflict, "operation \(undone) is \(operation.isUndone ? "already" : "not") undone")
    }
  }

  private static func text(_ value: RefValue?) -> String {
    switch value {
    case nil: "absent"
    case .id(let id): id.short
    case .name(let name): name
    }
  }
}
