import DTMFolder
import DTMRepository
import DTMSystem
import DTMTestSupport
import SystemPackage
import Testing

/// A data folder with a repository beside it, in a directory of its own.
final class FolderFixture {
  let sandbox: Sandbox
  let repositoryPath: FilePath
  let repository: Repository
  let folderID = PackID.random()
  var environment: CaptureEnvironment
  private(set) var folder: Folder

  init(
    _ directory: FilePath, data: FilePath? = nil, ignoring patterns: [String] = [],
    together groups: [FileGroup] = [], environment: CaptureEnvironment = .system()
  ) throws {
    // As the programs do: a writer who comes while a lease is tested raises SIGIO.
    ProcessSignals.ignoreThoseOfFiles()
    let path = data ?? directory.appending("data")
    repositoryPath = directory.appending("repository")
    let outer = Sandbox(path: directory)
    if data == nil { try outer.directory("data") }
    try outer.directory("repository", mode: 0o700)
    sandbox = Sandbox(path: path)
    let files = try SystemFileOperations(path: repositoryPath)
    repository = try Repository.create(
      files, first: RecordDraft(kind: "init"), at: SystemTimeSource().now())
    self.environment = environment
    folder = try Folder(
      at: path, id: folderID, repository: repository, repositoryPath: repositoryPath,
      ignoring: patterns, together: groups, environment: environment)
  }

  /// Opens the folder again, as the next process would.
  func reopen(ignoring patterns: [String] = []) throws {
    folder = try Folder(
      at: sandbox.path, id: folderID, repository: repository, repositoryPath: repositoryPath,
      ignoring: patterns, environment: environment)
  }

  /// Takes a snapshot.
  ///
  /// Tests run side by side, and one that starts a program has all open files open in the child
  /// for a moment, which makes them hot: unless that is what the test wants, it is taken again.
  @discardableResult
  func snapshot(
    _ changes: ChangeSet = ChangeSet(basis: .scan), ifChanged: Bool = false,
    allowsHot: Bool = false, patience: Duration = .seconds(20)
  ) throws -> SnapshotOutcome {
    var request = SnapshotRequest(changes, trigger: "manual")
    request.ifChanged = ifChanged
    request.ignoresHotLimit = true
    request.patience = patience
    while true {
      let outcome = try folder.snapshot(request)
      let hot = outcome.snapshot?.hot ?? []
      if allowsHot || ifChanged || hot.isEmpty { return outcome }
      if changes.basis == .events {
        request.changes = events([], hot: hot)
      } else if !changes.endClock.isEmpty {
        request.changes.endClock = scan().endClock
      }
    }
  }

  /// A change set that begins where the state ends.
  func events(
    _ paths: [PathKey], subtrees: [PathKey] = [], hot: [PathKey] = []
  ) -> ChangeSet {
    clock += 1
    let all =
      Set(paths).subtracting(subtrees).map { ($0, ChangeSet.Scope.entry) }
      + Set(subtrees).map { ($0, .subtree) }
    return ChangeSet(
      basis: .events, baseClock: "c\(clock - 1)", endClock: "c\(clock)",
      paths: all.map { (key: $0.0, scope: $0.1) }.sorted { $0.key < $1.key }, hot: hot)
  }

  /// A scan after which events count.
  func scan() -> ChangeSet {
    clock += 1
    return ChangeSet(basis: .scan, endClock: "c\(clock)")
  }

  private var clock = 0

  /// The tree that a capture without any memory makes of the folder.
  func scratchTree(ignoring patterns: [String] = []) throws -> ObjectID {
    let stranger = try Folder(
      at: sandbox.path, id: PackID.random(), repository: repository,
      repositoryPath: FilePath("/nowhere"), ignoring: patterns, environment: environment)
    while true {
      let working = try stranger.working(ChangeSet(basis: .full))
      if working.hot.isEmpty { return working.tree.root }
    }
  }

  func tree(_ outcome: SnapshotOutcome) throws -> Tree {
    Tree(root: try #require(outcome.snapshot).tree, objects: repository.objects)
  }

  func entries(_ tree: Tree) throws -> [TreeEntry] {
    var entries: [TreeEntry] = []
    try tree.forEach {
      entries.append($0)
      return true
    }
    return entries
  }

  /// A file's bytes in a tree.
  func content(_ tree: Tree, _ key: PathKey) throws -> [UInt8]? {
    guard let entry = try tree.entry(key) else { return nil }
    return try ContentReader(repository.objects).bytes(of: entry.content, size: entry.size)
  }
}

func withFixture<Result>(
  ignoring patterns: [String] = [], together groups: [FileGroup] = [],
  environment: CaptureEnvironment = .system(), _ body: (FolderFixture) throws -> Result
) throws -> Result {
  try withTemporaryDirectory { directory in
    try body(
      FolderFixture(directory, ignoring: patterns, together: groups, environment: environment))
  }
}
