package import DTMRepository
package import DTMSystem

/// Taking away what no rule keeps.
package struct Pruning {
  /// What stays, and what went.
  package let plan: PrunePlan
  /// The operation that took it away; nil where nothing was.
  package let operation: UInt64?

  /// Prunes a folder's history.
  ///
  /// `rule`: why each of a branch's snapshots stays, see `History.prunePlan`. `isDryRun`: only plans.
  package init(
    _ repository: Repository, folder: PackID, isDryRun: Bool = false, uid: UInt32,
    at time: Timestamp, rule: ([Timestamp]) -> [[String]]
  ) throws(FolderError) {
    let history = try History(repository, folder: folder)
    plan = try history.prunePlan(rule)
    if isDryRun || plan.pruned.isEmpty {
      operation = nil
      return
    }
    let ids = plan.pruned.map(\.known.id)
    let count = ids.count == 1 ? "1 snapshot" : "\(ids.count) snapshots"
    var draft = history.pruning(ids, kind: "prune", summary: "pruned \(count)", why: "policy")
    draft.pid = ProcessSignals.processID
    draft.uid = uid
    let committed = draft
    operation = try onRepository { () throws(RepositoryError) in
      try repository.onFullDisk { () throws(RepositoryError) in
        try repository.beginSession().commit(committed, at: time).sequence
      }
    }
  }
}
