import DTMFolder
import DTMRepository
import DTMSystem
import DTMTestSupport
import SystemPackage
import Testing

/// Real snapshots and restores of a small real folder, in a repository on a simulated disk: each step
/// by a process of its own.
final class CrashScenario {
  /// A snapshot that the work made, as it was then.
  struct Made {
    let id: ObjectID
    let entries: [TreeEntry]
    /// Read from the folder, not from the repository.
    let contents: [PathKey: [UInt8]]
    let facts: [String: [UInt8]]
  }

  /// What was acknowledged after so many operations of the disk: snapshots, and undoable operations.
  struct Acknowledged {
    let operations: Int
    let snapshots: Int
    let undoable: Int
  }

  static let time = Timestamp(seconds: 1_700_000_000)

  let files = SimulatedFileOperations()
  let sandbox: Sandbox
  let statePath: FilePath
  let folderID: PackID
  /// All snapshots of the branch, oldest first.
  private(set) var made: [Made] = []
  private(set) var undoable: [OperationRecord] = []
  private(set) var acknowledged: [Acknowledged] = []
  private var generator: SplitMix

  init(_ directory: FilePath, using generator: SplitMix) throws {
    ProcessSignals.ignoreThoseOfFiles()
    self.generator = generator
    try Sandbox(path: directory).directory("data")
    try Sandbox(path: directory).directory("cache")
    try Sandbox(path: directory).directory("cache/state")
    sandbox = Sandbox(path: directory.appending("data"))
    statePath = directory.appending("cache")
    folderID = try #require(PackID([UInt8](repeating: 7, count: 16)))
  }

  // MARK: Processes

  func create(_ files: SimulatedFileOperations) throws {
    _ = try Repository.create(
      files,
      chunker: try #require(ChunkerParameters(minimum: 512, average: 1024, maximum: 4096)),
      first: RecordDraft(kind: "init", summary: "init"), at: Self.time)
  }

  /// The folder as a new process opens it; `remembers`: with the state cache of those before.
  func open(_ files: SimulatedFileOperations, remembers: Bool) throws -> Folder {
    try Self.open(
      files, sandbox.path, folderID, state: remembers ? statePath : FilePath("/nowhere"))
  }

  static func open(
    _ files: SimulatedFileOperations, _ path: FilePath, _ id: PackID,
    state: FilePath = FilePath("/nowhere")
  ) throws -> Folder {
    let repository = try Repository(files, segmentLimit: 3 << 10)
    repository.packLimits.data = 8 << 10
    repository.packLimits.metadata = 2 << 10
    repository.packLimits.unindexedFrames = 2
    let environment = CaptureEnvironment(
      time: SystemTimeSource(), tick: .zero, hasMultigrainTimes: true, pause: { _ in })
    return try Folder(
      at: path, id: id, repository: repository, repositoryPath: state, environment: environment)
  }

  /// `boundary`: the number of a boundary that it is of; odd ones begin a stage, even ones end it.
  @discardableResult
  func snapshot(_ folder: Folder, _ message: String, boundary: Int? = nil) throws -> ObjectID {
    var request = SnapshotRequest(ChangeSet(basis: .scan), trigger: "manual")
    request.message = message
    request.ignoresHotLimit = true
    request.patience = .zero
    if let boundary {
      request.facts[StageFact.name] = Self.stage(boundary).encoded
      request.facts["fired"] = [0, 0, 0, 0, 0, 0, 0, UInt8(boundary)]
      request.rules = ["done"]
      request.tags = ["boundary-\(boundary)"]
      request.isPinned = boundary == 2
    }
    return try #require(try folder.snapshot(request).id)
  }

  private static func stage(_ boundary: Int) -> StageFact {
    let key = StageKey(run: "nightly", stage: "stage \((boundary + 1) / 2)", attempt: 1)
    return StageFact(key, boundary % 2 == 1 ? .begin : .ok)
  }

  // MARK: The work

