import DTMConfiguration
import DTMControl
import DTMDaemon
import DTMFolder
import DTMRepository
import DTMRules
import DTMSystem
import DTMTestSupport
import Glibc
import SystemPackage
import Testing

/// A folder with a real repository outside of it, under a service with the real engine.
final class RealFixture {
  let directory: TestDirectory
  let lake: FilePath
  let repository: FilePath
  let id = PackID.random()
  let log = LogLines()
  private var running: FolderService?

  init() throws {
    directory = try TestDirectory()
    lake = directory.path.appending("lake")
    repository = directory.path.appending("repository")
    try directory.makeDirectory("lake")
    try directory.makeDirectory("repository")
    var draft = RecordDraft(kind: "init", summary: "for a test")
    draft.moves = [RefMove(ref: FolderRefs(id).head, old: nil, new: .name("main"))]
    _ = try Repository.create(
      SystemFileOperations(path: repository), first: draft, at: SystemTimeSource().now())
  }

  deinit {
    stop()
  }

  func start(
    ignore: [String] = [], settle: SettlePolicy? = nil, time: any TimeSource = SystemTimeSource(),
    change: (inout FolderConfiguration) -> Void = { _ in }
  ) throws -> FolderService {
    var configuration = FolderConfiguration.test(lake)
    configuration.repository = repository
    configuration.ignore = ignore
    if let settle { configuration.settle = settle }
    change(&configuration)
    let service = try FolderService(
      configuration, engines: RepositoryEngines(), time: time, logger: log.logger())
    running = service
    return service
  }

  func stop() {
    running?.stop()
    running?.join()
    running = nil
  }

  /// The snapshots, newest first.
  func snapshots() throws -> [KnownSnapshot] {
    let history = try History(Repository(at: repository), folder: id)
    var found: [KnownSnapshot] = []
    try history.forEachAncestor(of: history.head) { known in
      found.append(known)
      return true
    }
    return found
  }

  /// What a file holds in the newest snapshot; nil where it is not in it.
  func content(_ name: String) throws -> String? {
    guard let newest = try snapshots().first, let key = PathKey(name) else { return nil }
    // Opened behind it: the daemon may be at work, and what is open shows what was committed before.
    let repository = try Repository(at: repository)
    let tree = Tree(root: newest.snapshot.tree, objects: repository.objects)
    guard let entry = try tree.entry(key) else { return nil }
    let bytes = try ContentReader(repository.objects).bytes(of: entry.content, size: entry.size)
    return String(decoding: bytes, as: UTF8.self)
  }

  /// The paths of the newest snapshot, without the folder itself.
  func paths() throws -> [String] {
    let newest = try #require(try snapshots().first)
    let repository = try Repository(at: repository)
    var found: [String] = []
    try Tree(root: newest.snapshot.tree, objects: repository.objects).forEach(
      beneath: nil
    ) { entry in
      if !entry.key.isRoot { found.append(Quoting.path(entry.key)) }
      return true
    }
    return found
  }
}

extension FolderService {
  func waitForEverything() throws {
    let answer = Answer<Result<SnapshotSummary?, DaemonFault>>()
    _ = wait(WaitRequest(folder: "lake", timeout: .seconds(30))) { answer.give($0) }
    _ = try answer.wait(within: .seconds(40)).get()
  }
}

@Suite struct RepositoryEngineTests {
  @Test func `a real folder is captured by a scan, then by its events, and found again`() throws {
    let fixture = try RealFixture()
    try fixture.directory.write("lake/a.csv", "1\n")
    let service = try fixture.start()
    try service.waitForEverything()
    try fixture.directory.makeDirectory("lake/raw")
    try fixture.directory.write("lake/raw/b.csv", "22\n")
    try service.waitForEverything()
    #expect(eventually { service.status.state == .protected && service.status.phase == .idle })
    #expect(try fixture.paths() == ["a.csv", "raw", "raw/b.csv"])
    let snapshots = try fixture.snapshots()
    #expect(snapshots.last?.snapshot.basis == .scan)
    #expect(snapshots.last?.snapshot.trigger == "start")
    #expect(snapshots.first?.snapshot.basis == .events, "\(fixture.log.all)")
    #expect(snapshots.first?.snapshot.trigger == "quiet")
    #expect(service.status.lastSnapshot?.id == snapshots.first?.id.hex)
    #expect(service.status.lastSnapshot?.files == 2)
    fixture.stop()

    // What changes while nobody watches is found at the start, and only that is a snapshot.
    let again = try fixture.start()
    try again.waitForEverything()
    #expect(try fixture.snapshots().count == snapshots.count)
    fixture.stop()
    try fixture.directory.write("lake/a.csv", "3\n")
    let third = try fixture.start()
    try third.waitForEverything()
    #expect(try fixture.snapshots().count == snapshots.count + 1)
  }

