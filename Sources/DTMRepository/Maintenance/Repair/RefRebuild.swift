internal import DTMSystem

/// Refs from what the ref log still says and from the snapshots in the packs, which name folder, branch,
/// parent and time.
struct RefRebuild {
  private(set) var refs: [String: RefValue]
  private(set) var changes: [RepairReport.RefChange] = []

  /// Snapshots of one branch of one folder.
  private struct Line: Hashable {
    let folder: PackID
    let branch: String

    var ref: String { FolderRefs(folder).branch(branch) }
  }

  private let snapshots: [ObjectID: Snapshot]
  private let lines: [Line: [ObjectID]]
  /// The snapshots of a branch whose parent, on the same branch, is the key.
  private let children: [ObjectID: [ObjectID]]

  /// `refs`: as they are known.
  init(_ refs: [String: RefValue], _ snapshots: [ObjectID: Snapshot]) {
    self.refs = refs
    self.snapshots = snapshots
    var lines: [Line: [ObjectID]] = [:]
    var children: [ObjectID: [ObjectID]] = [:]
    for (id, snapshot) in snapshots {
      lines[Line(folder: snapshot.folder, branch: snapshot.branch), default: []].append(id)
      if let parent = snapshot.parent, let before = snapshots[parent],
        before.branch == snapshot.branch, before.folder == snapshot.folder
      {
        children[parent, default: []].append(id)
      }
    }
    self.lines = lines
    self.children = children
  }

  // MARK: - After the log's end was lost

  /// Moves branches on to what came after, and brings back those that the log does not tell of.
  mutating func extend(_ known: RefLogSalvage.Knowledge) {
    for line in lines.keys.sorted(by: { $0.ref < $1.ref }) {
      if case .id(let head) = refs[line.ref] {
        let following = newest(from: head)
        if let beyond = newest(of: line, beyond: following, known) {
          change(line.ref, to: .id(beyond), "the newest snapshot of the branch, behind a lost one")
        } else if following != head {
          change(line.ref, to: .id(following), "the newest snapshot in the packs that follows it")
        }
        continue
      }
      guard refs[line.ref] == nil, !known.mentioned.contains(line.ref),
        let head = newest(of: line), let time = snapshots[head]?.time
      else { continue }
      // One that a checkpoint does not know, and that is older, was taken away before.
      if let checkpoint = known.checkpointTime, time < checkpoint { continue }
      change(line.ref, to: .id(head), "the newest snapshot of the branch in the packs")
    }
    restoreHeads()
  }

  /// Each folder with a branch has a HEAD: where none is known, the branch of its newest snapshot.
  private mutating func restoreHeads() {
    for folder in Set(lines.keys.map(\.folder)).sorted() {
      let names = FolderRefs(folder)
      if refs[names.head] != nil { continue }
      var found: (branch: String, id: ObjectID)?
      for line in lines.keys where line.folder == folder && refs[line.ref] != nil {
        guard let id = newest(of: line) else { continue }
        if let best = found, !isBefore(best.id, id) { continue }
        found = (line.branch, id)
      }
      guard let found else { continue }
      change(names.head, to: .name(found.branch), "the branch of the newest snapshot")
    }
  }

  // MARK: - After snapshots were lost

  /// Takes branches whose newest snapshot is lost back to the newest one that is there.
  mutating func settleHeads() {
    for (ref, value) in refs.sorted(by: { $0.key < $1.key }) {
      guard case .id(let head) = value, snapshots[head] == nil, let line = Self.line(ref) else {
        continue
      }
      if let newest = newest(of: line) {
        change(ref, to: .id(newest), "the newest snapshot of the branch that is left")
      } else {
        change(ref, to: nil, "no snapshot of the branch is left")
      }
    }
  }

  /// For each snapshot that is named as a parent and is not there: what came before it on the branch of
  /// its first child, where that is the end of a line itself; so that history goes on there.
  var lostParents: [(lost: ObjectID, predecessor: ObjectID)] {
    var firstChild: [ObjectID: ObjectID] = [:]
    for (id, snapshot) in snapshots {
      guard let parent = snapshot.parent, snapshots[parent] == nil else { continue }
      if let known = firstChild[parent], isBefore(known, id) { continue }
      firstChild[parent] = id
    }
    var found: [(lost: ObjectID, predecessor: ObjectID)] = []
    for (lost, child) in firstChild.sorted(by: { $0.key < $1.key }) {
      guard let snapshot = snapshots[child] else { continue }
      let line = Line(folder: snapshot.folder, branch: snapshot.branch)
      let before = lines[line]?.filter { children[$0] == nil && isBefore($0, child) }
      if let nearest = before?.max(by: isBefore) { found.append((lost, nearest)) }
    }
    return found
  }

  private static func line(_ ref: String) -> Line? {
    let parts = ref.split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false)
    guard parts.count == 4, parts[0] == "folders", parts[2] == "branches",
      let folder = PackID(hex: String(parts[1]))
    else { return nil }
    return Line(folder: folder, branch: String(parts[3]))
  }

  // MARK: - Choosing

  private mutating func change(_ ref: String, to new: RefValue?, _ reason: String) {
    changes.append(RepairReport.RefChange(ref: ref, old: refs[ref], new: new, reason: reason))
    refs[ref] = new
  }

  private func isBefore(_ left: ObjectID, _ right: ObjectID) -> Bool {
    guard let first = snapshots[left]?.time, let second = snapshots[right]?.time else {
      return left < right
    }
    return first == second ? left < right : first < second
  }

  /// The newest of a branch that no other of the branch has as its parent.
  private func newest(of line: Line) -> ObjectID? {
    lines[line]?.filter { children[$0] == nil }.max(by: isBefore)
  }

  /// The newest end of a branch that a lost snapshot parts from what its ref is known to be at: newer
  /// than that, and of a time of which no record tells.
  private func newest(
    of line: Line, beyond head: ObjectID, _ known: RefLogSalvage.Knowledge
  ) -> ObjectID? {
    lines[line]?.filter { end in
      guard children[end] == nil, isBefore(head, end) else { return false }
      var next: ObjectID? = end
      while let id = next, let snapshot = snapshots[id] {
        if known.targets.contains(id) { return false }
        next = snapshot.parent
      }
      // Nil: it began a history of its own.
      return next != nil
    }
    .max(by: isBefore)
  }

  /// The newest of the branch that comes after a snapshot and that no other has as its parent; the
  /// snapshot itself where none does.
  private func newest(from head: ObjectID) -> ObjectID {
    var best = head
    var queue = children[head] ?? []
    while let id = queue.popLast() {
      if let next = children[id] {
        queue += next
      } else if best == head || isBefore(best, id) {
        best = id
      }
    }
    return best
  }
}

extension PackReader {
  /// Every snapshot in the packs that can be read, whether a ref reaches it or not.
  func allSnapshots() throws(RepositoryError) -> [ObjectID: Snapshot] {
    var ids: Set<ObjectID> = []
    for handle in catalog.allPacks() where handle.kind == .metadata {
      do throws(RepositoryError) {
        try handle.file(files).forEachFrame { _, header in
          for row in header.rows where row.kind == .snapshot { ids.insert(row.id) }
        }
      } catch {
        guard error.code == .corrupt || error.code == .notFound else { throw error }
      }
    }
    var found: [ObjectID: Snapshot] = [:]
    for id in ids.sorted() {
      do throws(RepositoryError) {
        found[id] = try Snapshot(decoding: try read(id, .snapshot), id: id)
      } catch {
        guard error.code == .corrupt || error.code == .notFound else { throw error }
      }
    }
    return found
  }
}
