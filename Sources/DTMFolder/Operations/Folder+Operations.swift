internal import DTMRepository
internal import DTMSystem

/// The operations on a folder, and taking them back.
extension Folder {
  /// The operations that can be undone or redone, newest first.
  package func operations() throws(FolderError) -> [FolderOperation] {
    try ownOperations(history().state).reversed().map(Self.described)
  }

  /// Takes an operation back: the last one that is not undone yet, or the one named.
  ///
  /// A restore or checkout is taken back by bringing the same paths to the state before it (which
  /// takes a safety snapshot of what is there, and ends with a snapshot), other operations by moving
  /// their refs back. Twice goes two operations back. Throws `.notFound` where there is nothing to
  /// undo, `.conflict` where it is undone already, or its refs have moved since.
  package func undo(
    _ operation: UInt64? = nil, as request: RestoreRequest = RestoreRequest(.newest),
    recorder: (any RestoreRecorder)? = nil,
    reached: @escaping @Sendable (RestorePoint) throws(FolderError) -> Void = { _ in }
  ) throws(FolderError) -> UndoOutcome {
    // One that was cut off is an operation too, once it is finished.
    let recovery = try recover(recorder: recorder)
    let state = try history().state
    let all = ownOperations(state)
    let found =
      operation.map { id in all.first { $0.sequence == id } }
      ?? all.last { !$0.isUndone }
    guard let found else {
      throw FolderError(
        .notFound, operation.map { "there is no operation \($0) to undo" } ?? "nothing to undo",
        hint: "dtm operations lists what can be undone")
    }
    if found.isUndone {
      throw FolderError(.conflict, "operation \(found.sequence) is undone already")
    }
    return try swap(found, state, kind: "undo", request, recovery, recorder, reached)
  }

  /// Brings the operation again that was undone last, or the one named.
  ///
  /// Once something else was done there is nothing to redo. Throws as `undo` does.
  package func redo(
    _ operation: UInt64? = nil, as request: RestoreRequest = RestoreRequest(.newest),
    recorder: (any RestoreRecorder)? = nil,
    reached: @escaping @Sendable (RestorePoint) throws(FolderError) -> Void = { _ in }
  ) throws(FolderError) -> UndoOutcome {
    // One that was cut off is an operation too, once it is finished.
    let recovery = try recover(recorder: recorder)
    let state = try history().state
    let all = ownOperations(state)
    let found: OperationRecord?
    if let operation {
      found = all.first { $0.sequence == operation }
    } else {
      found = try redoable(all)
    }
    guard let found else {
      throw FolderError(
        .notFound, operation.map { "there is no operation \($0) to redo" } ?? "nothing to redo",
        hint: "dtm operations lists what was undone")
    }
    if !found.isUndone {
      throw FolderError(.conflict, "operation \(found.sequence) is not undone")
    }
    return try swap(found, state, kind: "redo", request, recovery, recorder, reached)
  }

  /// The first of the operations that were undone with nothing else done since; nil for none.
  private func redoable(_ all: [OperationRecord]) throws(FolderError) -> OperationRecord? {
    let lastDone = all.lastIndex { !$0.isUndone }
    let undone = all.dropFirst(lastDone.map { $0 + 1 } ?? 0)
    guard let first = undone.first, let last = undone.last else { return nil }
    // One that was undone before another was done can't come again: the other built on its absence.
    var undoneAt: [UInt64: UInt64] = [:]
    try onRepository { () throws(RepositoryError) in
      try repository.refLog.history { record in
        if record.kind == "undo", let subject = record.undoes, undoneAt[subject] == nil {
          undoneAt[subject] = record.sequence
        }
        return record.sequence > first.sequence
      }
    }
    return undone.first { undoneAt[$0.sequence, default: 0] > last.sequence }
  }

  // MARK: - Taking back, bringing again

  private func swap(
    _ operation: OperationRecord, _ state: RefLogState, kind: String, _ options: RestoreRequest,
    _ recovery: RecoveryOutcome?, _ recorder: (any RestoreRecorder)?,
    _ reached: @escaping @Sendable (RestorePoint) throws(FolderError) -> Void
  ) throws(FolderError) -> UndoOutcome {
    let isUndo = kind == "undo"
    let described = Self.described(operation)
    let summary = "\(kind) of \(operation.kind) \(operation.sequence)"
    guard let targets = RestoreDetail.targets(operation.details) else {
      return UndoOutcome(
        operation: described,
        sequence: try moveRefs(operation, state, kind: kind, summary: summary), restore: nil,
        recovery: recovery)
    }
    let history = try history()
    var request = options
    var versions: [(path: PathKey, snapshot: KnownSnapshot)] = []
    if isUndo {
      guard let before = operation.detail(RestoreDetail.before).flatMap(ObjectID.init(hex:)) else {
        throw FolderError(
          .notFound, "operation \(operation.sequence) does not say what was there before it")
      }
      let known = try history.snapshot(renewed(before))
      versions = targets.map { ($0.path, known) }
    } else {
      for target in targets {
        versions.append((target.path, try history.snapshot(renewed(target.snapshot))))
      }
      request.keepsAdded = operation.detail(RestoreDetail.keepsAdded) != nil
    }
    request.target = .versions(versions)
    request.paths = versions.map(\.path).filter { !$0.isRoot }
    request.kind = kind
    request.summary = summary
    request.undoes = operation.sequence
    let outcome = try restore(request, recorder: recorder, reached: reached)
    return UndoOutcome(
      operation: described, sequence: outcome.operation, restore: outcome,
      recovery: recovery)
  }

