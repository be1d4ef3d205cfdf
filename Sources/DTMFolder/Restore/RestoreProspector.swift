internal import DTMRepository
internal import DTMSystem
internal import SystemPackage

/// What a restore would do, worked out against a tree of what is there.
struct Prospect {
  var plan: RestorePlan
  /// What each part goes to; one without a path for the whole folder.
  var targets: [(path: PathKey, snapshot: KnownSnapshot)]
  var unchanged: [PathKey]
  /// The snapshot that holds what is there.
  var before: ObjectID?
  /// Whether the versions were looked for.
  var isChosen: Bool
}

/// Works out what restores of a folder would do. Touches nothing.
struct RestoreProspector {
  let repository: Repository
  /// The folder's in the repository.
  let id: PackID
  /// The folder as it is open; nil where it is gone.
  let root: FolderRoot?

  private func history() throws(FolderError) -> History { try History(repository, folder: id) }

  /// The tree of a folder that is not there.
  func emptyTree() throws(FolderError) -> Tree {
    try onRepository { () throws(RepositoryError) in
      try Tree.empty(MemoryObjects(over: repository.objects))
    }
  }

  /// Works out which snapshots are wanted and what has to be done for them. Touches nothing.
  func prospect(
    _ request: RestoreRequest, from present: Tree, head: ObjectID?, before: ObjectID? = nil
  ) throws(FolderError) -> Prospect {
    let (targets, unchanged) = try targets(request, present, head: head)
    let selection = selection(targets)
    let differences = try selection.differences(from: present)
    var walker = root.map { DirectoryWalker($0) }
    var planner = RestorePlanner(
      keepsAdded: request.keepsAdded, isInPlace: request.isInPlace
    ) { [root] key in
      do throws(DirectoryObstacle) {
        guard let root, let directory = try walker?.open(key.parent ?? .root) else { return 0 }
        do throws(Errno) {
          return Int(try root.status(of: key.name, in: directory)?.links ?? 0)
        } catch { return 0 }
      } catch { return 0 }
    } present: { key throws(FolderError) in
      try onRepository { () throws(RepositoryError) in try present.entry(key) }
    } wanted: { key throws(FolderError) in
      try selection.wanted(key)
    }
    let name = Hex.string(SecureRandom.bytes(8))
    return Prospect(
      plan: try planner.plan(differences, name: name), targets: targets, unchanged: unchanged,
      before: before, isChosen: request.isChoice)
  }

  func selection(_ targets: [(path: PathKey, snapshot: KnownSnapshot)]) -> RestoreSelection {
    RestoreSelection(
      targets.map { target in
        RestoreSelection.Part(
          path: target.path,
          tree: Tree(root: target.snapshot.snapshot.tree, objects: repository.objects))
      })
  }

  /// What each path goes to; the root's for the whole folder.
  private func targets(
    _ request: RestoreRequest, _ present: Tree, head: ObjectID?
  ) throws(FolderError) -> ([(path: PathKey, snapshot: KnownSnapshot)], unchanged: [PathKey]) {
    switch request.target {
    case .versions(let versions): return (versions, [])
    case .snapshot(let known):
      if request.paths.isEmpty { return ([(.root, known)], []) }
      for path in request.paths { try checkHas(known, path, request) }
      return (request.paths.map { ($0, known) }, [])
    case .newest:
      let history = try history()
      guard let head else {
        throw FolderError(
          .notFound, "there is no snapshot on the branch \(history.currentBranch) yet",
          hint: "dtm snapshot takes one")
      }
      if request.paths.isEmpty { return ([(.root, try history.snapshot(head))], []) }
      return try newest(request.paths, present, history)
    }
  }

  private func newest(
    _ paths: [PathKey], _ present: Tree, _ history: History
  ) throws(FolderError) -> ([(path: PathKey, snapshot: KnownSnapshot)], unchanged: [PathKey]) {
    let finder = VersionFinder(history: history, objects: repository.objects)
    var targets: [(path: PathKey, snapshot: KnownSnapshot)] = []
    var unchanged: [PathKey] = []
    for path in paths {
      switch try finder.newest(path, differingFrom: present) {
      case .version(let known): targets.append((path, known))
      case .unchanged: unchanged.append(path)
      case .unknown:
        throw FolderError(
          .notFound,
          "no snapshot on the branch \(history.currentBranch) has \(Quoting.path(path.path))",
          path: path)
      }
    }
    return (targets, unchanged)
  }

  private func checkHas(
    _ known: KnownSnapshot, _ path: PathKey, _ request: RestoreRequest
  ) throws(FolderError) {
    // What is taken back may have been absent.
    if request.undoes != nil { return }
    let tree = Tree(root: known.snapshot.tree, objects: repository.objects)
    let entry = try onRepository { () throws(RepositoryError) in try tree.entry(path) }
    if entry == nil {
      throw FolderError(
        .notFound, "the snapshot \(known.id.short) has no \(Quoting.path(path.path))", path: path)
    }
  }
}

extension RestoreRequest {
  /// Whether the versions are looked for.
  var isChoice: Bool {
    if case .newest = target { return true }
    return false
  }
}

extension RestoreOutcome {
  /// Adds what is planned.
  func merging(_ prospect: Prospect) -> RestoreOutcome {
    var outcome = self
    outcome.snapshot = prospect.targets.map(\.snapshot).max { left, right in
      left.snapshot.time < right.snapshot.time
    }
    if prospect.isChosen { outcome.versions = prospect.targets }
    outcome.unchanged = prospect.unchanged
    outcome.written = prospect.plan.written
    outcome.removed = prospect.plan.removed
    outcome.metadata = prospect.plan.adjusted
    outcome.problems = prospect.plan.problems
    outcome.plan = prospect.plan.changes
    return outcome
  }
}
