package import DTMSystem

/// One record of the ref log: an operation that was done to the repository.
package struct OperationRecord: Sendable {
  /// 1, 2, 3 … over the whole log, checkpoints included.
  package var sequence: UInt64
  package var time: Timestamp
  package var pid: Int32
  package var uid: UInt32
  /// `init`, `snapshot`, `restore`, `undo` … (format: The ref log).
  package var kind: String
  /// A line for people.
  package var summary: String
  /// Ascending by ref, each ref once.
  package var moves: [RefMove]
  /// Ascending by subject and key, each pair once.
  package var facts: [Fact]
  /// All live packs after the record, ascending by id; empty in `RefLogState.operations`.
  package var livePacks: [LivePack]
  /// The operation that an `undo` takes back or a `redo` brings again.
  package var undoes: UInt64?
  /// In the writer's order, which may mean something; keys may repeat.
  package var details: [(String, String)]
  /// Whether a later `undo` took it back; only in `RefLogState.operations`.
  package var isUndone: Bool

  /// Kinds that `undo` never takes back: they change nothing that a user had, or are the taking
  /// back itself.
  private static let passiveKinds: Set<String> = [
    "init", "checkpoint", "snapshot", "check", "label", "undo", "redo", "collect", "repair",
    "erase", "guard",
  ]

  /// Whether it is one of the operations that `undo` considers.
  package var isUndoable: Bool { !Self.passiveKinds.contains(kind) }

  /// Of a collection: what was pruned, or done and undone, no later than this was given up.
  var collectionCutoff: Timestamp? {
    guard kind == RefLog.collectKind, let text = detail(RefLog.cutoffDetail) else { return nil }
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 2, let seconds = Int64(parts[0]), let nanoseconds = UInt32(parts[1]),
      nanoseconds < 1_000_000_000
    else { return nil }
    return Timestamp(seconds: seconds, nanoseconds: nanoseconds)
  }

  /// The value of a detail.
  package func detail(_ key: String) -> String? { details.first { $0.0 == key }?.1 }
}

/// What a caller wants the next record to say.
package struct RecordDraft: Sendable {
  package var kind: String
  package var summary: String
  /// Each ref at most once; every `old` is compared with what the ref is when the record is
  /// written.
  package var moves: [RefMove]
  /// Each subject's key at most once; in any order, as the moves.
  package var facts: [Fact]
  /// Live packs that are new or have grown.
  package var livePacks: [LivePack]
  /// Live packs that are none any more (sealed or abandoned).
  package var removedPacks: [PackID]
  package var undoes: UInt64?
  package var details: [(String, String)]
  package var pid: Int32
  package var uid: UInt32

  package init(
    kind: String, summary: String = "", moves: [RefMove] = [], facts: [Fact] = [],
    livePacks: [LivePack] = [], removedPacks: [PackID] = [], undoes: UInt64? = nil,
    details: [(String, String)] = [], pid: Int32 = 0, uid: UInt32 = 0
  ) {
    self.kind = kind
    self.summary = summary
    self.moves = moves
    self.facts = facts
    self.livePacks = livePacks
    self.removedPacks = removedPacks
    self.undoes = undoes
    self.details = details
    self.pid = pid
    self.uid = uid
  }
}
