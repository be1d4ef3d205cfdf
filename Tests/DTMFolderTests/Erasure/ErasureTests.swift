import DTMFolder
import DTMRepository
import DTMSystem
import DTMTestSupport
import SystemPackage
import Testing

@Suite struct ErasureTests {
  private typealias Content = [PathKey: [UInt8]]

  private static let folder = PackID(hex: "000102030405060708090a0b0c0d0e0f") ?? PackID.random()
  private static let refs = FolderRefs(folder)
  private static let secret = PathKey(bytes: Array("secret".utf8))
  private static let grace = Duration.seconds(7 * 86_400)
  private static let time = Timestamp(seconds: 1_700_000_000)

  /// Content is packed as soon as there is any, metadata rarely: what is left of a snapshot whose content is
  /// gone is the snapshot.
  private static func open(_ files: any FileOperations) throws -> Repository {
    let repository = try Repository(files)
    repository.packLimits.data = 1
    return repository
  }

  private static func bytes(_ seed: Int) -> [UInt8] {
    var generator = SplitMix(seed: UInt64(seed))
    return (0..<900).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
  }

  private static func content(_ number: Int) -> Content {
    var content: Content = [
      .root: [], PathKey(bytes: Array("stays".utf8)): bytes(1),
      PathKey(bytes: Array("changes".utf8)): bytes(100 + number),
    ]
    // It comes, changes, and goes.
    if (1...3).contains(number) { content[secret] = bytes(1000 + number / 2) }
    return content
  }

  private static func commit(_ content: Content, _ number: Int, to repository: Repository) throws
    -> ObjectID
  {
    let session = try repository.beginSession()
    var builder = TreeBuilder(writer: session)
    for (key, bytes) in content.sorted(by: { $0.key < $1.key }) {
      if bytes.isEmpty {
        try builder.append(TreeEntry(key: key, kind: .directory))
      } else {
        var file = ContentBuilder(session)
        try file.append(bytes)
        try builder.append(
          TreeEntry(
            key: key, kind: .file, permissions: 0o644, size: UInt64(bytes.count),
            content: try file.finish()))
      }
    }
    let branch = refs.branch("main")
    var parent: ObjectID?
    if case .id(let id)? = try repository.refresh().refs[branch] { parent = id }
    var snapshot = Snapshot(
      tree: try builder.finish().root, parent: parent, branch: "main",
      time: Timestamp(seconds: time.seconds + Int64(number)), trigger: "manual", basis: .scan,
      folder: folder)
    snapshot.counts.files = content.count - 1
    snapshot.counts.entries = content.count - 1
    snapshot.counts.bytes = content.values.reduce(0) { $0 + $1.count }
    let id = try session.write(.snapshot, snapshot.encoded)
    var draft = RecordDraft(kind: "snapshot", summary: "number \(number)")
    draft.moves = [RefMove(ref: branch, old: parent.map { .id($0) }, new: .id(id))]
    if number == 0 { draft.moves.append(RefMove(ref: refs.head, old: nil, new: .name("main"))) }
    draft.facts = [Fact(subject: id, key: RefLog.durationFact, value: Array("1".utf8))]
    _ = try session.commit(draft, at: time)
    return id
  }

  private func history(_ count: Int) throws -> (files: SimulatedFileOperations, ids: [ObjectID]) {
    let files = SimulatedFileOperations()
    _ = try Repository.create(
      files, first: RecordDraft(kind: "init", summary: "init"), at: Self.time)
    let repository = try Self.open(files)
    return (files, try (0..<count).map { try Self.commit(Self.content($0), $0, to: repository) })
  }

  private static func erase(_ files: any FileOperations) throws -> Erasure {
    try Erasure(
      open(files), folder: folder, pattern: "secret", matching: { key, _ in key == secret },
      grace: grace, uid: 0, at: time, waits: { false })
  }

  /// The contents of the branch's snapshots, newest first, and whether all else is sound.
  private static func line(_ files: any FileOperations) throws -> [Content] {
    let repository = try open(files)
    let history = try History(repository, folder: folder)
    var line: [Content] = []
    try history.forEachAncestor(of: history.head) { known throws(FolderError) in
      do throws(RepositoryError) {
        var content: Content = [:]
        let tree = Tree(root: known.snapshot.tree, objects: repository.objects)
        try tree.forEach { entry throws(RepositoryError) in
          content[entry.key] =
            entry.kind == .directory
            ? []
            : try ContentReader(repository.objects).bytes(of: entry.content, size: entry.size)
          return true
        }
        #expect(known.snapshot.counts.files == content.count - 1)
        line.append(content)
      } catch { throw FolderError(error) }
      return true
    }
    let damage = try repository.verify(readsData: true).damage
    if let first = damage.first { throw RepositoryError(.corrupt, first.message) }
    return line
  }

  private static func expected(_ numbers: some Sequence<Int>, erased: Bool) -> [Content] {
    numbers.map { number in
      var content = content(number)
      if erased { content[secret] = nil }
      return content
    }
  }

  @Test func `every snapshot is as it was, without the path`() throws {
    let (files, ids) = try history(6)
    let erasure = try Self.erase(files)
    #expect(erasure.history.paths == [Self.secret])
    #expect(erasure.history.snapshots == 3)
    // The first one keeps its id.
    #expect(Set(erasure.history.rewritten.keys) == Set(ids[1...]))
    #expect(erasure.history.contents.count == 2 && erasure.left.isEmpty)
    #expect(try Self.line(files) == Self.expected((0..<6).reversed(), erased: true))
    #expect(try Self.erase(files).history.paths.isEmpty)
  }

