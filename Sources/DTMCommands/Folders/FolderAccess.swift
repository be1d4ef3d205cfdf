internal import DTMConfiguration
internal import DTMFolder
internal import DTMRepository
internal import DTMSystem
internal import SystemPackage

/// A folder that was found, with its repository open for reading, for one command.
final class FolderAccess {
  let invocation: Invocation
  let location: FolderLocation
  let repository: Repository
  /// The folder's in the repository.
  let id: PackID
  /// As it was when it was looked at last, see `refresh`.
  private(set) var history: History

  /// Finds the folder and opens its repository. Takes no lock and never waits.
  convenience init(_ invocation: Invocation) throws {
    try self.init(invocation, try FolderFinder(invocation: invocation).find())
  }

  init(_ invocation: Invocation, _ location: FolderLocation) throws {
    self.invocation = invocation
    self.location = location
    if try PathStatus.of(location.repository) != nil {
      try FolderArgument.assumeOwner(of: location.repository, invocation)
    }
    repository = try Self.repository(of: location)
    id = try location.folderID ?? Self.onlyFolder(of: repository, at: location.repository)
    history = try History(repository, folder: id)
    try checkPlace()
    invocation.explain(
      "folder \(Quoting.path(location.folder)), repository \(Quoting.path(location.repository))")
  }

  private static func repository(of location: FolderLocation) throws -> Repository {
    do throws(RepositoryError) {
      return try Repository(at: location.repository)
    } catch {
      guard error.code == .notFound else { throw error }
      throw CommandFailure(
        .notFound, "there is no repository at \(Quoting.path(location.repository))",
        details: [error.message],
        hint: location.isInside
          ? "dtm init makes one" : "mount or bring back what holds it, or remove the folder's .dtm")
    }
  }

  /// Refuses a copy of a folder whose repository lies elsewhere: both would write one history.
  private func checkPlace() throws(CommandFailure) {
    guard !location.isInside, case .name(let root)? = history.state.refs[history.refs.root],
      !root.utf8.elementsEqual(location.folder.string.utf8)
    else { return }
    throw CommandFailure(
      .conflict,
      "\(Quoting.path(location.folder)) is not the folder of its repository, which is \(Quoting.path(Array(root.utf8)))",
      details: ["it was copied or moved; the repository is \(Quoting.path(location.repository))"],
      hint: "if it was moved: dtm init --adopt; if it is a copy: remove its .dtm, then dtm init")
  }

  /// The one folder that a repository has.
  static func onlyFolder(of repository: Repository, at path: FilePath) throws -> PackID {
    let prefix = "folders/"
    let state = try repository.refresh()
    var ids: Set<PackID> = []
    for ref in state.refs.keys where ref.hasPrefix(prefix) {
      if let id = PackID(hex: String(ref.dropFirst(prefix.count).prefix { $0 != "/" })) {
        ids.insert(id)
      }
    }
    guard let id = ids.first, ids.count == 1 else {
      throw CommandFailure(
        .notFound,
        ids.isEmpty
          ? "the repository at \(Quoting.path(path)) has no folder yet"
          : "the repository at \(Quoting.path(path)) has \(ids.count) folders",
        hint: ids.isEmpty ? "dtm init makes one" : "run it in the folder that is meant")
    }
    return id
  }

  /// Looks at the refs again.
  func refresh() throws {
    history = try History(repository, folder: id)
  }

  // MARK: - Snapshots

  var resolver: SnapshotResolver {
    SnapshotResolver(history, calendar: invocation.calendar, now: invocation.time.now())
  }

  /// The snapshot that a text names.
  func snapshot(_ name: String) throws -> KnownSnapshot {
    do throws(FolderError) { return try resolver.resolve(name) } catch {
      if error.message.contains(name) { throw error }
      throw FolderError(
        error.code, "\(Quoting.path(Array(name.utf8))): \(error.message)", details: error.details,
        hint: error.hint, path: error.path, cause: error.cause)
    }
  }

