package import DTMRepository
package import DTMSystem

/// What an archive is recorded with.
package struct ImportRequest: Sendable {
  /// Each import of a branch has the one before as its parent.
  package var branch = "imported"
  package var message = ""
  package var labels: [String: String] = [:]
  package var tags: [String] = []
  /// Another time than now.
  package var time: Timestamp?
  package var host = ""
  package var user = ""
  package var writerVersion = ""

  /// A branch of its own, and nothing more.
  package init() {}
}

/// Records an archive's content as a snapshot, on a branch that the folder is not on; the folder
/// stays as it is.
package struct ArchiveImport {
  private let repository: Repository
  private let folder: PackID
  private let time: any TimeSource
  private let progress: WorkProgress

  /// `folder`: whose history the snapshot is part of.
  package init(
    _ repository: Repository, folder: PackID, time: any TimeSource, progress: WorkProgress
  ) {
    self.repository = repository
    self.folder = folder
    self.time = time
    self.progress = progress
  }

  /// Reads the archive whole; after return the snapshot is durable.
  ///
  /// What can't be taken from it is a problem of the snapshot. Throws `.corrupt` for what is no archive
  /// or is cut off, `.invalidInput` for the folder's own branch, `.conflict` where the branch was moved
  /// meanwhile: then nothing is recorded.
  package func run(
    _ source: ArchiveSource, _ request: ImportRequest
  ) throws(FolderError) -> SnapshotOutcome {
    let started = time.monotonic()
    let history = try History(repository, folder: folder)
    if request.branch == history.currentBranch {
      throw FolderError(
        .invalidInput, "\(request.branch) is the branch of the folder, whose states it holds",
        hint: "name another branch; dtm restore brings a state of it into the folder")
    }
    let parent = try history.branch(request.branch).map { id throws(FolderError) in
      try history.snapshot(id)
    }
    let session = try onRepository { () throws(RepositoryError) in
      try repository.beginSession()
    }
    let identity = ThreadIdentity.current
    var entries = ArchiveTree(
      session, progress: progress,
      owner: (Self.user(identity.uid), Self.group(identity.gid)))
    try entries.read(source)
    let (tree, problems) = try entries.finish()
    var snapshot = Snapshot(
      tree: tree.root, parent: parent?.id, branch: request.branch,
      time: request.time ?? time.now(), trigger: "manual", basis: .full, folder: folder)
    snapshot.message =
      request.message.isEmpty ? "import \(source.name)" : request.message
    snapshot.labels = request.labels
    snapshot.host = request.host
    snapshot.user = request.user
    snapshot.writerVersion = request.writerVersion
    snapshot.problems = problems
    snapshot.counts = try counts(tree, parent, session)
    return try commit(snapshot, request, parent?.id, session, started)
  }

  private static func user(_ id: UInt32) -> Owner {
    Owner(id: id, name: Array((UserDirectory.name(ofUser: id) ?? "").utf8))
  }

  private static func group(_ id: UInt32) -> Owner {
    Owner(id: id, name: Array((UserDirectory.name(ofGroup: id) ?? "").utf8))
  }

  private func counts(
    _ tree: Tree, _ parent: KnownSnapshot?, _ session: WriteSession
  ) throws(FolderError) -> Snapshot.Counts {
    var counts = Snapshot.Counts()
    try onRepository { () throws(RepositoryError) in
      let totals = try tree.totals(of: .root)
      counts.bytes = Int(clamping: totals.bytes)
      counts.entries = totals.entries
      try tree.forEach(beneath: .root) { entry in
        if entry.kind == .file { counts.files += 1 }
        return true
      }
      let before: Tree
      if let parent {
        before = Tree(root: parent.snapshot.tree, objects: session)
      } else {
        before = try Tree.empty(MemoryObjects(over: session))
      }
      try counts.countDifferences(of: tree, from: before)
    }
    return counts
  }

  private func commit(
    _ snapshot: Snapshot, _ request: ImportRequest, _ parent: ObjectID?, _ session: WriteSession,
    _ started: Duration
  ) throws(FolderError) -> SnapshotOutcome {
    let refs = FolderRefs(folder)
    return try onRepository { () throws(RepositoryError) in
      let id = try session.write(.snapshot, snapshot.encoded)
      // The record says how much was stored.
      try session.flush()
      let duration = time.monotonic() - started
      var draft = RecordDraft(kind: "import", summary: snapshot.message)
      draft.moves = [
        RefMove(ref: refs.branch(request.branch), old: parent.map { .id($0) }, new: .id(id))
      ]
      for tag in request.tags {
        draft.moves.append(RefMove(ref: refs.tag(tag), old: nil, new: .id(id)))
      }
      draft.facts = [
        Fact(
          subject: id, key: RefLog.durationFact, value: Array(String(duration.microseconds).utf8)),
        Fact(
          subject: id, key: "storedBytes", value: Array(String(session.storedBytes).utf8)),
      ]
      draft.pid = ProcessSignals.processID
      draft.uid = ThreadIdentity.current.uid
      _ = try session.commit(draft, at: time.now())
      return SnapshotOutcome(
        id: id, snapshot: snapshot, wasCreated: true, duration: duration,
        storedBytes: session.storedBytes,
        facts: Dictionary(draft.facts.map { ($0.key, $0.value) }) { $1 }, nested: [],
        problems: snapshot.problems, uncovered: [], hot: [], untold: [])
    }
  }
}