  @Test func `what is ignored causes no snapshot and is in none`() throws {
    let fixture = try RealFixture()
    try fixture.directory.makeDirectory("lake/scratch")
    try fixture.directory.write("lake/scratch/x", "1")
    try fixture.directory.write("lake/a.csv", "1")
    let service = try fixture.start(ignore: ["scratch/", "*.tmp"])
    try service.waitForEverything()
    #expect(try fixture.paths() == ["a.csv"])
    try fixture.directory.write("lake/b.tmp", "1")
    try fixture.directory.write("lake/scratch/y", "1")
    try service.waitForEverything()
    #expect(try fixture.snapshots().count == 1)
    #expect(service.status.watchedDirectories == 1)
  }

  @Test func `an ignore file in the folder may take a pattern back`() throws {
    let fixture = try RealFixture()
    try fixture.directory.makeDirectory("lake/scratch")
    try fixture.directory.write("lake/scratch/x", "1")
    try fixture.directory.write("lake/a.csv", "1")
    let service = try fixture.start(ignore: ["scratch/"])
    try service.waitForEverything()
    try fixture.directory.write("lake/.dtmignore", "!scratch/\n")
    try service.waitForEverything()
    #expect(try fixture.paths() == [".dtmignore", "a.csv", "scratch", "scratch/x"])
    #expect(
      eventually { service.status.watchedDirectories == 2 && service.status.phase == .idle })
    // From now on what happens there is seen.
    try fixture.directory.write("lake/scratch/y", "1")
    try service.waitForEverything()
    #expect(try fixture.paths().contains("scratch/y"))
  }

  @Test func `a folder that another process captures is said, and not captured twice`() throws {
    let fixture = try RealFixture()
    try fixture.directory.write("lake/a.csv", "1")
    let first = try fixture.start()
    try first.waitForEverything()
    let other = try FolderService(
      first.configuration, engines: RepositoryEngines(), time: SystemTimeSource(),
      logger: fixture.log.logger())
    defer {
      other.stop()
      other.join()
    }
    #expect(eventually { other.isSettledIn })
    #expect(other.status.state == .unprotected)
    #expect(other.status.reasons.contains { $0.contains("\(getpid())") }, "\(other.status.reasons)")
  }

  @Test func `a folder that comes back as another directory is captured as it is then`() throws {
    let fixture = try RealFixture()
    try fixture.directory.write("lake/a.csv", "1")
    let service = try fixture.start()
    try service.waitForEverything()
    try fixture.directory.remove("lake")
    #expect(eventually { service.status.state == .unprotected })
    try fixture.directory.makeDirectory("new")
    try fixture.directory.write("new/b.csv", "2")
    let moved = unsafe rename(
      fixture.directory.path.appending("new").string, fixture.lake.string)
    #expect(moved == 0)
    #expect(eventually { service.status.state == .protected })
    try service.waitForEverything()
    #expect(try fixture.paths() == ["b.csv"])
    #expect(try fixture.snapshots().count == 2)
  }

  @Test func `a folder without a repository says so`() throws {
    let fixture = try RealFixture()
    let service = try FolderService(
      .test(fixture.lake), engines: RepositoryEngines(), time: SystemTimeSource(),
      logger: fixture.log.logger())
    defer {
      service.stop()
      service.join()
    }
    #expect(eventually { service.isSettledIn })
    #expect(service.status.state == .unprotected)
    #expect(service.status.reasons.contains { $0.contains("dtm init") })
  }

  @Test(.enabled(if: geteuid() == 0, "root acts as others"))
  func `a user's repository is written as the user, and nothing he may not read gets in`() throws {
    let fixture = try RealFixture()
    try Descriptor.open(fixture.directory.path, .readOnly).setMode(0o755)
    try fixture.directory.write("lake/open.csv", "1")
    try fixture.directory.write("lake/secret.csv", "2")
    try Descriptor.open(fixture.lake.appending("secret.csv"), .readOnly).setMode(0o600)
    #expect(
      try Command.status(["/bin/chown", "-R", "65534:65534", fixture.repository.string]) == 0)
    #expect(try Command.status(["/bin/chown", "65534", fixture.lake.string]) == 0)
    let service = try fixture.start()
    try service.waitForEverything()
    let newest = try #require(try fixture.snapshots().first?.snapshot)
    #expect(newest.problems.map(\.key) == [PathKey("secret.csv")])
    #expect(newest.problems.first?.kind == .unreadable)
    #expect(!newest.isComplete)
    let foreign = try Command.run(
      ["/usr/bin/find", fixture.repository.string, "!", "-user", "65534"])
    #expect(foreign == "")
  }
}