  /// A snapshot by its id; nil where it is not kept any more.
  func keptSnapshot(_ id: ObjectID) throws -> KnownSnapshot? {
    do throws(FolderError) { return try history.snapshot(id) } catch {
      if error.code == .notFound { return nil }
      throw error
    }
  }

  func tree(of snapshot: KnownSnapshot) -> Tree {
    Tree(root: snapshot.snapshot.tree, objects: repository.objects)
  }

  /// A snapshot with everything that is known of it by now.
  func report(_ known: KnownSnapshot) throws -> SnapshotReport {
    try SnapshotReport(known, facts: history.facts(of: known.id), history: history)
  }

  /// A snapshot that was taken just now; the log is read only for what is not known of it.
  func report(_ taken: TakenSnapshot) throws -> SnapshotReport {
    guard let facts = taken.facts else { return try report(taken.known) }
    return SnapshotReport(taken.known, facts: facts, history: history)
  }

  /// The tree of a state. The folder as it is now is looked at once, by stat.
  func tree(of state: FolderState) throws -> Tree {
    switch state {
    case .snapshot(let known): return tree(of: known)
    case .working: return try working().tree
    }
  }

  // MARK: - The folder itself

  private var opened: Folder?
  private var looked: WorkingTree?

  /// The machine, and where work counts how far it has come.
  var environment: CaptureEnvironment {
    var environment = CaptureEnvironment.system()
    environment.progress = invocation.progress.counts
    return environment
  }

  /// The folder, with the ignore patterns that the daemon's configuration has for it.
  func openFolder() throws -> Folder {
    if let opened { return opened }
    let folder = try Folder(
      at: location.folder, id: id, repository: repository, repositoryPath: location.repository,
      ignoring: configuredPatterns(), together: configured()?.together ?? [],
      environment: environment)
    opened = folder
    return folder
  }

  /// What the daemon's configuration leaves out of this folder.
  func configuredPatterns() throws -> [String] {
    try configured()?.ignore ?? []
  }

  /// The folder as the daemon's configuration has it.
  private func configured() throws -> FolderConfiguration? {
    try DaemonConfigurations(invocation).folder(holding: location.folder)
  }

  /// Which snapshots stay, as the daemon's configuration has it for this folder.
  func keepPolicy() throws -> KeepPolicy {
    try DaemonConfigurations(invocation).folder(holding: location.folder)?.keep ?? KeepPolicy()
  }

  /// For how long what was pruned stays; while an alarm of the guard holds it, for good.
  func grace() throws -> Duration {
    if try history.retentionHold(at: invocation.time.now()) != nil {
      return .seconds(100 * 366 * 86_400)
    }
    return try keepPolicy().grace
  }

  /// The folder as it is now; looked at once.
  func working() throws -> WorkingTree {
    if let looked { return looked }
    let folder = try openFolder()
    let found = try invocation.progress.during("looking at the folder") { try folder.working() }
    looked = found
    return found
  }

  /// Whether there is such a path in the folder now or in the newest snapshot.
  func isKnownPath(_ key: PathKey) throws -> Bool {
    if key.isRoot { return true }
    if let head = history.head, try tree(of: history.snapshot(head)).entry(key) != nil {
      return true
    }
    guard let parent = key.parent else { return true }
    do throws(Errno) {
      let root = try Descriptor.open(location.folder, [.path, .directory])
      _ = try root.openBeneath(parent.path, [.path, .directory]).status(of: key.name)
      return true
    } catch {
      return false
    }
  }

  // MARK: - Writing

  /// Appends an operation that moves refs or learns facts, and stores nothing.
  ///
  /// Throws `.exists`, `.notFound` or `.conflict` of its own where a ref is not what the draft takes
  /// it for.
  func commit(_ draft: RecordDraft) throws {
    var draft = draft
    draft.pid = ProcessSignals.processID
    draft.uid = invocation.user
    _ = try repository.beginSession().commit(draft, at: invocation.time.now())
    try refresh()
  }
}