  /// Moves the refs of an operation back, or forth again. Throws `.conflict` when they have moved since.
  private func moveRefs(
    _ operation: OperationRecord, _ state: RefLogState, kind: String, summary: String
  ) throws(FolderError) -> UInt64 {
    var draft = RecordDraft(kind: kind, summary: summary)
    for move in operation.moves {
      let present = try renewed(move)
      draft.moves.append(kind == "undo" ? present.reversed : present)
    }
    for fact in try prunedFacts(of: operation) {
      draft.facts.append(
        Fact(
          subject: try renewed(fact.subject), key: fact.key,
          value: kind == "undo" ? [] : fact.value))
    }
    draft.undoes = operation.sequence
    return try append(draft)
  }

  /// What an operation took away; the state does not keep it.
  private func prunedFacts(of operation: OperationRecord) throws(FolderError) -> [Fact] {
    var facts: [Fact] = []
    try onRepository { () throws(RepositoryError) in
      try repository.refLog.history { record in
        if record.sequence == operation.sequence { facts = record.facts }
        return record.sequence > operation.sequence
      }
    }
    return facts.filter { $0.key == RefLog.prunedFact }
  }

  /// What became of a snapshot that is not there any more: it may have been written again since, without
  /// what was erased.
  private func renewed(_ id: ObjectID) throws(FolderError) -> ObjectID {
    if repository.isIndexed(id, .snapshot) { return id }
    return try onRepository { () throws(RepositoryError) in
      try repository.refLog.successors()[id] ?? id
    }
  }

  private func renewed(_ move: RefMove) throws(FolderError) -> RefMove {
    var ref = move.ref
    func value(_ value: RefValue?) throws(FolderError) -> RefValue? {
      guard case .id(let id)? = value else { return value }
      let present = try renewed(id)
      // A pin's name is the snapshot's.
      if ref == refs.pin(id) { ref = refs.pin(present) }
      return .id(present)
    }
    let (old, new) = (try value(move.old), try value(move.new))
    return RefMove(ref: ref, old: old, new: new)
  }

  // MARK: - Recording

  /// Writes a restore into the ref log, unless it is there already; returns the record's sequence, or
  /// nil where it is there and has none of its own.
  func record(_ intent: RestoreIntent, journal: String) throws(FolderError) -> UInt64? {
    let history = try history()
    let state = history.state
    if let found = state.operations.last(where: { $0.detail(RestoreDetail.journal) == journal }) {
      return found.sequence
    }
    var draft = RecordDraft(kind: intent.kind, summary: intent.summary)
    if let undone = intent.undoes {
      guard let operation = state.operations.last(where: { $0.sequence == undone }) else {
        throw FolderError(.notFound, "operation \(undone) is none that can be undone")
      }
      if operation.isUndone == (intent.kind == "undo") { return nil }
      draft.undoes = undone
      draft.moves = try moves(operation, history, isUndo: intent.kind == "undo")
    } else if let branch = intent.branch, branch != history.currentBranch {
      draft.moves = [
        RefMove(ref: refs.head, old: state.refs[refs.head], new: .name(branch))
      ]
      if let start = intent.newBranchFrom {
        draft.moves.append(RefMove(ref: refs.branch(branch), old: nil, new: .id(start)))
      }
    }
    draft.details = RestoreDetail.details(intent, folder: id, journal: journal)
    return try append(draft)
  }

  private func append(_ record: RecordDraft) throws(FolderError) -> UInt64 {
    var draft = record
    draft.pid = ProcessSignals.processID
    draft.uid = ThreadIdentity.current.uid
    return try onRepository { () throws(RepositoryError) in
      try repository.beginSession().commit(draft, at: environment.time.now()).sequence
    }
  }

  /// How an operation's refs go back or forth: the current branch, and a branch that it made, as long as
  /// nobody has used it since.
  private func moves(
    _ operation: OperationRecord, _ history: History, isUndo: Bool
  ) throws(FolderError) -> [RefMove] {
    var moves: [RefMove] = []
    for past in operation.moves {
      let move = try renewed(past)
      let wanted = isUndo ? move.old : move.new
      let present = history.state.refs[move.ref]
      if present == wanted { continue }
      if move.ref != refs.head {
        guard try isUnused(present, since: move, history, isUndo: isUndo) else { continue }
      }
      moves.append(RefMove(ref: move.ref, old: present, new: wanted))
    }
    return moves
  }

  /// Whether a branch that an operation made holds no more than the snapshot that came with it.
  private func isUnused(
    _ present: RefValue?, since move: RefMove, _ history: History, isUndo: Bool
  ) throws(FolderError) -> Bool {
    if !isUndo { return present == nil }
    guard case .id(let head)? = present, case .id(let start)? = move.new else { return false }
    if head == start { return true }
    let known = try history.snapshot(head)
    return known.snapshot.parent == start && known.snapshot.trigger == "checkout"
  }

  /// The operations of this folder, oldest first.
  private func ownOperations(_ state: RefLogState) -> [OperationRecord] {
    let prefix = "folders/\(id.hex)/"
    return state.operations.filter { operation in
      operation.detail(RestoreDetail.folder) == id.hex
        || operation.moves.contains { $0.ref.hasPrefix(prefix) }
    }
  }

  private static func described(_ operation: OperationRecord) -> FolderOperation {
    FolderOperation(
      id: operation.sequence, time: operation.time, kind: operation.kind,
      summary: operation.summary, isUndone: operation.isUndone,
      user: UserDirectory.name(ofUser: operation.uid) ?? String(operation.uid))
  }
}

extension RefMove {
  fileprivate var reversed: RefMove { RefMove(ref: ref, old: new, new: old) }
}
