package import DTMRepository
internal import DTMSystem

/// A snapshot with its id. A class: histories of thousands are sorted and handed on.
package final class KnownSnapshot: Sendable {
  /// The snapshot as an object, and what it decodes to.
  package let id: ObjectID
  package let snapshot: Snapshot

  package init(id: ObjectID, snapshot: Snapshot) {
    self.id = id
    self.snapshot = snapshot
  }
}

/// The snapshots of one folder: branches, tags, ancestors, and finding one by name.
package struct History {
  /// The names of the folder's refs, and all refs as they were when this was made.
  package let refs: FolderRefs
  package let state: RefLogState
  let repository: Repository

  /// Looks at the refs as they are now.
  package init(_ repository: Repository, folder: PackID) throws(FolderError) {
    self.repository = repository
    refs = FolderRefs(folder)
    state = try onRepository { () throws(RepositoryError) in try repository.refresh() }
  }

  /// The branch that new snapshots go to.
  package var currentBranch: String {
    if case .name(let name) = state.refs[refs.head] { return name }
    return "main"
  }

  /// The newest snapshot of the current branch; nil before the first.
  package var head: ObjectID? { branch(currentBranch) }

  /// The newest snapshot of a branch; nil for a branch that is not there, or has none yet.
  package func branch(_ name: String) -> ObjectID? { id(refs.branch(name)) }

  /// The snapshot that a tag names; nil where there is no such tag.
  package func tag(_ name: String) -> ObjectID? { id(refs.tag(name)) }

  /// All branches of the folder with their newest snapshots, by name.
  package var branches: [(name: String, snapshot: ObjectID)] { ids(under: refs.branches) }

  /// All tags of the folder with what they name, by name.
  package var tags: [(name: String, snapshot: ObjectID)] { ids(under: refs.tags) }

  /// Whether a snapshot is never to be pruned.
  package func isPinned(_ snapshot: ObjectID) -> Bool { state.refs[refs.pin(snapshot)] != nil }

  private func id(_ ref: String) -> ObjectID? {
    if case .id(let id) = state.refs[ref] { return id }
    return nil
  }

  func ids(under prefix: String) -> [(name: String, snapshot: ObjectID)] {
    var found: [(name: String, snapshot: ObjectID)] = []
    for (ref, value) in state.refs {
      if ref.hasPrefix(prefix), case .id(let id) = value {
        found.append((String(ref.dropFirst(prefix.count)), id))
      }
    }
    return found.sorted { $0.name < $1.name }
  }

  /// A snapshot by its whole id. Throws `.notFound` when it is none, `.corrupt` when damaged.
  package func snapshot(_ id: ObjectID) throws(FolderError) -> KnownSnapshot {
    try onRepository { () throws(RepositoryError) in
      let bytes = try repository.objects.read(id, .snapshot)
      return KnownSnapshot(id: id, snapshot: try Snapshot(decoding: bytes, id: id))
    }
  }

  /// What was learnt about a snapshot after it was made: the newest value of each key. What is learnt after
  /// this history was looked at may be missing.
  package func facts(of id: ObjectID) throws(FolderError) -> [String: [UInt8]] {
    try onRepository { () throws(RepositoryError) in
      try repository.refLog.facts(of: id, asOf: state.sequence)
    }
  }

  /// Whether there are checks of a snapshot, and each passed.
  func isGood(_ id: ObjectID) throws(FolderError) -> Bool {
    let checks = try facts(of: id).filter { $0.key.hasPrefix("check:") }
    return !checks.isEmpty && checks.allSatisfy { $0.value.elementsEqual("pass".utf8) }
  }

  /// The labels of a snapshot and the rules that fired for it: those it was made with, and those that it was
  /// given since.
  package func marks(
    of known: KnownSnapshot
  ) throws(FolderError) -> (labels: [String: String], rules: [String]) {
    var (labels, rules) = (known.snapshot.labels, known.snapshot.rules)
    for (key, value) in try facts(of: known.id) {
      if key.hasPrefix("label:") {
        labels[String(key.dropFirst("label:".count))] = String(decoding: value, as: UTF8.self)
      } else if key.hasPrefix("rule:") {
        rules.append(String(key.dropFirst("rule:".count)))
      }
    }
    return (labels, rules)
  }

  /// Whether some check of a snapshot did not pass.
  package func isBad(_ id: ObjectID) throws(FolderError) -> Bool {
    try facts(of: id).contains {
      $0.key.hasPrefix("check:") && !$0.value.elementsEqual("pass".utf8)
    }
  }

  /// Whether a snapshot was taken away on purpose. Its content may still be there.
  package func isPruned(_ id: ObjectID) throws(FolderError) -> Bool {
    try onRepository { () throws(RepositoryError) in
      try repository.refLog.isPruned(id, asOf: state.sequence)
    }
  }

  /// Calls `body` with a snapshot and its ancestors that are still kept, newest first, until it
  /// returns false. Pruned ones are passed over, collected or not. An ancestor that is lost or damaged is
  /// passed over where the ref log knows what came before it; `dtm verify` names it.
  package func forEachAncestor(
    of id: ObjectID?, _ body: (KnownSnapshot) throws(FolderError) -> Bool
  ) throws(FolderError) {
    var next = id
    while let current = next {
      let known: KnownSnapshot
      do throws(FolderError) { known = try snapshot(current) } catch {
        guard current != id, error.code == .notFound || error.code == .corrupt else { throw error }
        next = try onRepository { () throws(RepositoryError) in
          try repository.refLog.predecessor(of: current, asOf: state.sequence)
        }
        continue
      }
      next = known.snapshot.parent
      if current != id, try isPruned(current) { continue }
      if try !body(known) { return }
    }
  }

  /// The snapshots that were written again, without what was erased, by the hex digits of their old ids.
  package func rewritten(prefix: String) throws(FolderError) -> [KnownSnapshot] {
    let (olds, successors) = try onRepository { () throws(RepositoryError) in
      (try repository.refLog.rewritten(prefix: prefix), try repository.refLog.successors())
    }
    var known: [KnownSnapshot] = []
    for (old, _) in olds {
      guard let newest = successors[old] else { continue }
      let snapshot = try snapshot(newest)
      if snapshot.snapshot.folder == refs.folder { known.append(snapshot) }
    }
    return known
  }

  /// The ids of snapshots that begin with hex digits, in order.
  package func snapshots(prefix: String) throws(FolderError) -> [KnownSnapshot] {
    let ids = try onRepository { () throws(RepositoryError) in
      try repository.snapshotIDs(prefix: prefix)
    }
    var found: [KnownSnapshot] = []
    for id in ids {
      // What is left of it is no snapshot any more.
      let isCollected = try onRepository { () throws(RepositoryError) in
        try repository.refLog.isCollected(id, asOf: state.sequence)
      }
      if isCollected { continue }
      let known = try snapshot(id)
      if known.snapshot.folder == refs.folder { found.append(known) }
    }
    return found
  }
}
