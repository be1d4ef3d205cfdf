internal import DTMConfiguration
internal import DTMControl
internal import DTMFolder
internal import DTMRepository
internal import DTMRules
internal import DTMSystem
internal import DTMWatch
internal import SystemPackage

/// One folder and its repository, as the daemon uses them; on the folder's thread alone.
final class RepositoryEngine: FolderEngine {
  private let configuration: FolderConfiguration
  let location: FolderLocation
  let repository: Repository
  let id: PackID
  private let user: String
  private let host: String
  private let rules: ExclusionRules
  let environment: CaptureEnvironment
  private var stages: StageLog
  /// Open on the directory that is at the folder's path; nil before the first use, and when that
  /// failed.
  private var folder: Folder?

  /// Opens the repository and takes the capture lock. Throws `.locked`, `.unavailable`.
  init(
    _ configuration: FolderConfiguration, _ location: FolderLocation, progress: WorkProgress
  ) throws(FolderEngineError) {
    self.configuration = configuration
    self.location = location
    rules = ExclusionRules(patterns: configuration.ignore)
    var environment = CaptureEnvironment.system()
    environment.progress = progress
    self.environment = environment
    let uid = ThreadIdentity.current.uid
    user = UserDirectory.name(ofUser: uid) ?? "\(uid)"
    host = ProcessPlace.hostName
    do throws(RepositoryError) {
      repository = try Repository(at: location.repository)
    } catch {
      throw FolderEngineError(FolderError(error, "repository \(Quoting.path(location.repository))"))
    }
    id = try RepositoryEngine.folderID(location, repository)
    stages = StageLog(folder: id)
    try openFolder()
    do throws(FolderError) {
      let history = try History(repository, folder: id)
      if let head = history.head { try learnIgnoreFiles(of: history.snapshot(head).snapshot) }
    } catch {
      throw FolderEngineError(error)
    }
  }

  var exclusion: @Sendable (PathKey, Bool) -> Bool {
    let rules = rules
    return { key, isDirectory in rules.excludes(key, isDirectory: isDirectory) }
  }

  var checks: @Sendable (ProgramStarter, SharedFlag) throws -> any SnapshotChecks {
    let (configuration, location, id) = (configuration, location, id)
    return { starter, isStopping in
      try RepositoryChecks(
        configuration, location, id: id, starter: starter, isStopping: isStopping)
    }
  }

  var upkeep: @Sendable (SharedFlag) throws(FolderEngineError) -> UpkeepReport {
    let (keep, location, id, time) = (configuration.keep, location, id, environment.time)
    return { isStopping throws(FolderEngineError) in
      try RepositoryUpkeep(keep, location, id: id, time: time, isStopping: isStopping).run()
    }
  }

  func newestSnapshot() throws(FolderEngineError) -> SnapshotSummary? {
    do throws(FolderError) {
      let history = try History(repository, folder: id)
      guard let head = history.head else { return nil }
      return SnapshotSummary(head, try history.snapshot(head).snapshot)
    } catch {
      throw FolderEngineError(error)
    }
  }

  func capture(_ order: CaptureOrder) throws(FolderEngineError) -> CaptureResult {
    let folder = try openFolder()
    // A scan remembers every entry for a while; what events bring is little.
    defer { if order.basis != .events { ProcessMemory.trim() } }
    do throws(FolderError) {
      let outcome = try folder.snapshot(try request(order))
      if outcome.wasCreated, order.basis != .events, let snapshot = outcome.snapshot {
        try learnIgnoreFiles(of: snapshot)
      }
      return result(outcome, order)
    } catch {
      throw FolderEngineError(error)
    }
  }

  func isOpenForWriting(_ files: [PathKey]) -> Bool {
    guard let folder else { return true }
    return folder.isOpenForWriting(files)
  }

  func takingPart(_ keys: [PathKey], areDirectories: Bool) -> [PathKey] {
    folder?.takingPart(keys, areDirectories: areDirectories) ?? keys
  }

