internal import DTMFolder
internal import DTMRepository
internal import DTMSystem

/// Which snapshots `log` lists.
struct LogSelection {
  private let access: FolderAccess
  private let log: Log
  private let since: Timestamp?
  private let until: Timestamp?
  private let paths: [PathKey]

  init(_ log: Log, _ access: FolderAccess) throws {
    self.access = access
    self.log = log
    let invocation = access.invocation
    since = try log.since.map { try invocation.moment($0, option: "--since") }
    until = try log.until.map { try invocation.moment($0, option: "--until") }
    paths = try PathArguments(invocation, access.location).keys(log.path)
  }

  /// Calls `body` with each, newest first.
  func forEach(_ body: (SnapshotReport) throws -> Void) throws {
    var left = log.number ?? .max
    var failure: (any Error)?
    try forEachCandidate { known throws(FolderError) in
      if left == 0 { return false }
      do {
        let report = try access.report(known)
        if try fits(report) {
          left -= 1
          try body(report)
        }
        return left > 0
      } catch {
        // The walk's own errors are typed; this one is carried around it.
        failure = error
        return false
      }
    }
    if let failure { throw failure }
  }

  private func forEachCandidate(
    _ body: (KnownSnapshot) throws(FolderError) -> Bool
  ) throws {
    if log.all { return try forEachOfAll(body) }
    let history = access.history
    guard let name = log.branch else {
      return try history.forEachAncestor(of: history.head, body)
    }
    guard let head = history.branch(name) else {
      throw CommandFailure(
        .notFound, "there is no branch \(Quoting.path(Array(name.utf8)))",
        hint: "dtm branch lists them")
    }
    try history.forEachAncestor(of: head, body)
  }

  /// All that a branch or a tag leads to, by time.
  private func forEachOfAll(_ body: (KnownSnapshot) throws(FolderError) -> Bool) throws {
    let history = access.history
    var found: [ObjectID: KnownSnapshot] = [:]
    for (_, head) in history.branches + history.tags {
      try history.forEachAncestor(of: head) { known in
        found.updateValue(known, forKey: known.id) == nil
      }
    }
    let sorted = found.values.sorted { left, right in
      (right.snapshot.time, right.id) < (left.snapshot.time, left.id)
    }
    for known in sorted {
      if try !body(known) { return }
    }
  }

  private func fits(_ report: SnapshotReport) throws -> Bool {
    let snapshot = report.snapshot
    if let since, snapshot.time < since { return false }
    if let until, snapshot.time > until { return false }
    if !log.trigger.isEmpty, !log.trigger.contains(snapshot.trigger) { return false }
    if log.good, !report.isGood { return false }
    if log.flagged, !report.isFlagged { return false }
    if !log.stage.isEmpty, !log.stage.contains(report.labels["stage"] ?? "") { return false }
    if !log.runID.isEmpty, !log.runID.contains(report.labels["run_id"] ?? "") { return false }
    if log.label.contains(where: { report.labels[$0.key] != $0.value }) { return false }
    return try paths.isEmpty || changesPaths(snapshot)
  }

  private func changesPaths(_ snapshot: Snapshot) throws -> Bool {
    let new = Tree(root: snapshot.tree, objects: access.repository.objects)
    guard let parent = try snapshot.parent.flatMap({ try access.keptSnapshot($0) }) else {
      return try paths.contains { path in
        if path.isRoot { return true }
        return try new.entry(path) != nil
      }
    }
    let old = access.tree(of: parent)
    return try paths.contains { path in
      if !path.isRoot {
        let (before, after) = try (old.entry(path), new.entry(path))
        if Self.isChanged(before, after) { return true }
      }
      var isChanged = false
      try new.forEachDifference(from: old, beneath: path) { difference in
        isChanged = Self.isChanged(difference.old, difference.new)
        return !isChanged
      }
      return isChanged
    }
  }

  /// A directory's time alone is no change.
  private static func isChanged(_ old: TreeEntry?, _ new: TreeEntry?) -> Bool {
    guard var old, let new else { return (old == nil) != (new == nil) }
    if old.kind == .directory, new.kind == .directory { old.modified = new.modified }
    return old != new
  }
}
