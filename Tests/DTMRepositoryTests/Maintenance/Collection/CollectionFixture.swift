import DTMRepository
import DTMSystem
import DTMTestSupport
import Testing

/// A history whose snapshots are pruned and collected, and what each of them holds.
final class CollectionFixture {
  /// The content of each path; no bytes: a directory.
  typealias Content = [PathKey: [UInt8]]

  static let folder = PackID(hex: "000102030405060708090a0b0c0d0e0f") ?? PackID.random()
  static let refs = FolderRefs(folder)
  static let start = Timestamp(seconds: 1_700_000_000)

  /// All that were committed, in order.
  private(set) var snapshots: [(id: ObjectID, content: Content)] = []
  private(set) var now = start

  static func key(_ path: String) -> PathKey { DamageFixture.key(path) }

  func create(_ files: any FileOperations) throws {
    let chunker = try #require(ChunkerParameters(minimum: 256, average: 512, maximum: 1024))
    _ = try Repository.create(
      files, chunker: chunker, first: RecordDraft(kind: "init", summary: "init"), at: now)
  }

  static func open(_ files: any FileOperations) throws -> Repository {
    let repository = try Repository(files, segmentLimit: 8 << 10)
    repository.packLimits.data = 6 << 10
    repository.packLimits.metadata = 4 << 10
    repository.packLimits.unindexedFrames = 2
    return repository
  }

  /// A minute later.
  func tick(_ seconds: Int64 = 60) { now.seconds += seconds }

  /// Commits a state of the folder to a branch, and returns its number.
  @discardableResult
  func commit(
    _ content: Content, to repository: Repository, branch: String = "main"
  ) throws -> Int {
    tick()
    let id = try Self.commit(content, to: repository, branch: branch, at: now)
    snapshots.append((id, content))
    return snapshots.count - 1
  }

  static func commit(
    _ content: Content, to repository: Repository, branch: String, at time: Timestamp,
    reached: (Int) -> Void = { _ in }
  ) throws -> ObjectID {
    let session = try repository.beginSession()
    reached(0)
    let state = try repository.refresh()
    var parent: ObjectID?
    if case .id(let id)? = state.refs[refs.branch(branch)] { parent = id }
    let tree = try DamageFixture.tree(of: content, in: session)
    let snapshot = Snapshot(
      tree: tree, parent: parent, branch: branch, time: time, trigger: "manual", basis: .scan,
      folder: folder)
    let id = try session.write(.snapshot, snapshot.encoded)
    reached(1)
    var draft = RecordDraft(kind: "snapshot", summary: "a snapshot")
    draft.moves = [
      RefMove(ref: refs.branch(branch), old: parent.map { .id($0) }, new: .id(id))
    ]
    draft.facts = [Fact(subject: id, key: RefLog.durationFact, value: Array("1".utf8))]
    _ = try session.commit(draft, at: time)
    return id
  }

  /// Files of a few chunks; `number` decides the bytes of the ones that change.
  static func content(_ number: Int, count: Int = 6) -> Content {
    var content: Content = [.root: [], key("d"): []]
    for file in 0..<count { content[key("d/f\(file)")] = DamageFixture.bytes(file * 2 + 1, 900) }
    content[key("changing")] = DamageFixture.bytes(1001 + number * 2, 1500)
    content[key("d/f\(number % count)")] = DamageFixture.bytes(3001 + number * 2, 700)
    return content
  }

  /// Takes snapshots away, as `dtm prune` does.
  func prune(_ numbers: some Sequence<Int>, in repository: Repository) throws {
    tick()
    var draft = RecordDraft(kind: "prune", summary: "pruned")
    draft.facts = numbers.map {
      Fact(subject: snapshots[$0].id, key: RefLog.prunedFact, value: Array("policy".utf8))
    }
    _ = try repository.beginSession().commit(draft, at: now)
  }

  /// Brings them back, as `dtm undo` does.
  func takeBack(_ numbers: some Sequence<Int>, in repository: Repository) throws {
    tick()
    var draft = RecordDraft(kind: "label", summary: "taken back")
    draft.facts = numbers.map {
      Fact(subject: snapshots[$0].id, key: RefLog.prunedFact, value: [])
    }
    _ = try repository.beginSession().commit(draft, at: now)
  }

  @discardableResult
  func collect(
    _ repository: Repository, _ policy: CollectionPolicy = .now, patience: Int = 0,
    isCancelled: @escaping () -> Bool = { false }
  ) throws -> CollectionReport {
    tick()
    var left = patience
    let collection = RepositoryCollection(
      repository, policy, RepositoryRepair.Context(time: now),
      waits: {
        left -= 1
        return left >= 0
      }, isCancelled: isCancelled)
    return try collection.run()
  }

  // MARK: - Looking

  /// What is wrong with some snapshots: each has to be there, with its content.
  func problem(_ numbers: some Sequence<Int>, in files: any FileOperations) -> String? {
    Self.problem(numbers.map { snapshots[$0] }, in: files)
  }

  static func problem(
    _ snapshots: [(id: ObjectID, content: Content)], in files: any FileOperations
  ) -> String? {
    do {
      let repository = try open(files)
      for (id, content) in snapshots {
        let snapshot = try Snapshot(
          decoding: try repository.objects.read(id, .snapshot), id: id)
        let tree = Tree(root: snapshot.tree, objects: repository.objects)
        var found: Content = [:]
        for entry in try tree.entries() {
          found[entry.key] =
            entry.kind == .directory
            ? []
            : try ContentReader(repository.objects).bytes(of: entry.content, size: entry.size)
        }
        if found != content { return "\(id.short) has other content" }
      }
      return try repository.verify(readsData: true).damage.first?.message
    } catch { return "\(error)" }
  }

  /// The ids that history leads to from a branch, newest first.
  static func line(_ repository: Repository, branch: String = "main") throws -> [ObjectID] {
    var line: [ObjectID] = []
    guard case .id(let head)? = try repository.refresh().refs[refs.branch(branch)] else {
      return []
    }
    var next: ObjectID? = head
    while let id = next {
      let isPruned = try id != head && repository.refLog.isPruned(id)
      if !isPruned { line.append(id) }
      do throws(RepositoryError) {
        next = try Snapshot(decoding: try repository.objects.read(id, .snapshot), id: id).parent
      } catch {
        next = try repository.refLog.predecessor(of: id)
      }
    }
    return line
  }

  /// Bytes of all packs, wherever they stand.
  static func packBytes(_ files: SimulatedFileOperations) -> Int {
    files.paths().reduce(0) { sum, file in
      ["packs/", "live/", "trash/"].contains { file.key.hasPrefix($0) }
        ? sum + file.value.count : sum
    }
  }
}
