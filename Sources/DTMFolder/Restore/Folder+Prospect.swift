internal import DTMRepository
internal import DTMSystem

extension Folder {
  /// The folder's snapshots and refs as they are now.
  package func history() throws(FolderError) -> History { try History(repository, folder: id) }

  var prospector: RestoreProspector {
    RestoreProspector(repository: repository, id: id, root: root)
  }

  /// The plan of a dry run.
  func planned(_ request: RestoreRequest) throws(FolderError) -> RestoreOutcome {
    let head = try history().head
    return RestoreOutcome().merging(
      try prospector.prospect(request, from: try working().tree, head: head))
  }

  /// What a restore is recorded as.
  func intent(
    _ request: RestoreRequest, _ prospect: Prospect, before: ObjectID?
  ) -> RestoreIntent {
    let targets = prospect.targets.map {
      RestoreIntent.Target(path: $0.path, snapshot: $0.snapshot.id)
    }
    return RestoreIntent(
      kind: request.kind,
      summary: request.summary.isEmpty ? Self.summary(request, targets) : request.summary,
      branch: request.branch, newBranchFrom: request.newBranchFrom, undoes: request.undoes,
      before: before, targets: targets, keepsAdded: request.keepsAdded, host: request.host,
      user: request.user, writerVersion: request.writerVersion)
  }

  private static func summary(
    _ request: RestoreRequest, _ targets: [RestoreIntent.Target]
  ) -> String {
    if let branch = request.branch { return "\(request.kind) \(branch)" }
    guard let first = targets.first else { return request.kind }
    if first.path.isRoot { return "\(request.kind) \(first.snapshot.short)" }
    let more = targets.count > 1 ? " and \(targets.count - 1) more" : ""
    return
      "\(request.kind) \(Quoting.path(first.path.path))\(more) at \(first.snapshot.short)"
  }
}
