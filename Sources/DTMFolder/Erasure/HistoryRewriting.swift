package import DTMRepository
package import DTMSystem

/// Writes a folder's history again without some paths: every snapshot that a ref leads to, or that undoing
/// an operation would bring back, pruned ones too.
///
/// What is not in them stays as it is, byte for byte; a snapshot in whose past nothing goes keeps its id.
package final class HistoryRewriting {
  /// What goes, and what became of the snapshots.
  package struct Outcome: Sendable {
    /// The paths, each once, in order.
    package var paths: [PathKey] = []
    /// Snapshots that hold any of them.
    package var snapshots = 0
    /// The ids of snapshots that have others now, and those.
    package var rewritten: [ObjectID: ObjectID] = [:]
    /// Content of paths that go: chunks and lists. Others may have the same.
    package var contents: Set<ObjectID> = []
    /// The pages of trees that have them, and with them all that is small.
    package var pages: Set<ObjectID> = []
  }

  private let repository: Repository
  private let history: History
  private let matches: (PathKey, Bool) -> Bool
  private var outcome = Outcome()
  private var facts: [Fact] = []
  /// Where history goes on behind snapshots that are gone.
  private var behind: [ObjectID: ObjectID] = [:]
  /// What became of snapshots that were written again before.
  private let successors: [ObjectID: ObjectID]
  private var pages: PageSearch

  package init(
    _ repository: Repository, folder: PackID,
    matching matches: @escaping (PathKey, _ isDirectory: Bool) -> Bool
  ) throws(FolderError) {
    self.repository = repository
    self.matches = matches
    history = try History(repository, folder: folder)
    successors = try onRepository { () throws(RepositoryError) in
      try repository.refLog.successors()
    }
    pages = PageSearch { ErasedPaths.goes($0, matches) }
  }

  /// Finds out what goes; changes nothing.
  package func plan() throws(FolderError) -> Outcome {
    try onRepository { () throws(RepositoryError) in try run(nil) }
    return outcome
  }

  /// Rewrites the history, and moves all refs of the folder: one operation, which can't be undone.
  ///
  /// `pattern`: for the record. Throws `.conflict` where a ref moved meanwhile.
  package func rewrite(
    pattern: String, uid: UInt32, at time: Timestamp
  ) throws(FolderError) -> Outcome {
    try onRepository { () throws(RepositoryError) in
      let session = try repository.beginSession()
      try run(session)
      if outcome.rewritten.isEmpty { return }
      var draft = RecordDraft(kind: "erase", summary: "erased \(pattern)")
      draft.moves = moves()
      draft.facts = facts
      draft.details = [(RestoreDetail.folder, history.refs.folder.hex), ("pattern", pattern)]
      draft.pid = ProcessSignals.processID
      draft.uid = uid
      _ = try session.commit(draft, at: time)
    }
    return outcome
  }

  private func run(_ session: WriteSession?) throws(RepositoryError) {
    var paths: Set<PathKey> = []
    var seen: Set<ObjectID> = []
    for head in try heads() {
      var erased = ErasedPaths(matches)
      for (id, snapshot) in try line(to: head, &seen) {
        let tree = Tree(root: snapshot.tree, objects: session ?? repository.objects)
        for entry in try erased.look(at: tree) {
          paths.insert(entry.key)
          try note(entry)
        }
        try pages.look(at: tree)
        if !erased.entries.isEmpty { outcome.snapshots += 1 }
        if let session { try rewrite(id, snapshot, tree, erased, session) }
      }
    }
    outcome.paths = paths.sorted()
    outcome.pages = pages.found
  }

  /// Where lines of history begin: what refs lead to, and what they led to before operations that can be
  /// undone.
  private func heads() throws(RepositoryError) -> [ObjectID] {
    let prefix = "folders/\(history.refs.folder.hex)/"
    var heads: [ObjectID] = []
    for (ref, value) in history.state.refs.sorted(by: { $0.key < $1.key }) {
      if ref.hasPrefix(prefix), case .id(let id) = value { heads.append(id) }
    }
    for operation in history.state.operations.reversed() {
      for move in operation.moves where move.ref.hasPrefix(prefix) {
        for case .id(let id)? in [move.old, move.new] {
          let present = successors[id] ?? id
          if try !isGone(present) { heads.append(present) }
        }
      }
    }
    return heads
  }

  /// The snapshots up to one, oldest first, that were not seen before.
  private func line(
    to head: ObjectID, _ seen: inout Set<ObjectID>
  ) throws(RepositoryError) -> [(ObjectID, Snapshot)] {
    var line: [(ObjectID, Snapshot)] = []
    var next: ObjectID? = head
    while let id = next, seen.insert(id).inserted {
      if id != head, try isGone(id) {
        next = try repository.refLog.predecessor(of: id).map { successors[$0] ?? $0 }
        if let next { behind[id] = next }
        continue
      }
      let snapshot = try Snapshot(decoding: try repository.objects.read(id, .snapshot), id: id)
      line.append((id, snapshot))
      next = snapshot.parent.map { successors[$0] ?? $0 }
    }
    return line.reversed()
  }

  /// Whether a snapshot is lost, or was given up by a collection, whatever is left of it.
  private func isGone(_ id: ObjectID) throws(RepositoryError) -> Bool {
    if try repository.refLog.isCollected(id) { return true }
    do throws(RepositoryError) {
      _ = try repository.objects.read(id, .snapshot)
      return false
    } catch {
      guard error.code == .notFound else { throw error }
      return true
    }
  }

  /// Notes what an entry's content consists of.
  private func note(_ entry: TreeEntry) throws(RepositoryError) {
    if case .object(let id) = entry.attributes { outcome.contents.insert(id) }
    guard entry.kind == .file else { return }
    if case .list(let id) = entry.content { outcome.contents.insert(id) }
    try ContentReader(repository.objects).forEachPart(of: entry.content, size: entry.size) { part in
      if case .chunk(let id) = part.source { outcome.contents.insert(id) }
    }
  }

  private func rewrite(
    _ id: ObjectID, _ old: Snapshot, _ tree: Tree, _ erased: ErasedPaths, _ session: WriteSession
  ) throws(RepositoryError) {
    let known = old.parent.map { successors[$0] ?? $0 }
    // What may be left of a snapshot that is gone would lead to the old ones before it.
    var before = known
    while let gone = before, let next = behind[gone] { before = next }
    let parent = before.flatMap { outcome.rewritten[$0] } ?? known
    if erased.entries.isEmpty && parent == old.parent { return }
    let left = erased.entries.isEmpty ? tree : try tree.applying(erased.batch(), to: session)
    var new = old
    new.tree = left.root
    new.parent = parent
    for entry in erased.entries.values {
      new.counts.entries -= 1
      if entry.kind == .file {
        new.counts.files -= 1
        new.counts.bytes -= Int(clamping: entry.size)
      }
    }
    func stays(_ key: PathKey) -> Bool { erased.entries[key] == nil }
    new.problems = old.problems.filter { stays($0.key) }
    new.uncovered = old.uncovered.filter(stays)
    new.hot = old.hot.filter(stays)
    try new.counts.countDifferences(of: left, from: try parentTree(of: new, session))
    let newID = try session.write(.snapshot, new.encoded)
    outcome.rewritten[id] = newID
    for (key, value) in try repository.refLog.facts(of: id).sorted(by: { $0.key < $1.key })
    where key != RefLog.rewrittenFact && !(key == RefLog.prunedFact && value.isEmpty) {
      facts.append(Fact(subject: newID, key: key, value: value))
    }
    facts.append(
      Fact(subject: newID, key: RefLog.rewrittenFact, value: Array(id.hex.utf8)))
  }

  private func parentTree(
    of snapshot: Snapshot, _ session: WriteSession
  ) throws(RepositoryError) -> Tree {
    guard let parent = snapshot.parent else { return try Tree.empty(session) }
    do throws(RepositoryError) {
      let bytes = try session.read(parent, .snapshot)
      return Tree(root: try Snapshot(decoding: bytes, id: parent).tree, objects: session)
    } catch {
      // Collected: what it was against is not known any more.
      guard error.code == .notFound else { throw error }
      return Tree(root: snapshot.tree, objects: session)
    }
  }

  /// All refs of the folder to where their snapshots are now.
  private func moves() -> [RefMove] {
    let refs = history.refs
    let prefix = "folders/\(refs.folder.hex)/"
    var moves: [RefMove] = []
    for (ref, value) in history.state.refs where ref.hasPrefix(prefix) {
      guard case .id(let old) = value, let new = outcome.rewritten[old] else { continue }
      if ref == refs.pin(old) {
        moves.append(RefMove(ref: ref, old: value, new: nil))
        moves.append(RefMove(ref: refs.pin(new), old: nil, new: .id(new)))
      } else {
        moves.append(RefMove(ref: ref, old: value, new: .id(new)))
      }
    }
    return moves
  }
}