  func audit(
    after cursor: PathKey?, clock: String, limit: Int
  ) throws(FolderEngineError) -> AuditPart {
    let folder = try openFolder()
    do throws(FolderError) {
      return try folder.audit(after: cursor, clock: clock, limit: limit)
    } catch {
      throw FolderEngineError(error)
    }
  }

  func confirm(
    _ suspects: [AuditSuspect], clock: String
  ) throws(FolderEngineError) -> AuditVerdict {
    let folder = try openFolder()
    do throws(FolderError) {
      return try folder.confirm(suspects, clock: clock)
    } catch {
      throw FolderEngineError(error)
    }
  }

  func decide(_ wish: StageWish) throws(FolderEngineError) -> StageDecision {
    do throws(FolderError) {
      try stages.refresh(repository)
      return try stages.decide(wish, freshRun: RunID.fresh(at: environment.time.now()))
    } catch {
      let code: FolderEngineError.Code? =
        switch error.code {
        case .exists: .stageEnded
        case .notFound: .noStage
        default: nil
        }
      guard let code else { throw FolderEngineError(error) }
      throw FolderEngineError(code, error.message)
    }
  }

  func snapshot(_ id: ObjectID) throws(FolderEngineError) -> SnapshotSummary {
    do throws(FolderError) {
      let history = try History(repository, folder: self.id)
      return SnapshotSummary(id, try history.snapshot(id).snapshot)
    } catch {
      throw FolderEngineError(error)
    }
  }

  /// Appends a record of the daemon's own, of which nothing is stored beside.
  func commit(_ record: RecordDraft) throws(FolderError) {
    var draft = record
    draft.pid = ProcessSignals.processID
    draft.uid = ThreadIdentity.current.uid
    do throws(RepositoryError) {
      _ = try repository.beginSession().commit(draft, at: environment.time.now())
    } catch {
      throw FolderError(error)
    }
  }

  func close() {
    folder?.release()
    folder = nil
  }

  // MARK: - The folder

  /// The folder at the path, opened anew where another directory stands there since.
  @discardableResult
  private func openFolder() throws(FolderEngineError) -> Folder {
    do throws(FolderError) {
      if let folder, isAtPath(folder) { return folder }
      close()
      let folder = try Folder(
        at: location.folder, id: id, repository: repository,
        repositoryPath: location.repository, ignoring: configuration.ignore,
        together: configuration.together,
        environment: environment)
      try folder.hold()
      self.folder = folder
      return folder
    } catch {
      throw FolderEngineError(error)
    }
  }

  private func isAtPath(_ folder: Folder) -> Bool {
    do throws(Errno) {
      let now = try Descriptor.open(location.folder, [.path, .directory]).status()
      return now.inode == folder.root.status.inode && now.device == folder.root.status.device
    } catch {
      return false
    }
  }

  /// The folder that the location names, else the repository's only one.
  private static func folderID(
    _ location: FolderLocation, _ repository: Repository
  ) throws(FolderEngineError) -> PackID {
    if let id = location.folderID { return id }
    let refs: RefLogState
    do throws(RepositoryError) {
      refs = try repository.refresh()
    } catch {
      throw FolderEngineError(FolderError(error))
    }
    // folders/<id>/… (format: The ref log)
    let ids = Set(
      refs.refs.keys.compactMap { name -> String? in
        let parts = name.split(separator: "/", maxSplits: 2)
        return parts.count == 3 && parts[0] == "folders" ? String(parts[1]) : nil
      })
    guard ids.count == 1, let id = ids.first.flatMap({ PackID(hex: $0) }) else {
      throw FolderEngineError(
        .unavailable,
        "the repository \(Quoting.path(location.repository)) holds \(ids.count) folders;"
          + " dtm init in the folder says which one it is")
    }
    return id
  }

  /// Finds out whether some ignore file may take the configuration's patterns back.
  private func learnIgnoreFiles(of snapshot: Snapshot) throws(FolderError) {
    if !rules.hasPatterns { return }
    var isFound = false
    do throws(RepositoryError) {
      let tree = Tree(root: snapshot.tree, objects: repository.objects)
      try tree.forEach(beneath: nil) { entry in
        isFound = entry.key.name == IgnoreScope.fileName
        return !isFound
      }
    } catch {
      throw FolderError(error)
    }
    rules.setIgnoreFiles(areThere: isFound)
  }