  @Test func `the log says who erased what, and when`() throws {
    let (files, _) = try history(3)
    let time = Timestamp(seconds: Self.time.seconds + 5000)
    _ = try Erasure(
      Self.open(files), folder: Self.folder, pattern: "sec*",
      matching: { key, _ in key == Self.secret },
      grace: Self.grace, uid: 1234, at: time, waits: { false })
    var found: OperationRecord?
    try Self.open(files).refLog.history { record in
      if record.kind == "erase" { found = record }
      return found == nil
    }
    let record = try #require(found)
    #expect(record.uid == 1234 && record.time == time)
    #expect(record.details.contains { $0 == ("pattern", "sec*") })
    #expect(record.summary == "erased sec*")
  }

  @Test func `what a collection has left of a snapshot is in nobody's way`() throws {
    let (files, ids) = try history(40)
    let repository = try Self.open(files)
    let history = try History(repository, folder: Self.folder)
    _ = try history.prune([ids[20]], uid: 0, at: Self.time)
    let report = try RepositoryCollection(
      repository, CollectionPolicy(grace: .zero, waste: 0.3),
      RepositoryRepair.Context(time: Self.time), waits: { false }
    ).run()
    #expect(report.deletedPacks == 1 && report.rewrittenPacks == 0)
    // Its content is gone, the snapshot itself is not.
    #expect(try !repository.objects.read(ids[20], .snapshot).isEmpty)
    let kept = (0..<40).reversed().filter { $0 != 20 }
    #expect(try Self.line(files) == Self.expected(kept, erased: false))
    #expect(try Self.erase(files).left.isEmpty)
    #expect(try Self.line(files) == Self.expected(kept, erased: true))
  }

  @Test func `snapshots that were brought back after they were pruned are in nobody's way`() throws
  {
    let (files, ids) = try history(6)
    let repository = try Self.open(files)
    let history = try History(repository, folder: Self.folder)
    _ = try history.prune([ids[2], ids[4]], uid: 0, at: Self.time)
    var undo = RecordDraft(kind: "undo", summary: "undo")
    undo.facts = [ids[2], ids[4]].map { Fact(subject: $0, key: RefLog.prunedFact, value: []) }
    _ = try repository.beginSession().commit(undo, at: Self.time)
    #expect(try Self.line(files) == Self.expected((0..<6).reversed(), erased: false))
    #expect(try Self.erase(files).history.snapshots == 3)
    #expect(try Self.line(files) == Self.expected((0..<6).reversed(), erased: true))
  }

  @Test func `other pruned snapshots stay as long as the grace says`() throws {
    let (files, ids) = try history(6)
    let history = try History(Self.open(files), folder: Self.folder)
    _ = try history.prune(
      [ids[0]], uid: 0, at: Self.time.advanced(by: .zero - Self.grace + .seconds(60)))
    _ = try Self.erase(files)
    #expect(try !Self.open(files).objects.read(ids[0], .snapshot).isEmpty)
    let (others, otherIDs) = try self.history(6)
    let other = try History(Self.open(others), folder: Self.folder)
    _ = try other.prune(
      [otherIDs[0]], uid: 0, at: Self.time.advanced(by: .zero - Self.grace - .seconds(60)))
    _ = try Self.erase(others)
    #expect(throws: RepositoryError(.notFound, "")) {
      try Self.open(others).objects.read(otherIDs[0], .snapshot)
    }
  }

  @Test func `nothing is erased while a restore is unfinished`() throws {
    let (files, _) = try history(4)
    let before = files.paths().filter { $0.key.hasPrefix("refs/") }
    try files.plant([1], at: "journal/some")
    #expect(throws: FolderError(.busy, "")) { try Self.erase(files) }
    #expect(files.paths().filter { $0.key.hasPrefix("refs/") } == before)
  }

  @Test func `a crash leaves it undone or done, and the next run ends it`() throws {
    let (start, _) = try history(5)
    var generator = SplitMix.fresh("crashes of an erasure")
    let files = try #require(start.crashStates(limit: 2, using: &generator).last)
    files.recordInstants()
    _ = try Self.erase(files)
    let numbers = (0..<5).reversed()
    var done = 0
    let result = CrashEnumeration(files.instants(), budget: 500, using: &generator) { state, _ in
      do {
        let found = try Self.line(state)
        if found == Self.expected(numbers, erased: true) {
          done += 1
        } else if found != Self.expected(numbers, erased: false) {
          return "the history is neither"
        }
        let again = try Self.erase(state)
        // Where it was done already, its content is looked for by what it was.
        let contents = Set((1...3).map { Digest.id(.chunk, Self.bytes(1000 + $0 / 2)) })
        if try !again.left.isEmpty || !Self.open(state).stored(among: contents).isEmpty {
          return "something of it is left"
        }
        return try Self.line(state) == Self.expected(numbers, erased: true)
          ? nil : "the next run has not ended it"
      } catch { return "\(error)" }
    }
    print("an erasure: \(result.summary), \(done) of them done")
    #expect(result.problem == nil)
    #expect(done > 0 && done < result.states)
  }
}
