package import DTMRepository
package import DTMSystem

/// What a retention policy makes of a folder's history.
package struct PrunePlan: Sendable {
  /// A snapshot, and why it stays; none: it goes.
  package struct Verdict: Sendable {
    package let known: KnownSnapshot
    package let reasons: [String]

    package init(known: KnownSnapshot, reasons: [String]) {
      self.known = known
      self.reasons = reasons
    }
  }

  /// Newest first.
  package let kept: [Verdict]
  /// Newest first.
  package let pruned: [Verdict]

  package init(kept: [Verdict], pruned: [Verdict]) {
    self.kept = kept
    self.pruned = pruned
  }
}

extension History {
  /// Tells for every snapshot that a branch or tag leads to whether it stays.
  ///
  /// `rule`: why each of a branch's snapshots stays, given their times, newest first; the same number of
  /// answers. Each branch is a line of its own, and a snapshot stays that any of them keeps, or that is
  /// the newest of a branch, tagged, pinned, or the newest good one. Reads each snapshot once.
  package func prunePlan(
    _ rule: ([Timestamp]) -> [[String]]
  ) throws(FolderError) -> PrunePlan {
    var all: [ObjectID: KnownSnapshot] = [:]
    var reasons = holds
    func add(_ reason: String, _ id: ObjectID) {
      if reasons[id]?.contains(reason) != true { reasons[id, default: []].append(reason) }
    }
    for (_, head) in branches {
      var line: [KnownSnapshot] = []
      try forEachAncestor(of: head) { known in
        line.append(known)
        all[known.id] = known
        return true
      }
      for (known, found) in zip(line, rule(line.map(\.snapshot.time))) {
        for reason in found { add(reason, known.id) }
      }
    }
    for (_, id) in tags {
      try forEachAncestor(of: id) { known in all.updateValue(known, forKey: known.id) == nil }
    }
    let sorted = all.values.sorted { left, right in
      (right.snapshot.time, right.id) < (left.snapshot.time, left.id)
    }
    for known in sorted where try isGood(known.id) {
      add("the newest good one", known.id)
      break
    }
    let verdicts = sorted.map {
      PrunePlan.Verdict(known: $0, reasons: reasons[$0.id] ?? [])
    }
    return PrunePlan(
      kept: verdicts.filter { !$0.reasons.isEmpty }, pruned: verdicts.filter(\.reasons.isEmpty))
  }

  /// The snapshots that nothing takes away, and what holds each.
  package var holds: [ObjectID: [String]] {
    var holds: [ObjectID: [String]] = [:]
    for (name, id) in branches { holds[id, default: []].append("the newest of \(name)") }
    for (name, id) in tags { holds[id, default: []].append("tagged \(name)") }
    for (_, id) in ids(under: refs.pins) { holds[id, default: []].append("pinned") }
    return holds
  }

  /// Takes snapshots away: history passes over them, and `undo` brings them back. Their content stays. On a
  /// full disk it takes the reserve's room.
  ///
  /// `kind`: `prune` or `forget`; `why`: not empty, kept with each. Returns the operation's number.
  package func prune(
    _ snapshots: [ObjectID], kind: String = "prune", summary: String? = nil,
    why: String = "policy", uid: UInt32, at time: Timestamp
  ) throws(FolderError) -> UInt64 {
    let count = snapshots.count == 1 ? "1 snapshot" : "\(snapshots.count) snapshots"
    var draft = RecordDraft(kind: kind, summary: summary ?? "pruned \(count)")
    draft.facts = snapshots.map {
      Fact(subject: $0, key: RefLog.prunedFact, value: Array(why.utf8))
    }
    draft.details = [(RestoreDetail.folder, refs.folder.hex)]
    draft.pid = ProcessSignals.processID
    draft.uid = uid
    let record = draft
    return try onRepository { () throws(RepositoryError) in
      try repository.onFullDisk { () throws(RepositoryError) in
        try repository.beginSession().commit(record, at: time).sequence
      }
    }
  }
}