  // MARK: - Orders and results

  private func request(
    _ order: CaptureOrder
  ) throws(FolderError) -> DTMFolder.SnapshotRequest {
    let basis: Snapshot.Basis =
      switch order.basis {
      case .events: .events
      case .scan: .scan
      case .full: .full
      }
    let changes = ChangeSet(
      basis: basis, baseClock: order.changes.baseClock, endClock: order.changes.endClock,
      paths: order.changes.marks.map { mark in
        (key: mark.key, scope: mark.scope == .subtree ? .subtree : .entry)
      },
      hot: order.changes.hot, uncovered: order.changes.uncovered.map(\.key))
    var request = DTMFolder.SnapshotRequest(changes, trigger: order.trigger.rawValue)
    request.rules = order.rules
    request.message = order.message
    request.labels = order.labels
    request.tags = order.tag.map { [$0] } ?? []
    request.isPinned = order.isPinned
    request.facts = order.facts
    if !order.note.marks.isEmpty {
      request.facts[RuleFacts.fired] = RuleMemory.encoded(order.note.marks)
    }
    if !order.note.tags.isEmpty {
      request.tags += try RuleFacts.free(order.note.tags, in: History(repository, folder: id))
    }
    request.isTold = told(order)
    request.ifChanged = !order.isForced
    request.ignoresHotLimit = order.trigger.isExplicit || order.trigger == .rule
    request.time = order.time
    request.host = host
    request.user = order.user.map { UserDirectory.name(ofUser: $0) ?? "\($0)" } ?? user
    request.writerVersion = ProgramVersion.current
    request.patience = .zero
    return request
  }

  /// Whether an event told of a path; nil where that says nothing of what a scan finds, as the watcher knew
  /// nothing, or what takes part has become another.
  private func told(_ order: CaptureOrder) -> (@Sendable (PathKey) -> Bool)? {
    let set = order.changes
    guard order.basis != .events, set.basis == .events else { return nil }
    let reaches = [Array(FolderLocation.repositoryName.utf8), IgnoreScope.fileName]
    let isAboutParticipation = set.marks.contains { mark in
      mark.key.components.contains { reaches.contains($0) }
    }
    if isAboutParticipation { return nil }
    return { set.covers($0) }
  }

  private func result(
    _ outcome: DTMFolder.SnapshotOutcome, _ order: CaptureOrder
  ) -> CaptureResult {
    var result = CaptureResult(snapshot: nil, isCreated: outcome.wasCreated)
    result.isExclusionChanged = rules.takeChange()
    guard let id = outcome.id, let snapshot = outcome.snapshot else { return result }
    result.snapshot = SnapshotSummary(id, snapshot)
    result.storedBytes = outcome.storedBytes
    result.hotFiles = outcome.hot
    result.uncovered = outcome.uncovered
    result.problems = outcome.problems
    result.untold = outcome.untold
    let unclean = Set(outcome.hot + outcome.problems.map(\.key))
    result.settledFiles = order.changes.hot.filter { !unclean.contains($0) }
    result.isStillChanging = outcome.problems.contains { $0.kind == .changing }
    // An old snapshot says nothing about what was found now.
    guard outcome.wasCreated else { return result }
    let counts = snapshot.counts
    result.changedEntries = counts.added + counts.modified + counts.removed
    result.sample = Guard.Sample(
      id: id.hex, parent: snapshot.parent?.hex, files: counts.files, added: counts.added,
      modified: counts.modified, removed: counts.removed)
    return result
  }
}

extension SnapshotSummary {
  fileprivate init(_ id: ObjectID, _ snapshot: Snapshot) {
    let basis: SnapshotBasis =
      switch snapshot.basis {
      case .events: .events
      case .scan: .scan
      case .full: .full
      }
    self.init(
      id: id.hex, time: snapshot.time, message: snapshot.message, files: snapshot.counts.files,
      bytes: snapshot.counts.bytes, basis: basis, isComplete: snapshot.isComplete)
  }
}