  /// Makes the repository and `steps` changes of the folder, each recorded.
  func work(steps: Int) throws {
    files.recordInstants()
    try create(files)
    try acknowledge()
    try sandbox.directory("d")
    try sandbox.symlink("link", to: Array("d/f1".utf8))
    for step in 1...steps {
      try change(step)
      try snapshot(open(files, remembers: true), "step \(step)", boundary: step)
      try acknowledge()
      if step == 3 || step == steps - 1 {
        try sandbox.write("d/f1", "lost by mistake")
        let folder = try open(files, remembers: true)
        let wanted = try History(folder.repository, folder: folderID)
        let target = try wanted.snapshot(try #require(made.first).id)
        _ = try folder.restore(RestoreRequest(.snapshot(target), paths: ["d"]))
        try acknowledge()
      }
      if step == 4 { try conflict() }
    }
  }

  /// Files of every kind of content: in the entry, one chunk, several chunks.
  private func change(_ step: Int) throws {
    try sandbox.write("small", "step \(step)")
    try sandbox.write(PathKey(stringLiteral: "d/f\(step % 3)"), bytes(600))
    if step % 2 == 1 { try sandbox.write("large", bytes(9000)) }
    if step == 4 { try sandbox.remove("link") }
  }

  private func bytes(_ count: Int) -> [UInt8] {
    (0..<count).map { _ in UInt8(generator.below(256)) }
  }

  /// A commit that finds the branch moved: refused, and it leaves its objects behind.
  private func conflict() throws {
    let repository = try open(files, remembers: false).repository
    let session = try repository.beginSession()
    _ = try session.write(.chunk, bytes(3000))
    var draft = RecordDraft(kind: "snapshot", summary: "too late")
    draft.moves = [
      RefMove(
        ref: FolderRefs(folderID).branch("main"), old: .id(try #require(made.first).id),
        new: .id(try #require(made.last).id))
    ]
    #expect(throws: RepositoryError(.conflict, "")) {
      try session.commit(draft, at: Self.time)
    }
    try acknowledge()
  }

  private func acknowledge() throws {
    let operations = files.journal.count
    let folder = try open(files.afterKill(), remembers: false)
    let found = try chain(folder)
    for known in found.dropFirst(made.count) {
      let tree = Tree(root: known.snapshot.tree, objects: folder.repository.objects)
      made.append(
        Made(
          id: known.id, entries: try entries(tree),
          contents: known.id == found.last?.id ? try folderContents() : [:],
          facts: try folder.repository.refLog.facts(of: known.id)))
    }
    undoable = try folder.repository.refresh().operations
    acknowledged.append(
      Acknowledged(operations: operations, snapshots: made.count, undoable: undoable.count))
  }

  // MARK: Looking

  /// The branch's snapshots, oldest first.
  private func chain(_ folder: Folder) throws -> [KnownSnapshot] {
    let history = try History(folder.repository, folder: folderID)
    var found: [KnownSnapshot] = []
    try history.forEachAncestor(of: history.head) { known throws(FolderError) in
      found.append(known)
      return true
    }
    return found.reversed()
  }

  private func entries(_ tree: Tree) throws -> [TreeEntry] {
    var entries: [TreeEntry] = []
    try tree.forEach {
      entries.append($0)
      return true
    }
    return entries
  }

  private func folderContents() throws -> [PathKey: [UInt8]] {
    var contents: [PathKey: [UInt8]] = [:]
    for key: PathKey in ["small", "large", "d/f0", "d/f1", "d/f2"] {
      contents[key] = try? sandbox.open(key, 0).readToEnd()
    }
    return contents
  }

  /// What is wrong with a disk on which so much was acknowledged: it has to open, hold all that was
  /// acknowledged bit for bit, and take a new snapshot.
  func problem(_ files: SimulatedFileOperations, after operations: Int) -> String? {
    let before = acknowledged.last { $0.operations <= operations }
    let next = acknowledged.first { $0.operations > operations } ?? acknowledged.last
    do {
      let folder: Folder
      do {
        folder = try open(files, remembers: false)
      } catch let error as RepositoryError where error.code == .notFound && before == nil {
        try create(files)
        return try problemOfNewSnapshot(files)
      }
      let found = try chain(folder)
      let snapshots = (before?.snapshots ?? 0)...(next?.snapshots ?? 0)
      guard snapshots.contains(found.count), found.map(\.id) == made.prefix(found.count).map(\.id)
      else { return "\(snapshots) snapshots are to be there, \(found.count) are" }
      for (known, expected) in zip(found, made) {
        if let problem = try self.problem(folder, known, expected) { return problem }
      }
      if let problem = try problemOfStages(folder, found) { return problem }
      let state = try folder.repository.refresh()
      let kinds = (before?.undoable ?? 0)...(next?.undoable ?? 0)
      guard kinds.contains(state.operations.count),
        zip(state.operations, undoable).allSatisfy({ found, made in
          found.sequence == made.sequence && found.kind == made.kind
        })
      else { return "\(state.operations.count) operations can be undone, not \(kinds)" }
      return try problemOfNewSnapshot(files)
    } catch { return "\(error)" }
  }

  private func problem(
    _ folder: Folder, _ known: KnownSnapshot, _ expected: Made
  ) throws -> String? {
    let tree = Tree(root: known.snapshot.tree, objects: folder.repository.objects)
    let entries = try entries(tree)
    guard entries == expected.entries else { return "\(known.id.short) has another tree" }
    guard try folder.repository.refLog.facts(of: known.id) == expected.facts else {
      return "\(known.id.short) has other facts"
    }
    let reader = ContentReader(folder.repository.objects)
    for entry in entries {
      if entry.kind != .file { continue }
      let bytes = try reader.bytes(of: entry.content, size: entry.size)
      if let content = expected.contents[entry.key], content != bytes {
        return "\(known.id.short) has another content of \(entry.key)"
      }
    }
    return nil
  }

  /// Each boundary that is there is known, once, with its tag; none is that is not.
  private func problemOfStages(_ folder: Folder, _ found: [KnownSnapshot]) throws -> String? {
    var log = StageLog(folder: folderID)
    try log.refresh(folder.repository)
    let history = try History(folder.repository, folder: folderID)
    let boundaries = found.filter { $0.snapshot.rules == ["done"] }
    guard log.entries.count == boundaries.count, history.tags.count == boundaries.count else {
      return "\(boundaries.count) boundaries, \(log.entries.count) are known, \(history.tags)"
    }
    for (number, known) in zip(1..., boundaries) {
      let fact = Self.stage(number)
      guard log.entries(of: fact.key).contains(where: { $0.fact == fact }),
        history.tag("boundary-\(number)") == known.id,
        history.isPinned(known.id) == (number == 2)
      else { return "the boundary \(number) is not what it was" }
      var wish = StageWish(fact.event, stage: fact.key.stage)
      wish.run = fact.key.run
      guard case .known = try log.decide(wish, freshRun: "another") else {
        return "the boundary \(number) would be recorded again"
      }
    }
    return nil
  }

  private func problemOfNewSnapshot(_ files: SimulatedFileOperations) throws -> String? {
    let id = try snapshot(open(files, remembers: false), "after the crash")
    let folder = try open(files, remembers: false)
    guard try History(folder.repository, folder: folderID).head == id else {
      return "the new snapshot is not the head"
    }
    let verification = try folder.repository.verify([id], readsData: true)
    return verification.damage.first.map { "after a new snapshot: \($0.message)" }
  }
}
