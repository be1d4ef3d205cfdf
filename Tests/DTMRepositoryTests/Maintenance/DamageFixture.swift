import DTMRepository
import DTMSystem
import DTMTestSupport
import SystemPackage
import Testing

/// A small repository with everything that can be damaged: sealed and live packs of both kinds, a tree
/// of several pages, lists, attributes, four snapshots on two branches, a tag; and what it holds.
struct DamageFixture {
  /// The content of each path of a snapshot; no bytes: a directory.
  typealias Content = [PathKey: [UInt8]]

  let folder: PackID
  let files: SimulatedFileOperations
  /// The snapshots, oldest first.
  private(set) var snapshots: [(id: ObjectID, content: Content)] = []
  static let time = Timestamp(seconds: 1_700_000_000)

  var refs: FolderRefs { FolderRefs(folder) }

  /// `count`: of the files in the directory.
  init(count: Int = 70) throws {
    folder = try #require(PackID(hex: "000102030405060708090a0b0c0d0e0f"))
    files = SimulatedFileOperations()
    let chunker = try #require(ChunkerParameters(minimum: 256, average: 512, maximum: 1024))
    _ = try Repository.create(
      files, chunker: chunker, first: RecordDraft(kind: "init", summary: "init"), at: Self.time)
    var content = Self.first(count)
    try commit(content, branch: "main")
    content[Self.key("d/b5")] = Self.bytes(5, 700)
    content[Self.key("new")] = Self.bytes(6, 190)
    try commit(content, branch: "main")
    content[Self.key("large")] = Self.bytes(99, 400) + Self.bytes(101, 3000)
    try commit(content, branch: "main")
    content[Self.key("d/b7")] = nil
    // The last one ends in live packs.
    content[Self.key("late")] = Self.bytes(103, 900)
    try commit(content, branch: "side", parent: 1, sealsPacks: false)
  }

  static func key(_ path: String) -> PathKey {
    PathKey(bytes: path.utf8.map { $0 == UInt8(ascii: "/") ? 0 : $0 })
  }

  /// Bytes that do not compress, or that do, by turns.
  static func bytes(_ number: Int, _ count: Int) -> [UInt8] {
    if number.isMultiple(of: 2) {
      return Array(String(repeating: "row \(number);", count: count / 6 + 1).utf8.prefix(count))
    }
    var generator = SplitMix(seed: UInt64(number))
    return (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
  }

  private static func first(_ count: Int) -> Content {
    var content: Content = [.root: [], key("d"): []]
    for number in 0..<count { content[key("d/b\(number)")] = bytes(number, 100 + number * 7) }
    content[key("large")] = bytes(101, 3000)
    return content
  }

  func open(_ files: any FileOperations) throws -> Repository {
    let repository = try Repository(files)
    repository.packLimits.data = 3 << 10
    repository.packLimits.metadata = 5 << 10
    repository.packLimits.unindexedFrames = 2
    return repository
  }

  private mutating func commit(
    _ content: Content, branch: String, parent: Int? = nil, sealsPacks: Bool = true
  ) throws {
    let id = try Self.write(
      content, branch: branch, number: snapshots.count, parent: (parent ?? snapshots.count - 1),
      of: snapshots.map(\.id), folder: folder,
      to: sealsPacks ? try open(files) : try Repository(files))
    snapshots.append((id, content))
  }

  /// Writes a snapshot of `content`; what is there already is not written again.
  @discardableResult
  static func write(
    _ content: Content, branch: String, number: Int, parent: Int?, of ids: [ObjectID],
    folder: PackID, to repository: Repository
  ) throws -> ObjectID {
    let session = try repository.beginSession()
    let tree = try tree(of: content, in: session)
    var snapshot = Snapshot(
      tree: tree, parent: parent.flatMap { $0 >= 0 ? ids[$0] : nil }, branch: branch,
      time: Timestamp(seconds: time.seconds + Int64(number) * 60), trigger: "manual", basis: .scan,
      folder: folder)
    snapshot.message = "number \(number)"
    let id = try session.write(.snapshot, snapshot.encoded)
    let refs = FolderRefs(folder)
    let state = try repository.refresh()
    var draft = RecordDraft(kind: "snapshot", summary: "number \(number)")
    draft.moves = [
      RefMove(ref: refs.branch(branch), old: state.refs[refs.branch(branch)], new: .id(id))
    ]
    if state.refs[refs.head] == nil {
      draft.moves.append(RefMove(ref: refs.head, old: nil, new: .name(branch)))
    }
    if number == 1 {
      draft.moves.append(
        RefMove(ref: refs.tag("v1"), old: state.refs[refs.tag("v1")], new: .id(id)))
    }
    draft.facts = [Fact(subject: id, key: "label:n", value: Array("\(number)".utf8))]
    _ = try session.commit(draft, at: time)
    return id
  }

  static func tree(
    of content: Content, in session: WriteSession
  ) throws -> ObjectID {
    var builder = TreeBuilder(writer: session)
    for key in content.keys.sorted() {
      guard let bytes = content[key], !bytes.isEmpty else {
        try builder.append(TreeEntry(key: key, kind: .directory, permissions: 0o755))
        continue
      }
      var file = ContentBuilder(session)
      try file.append(bytes)
      var entry = TreeEntry(
        key: key, kind: .file, permissions: 0o644, size: UInt64(bytes.count),
        content: try file.finish())
      if key == Self.key("new") {
        entry.attributes = .object(try session.writeAttributes(attributes))
      }
      try builder.append(entry)
    }
    return try builder.finish().root
  }

  static let attributes: [UInt8] = {
    var writer = ByteWriter()
    writer.list([200]) {
      $0.counted(Array("user.note".utf8))
      $0.counted([UInt8](repeating: 0x61, count: $1))
    }
    return writer.bytes
  }()

  // MARK: - Reading it back

  /// The snapshots that history leads to, from all refs.
  func reached(_ repository: Repository) throws -> Set<ObjectID> {
    var found: Set<ObjectID> = []
    for case .id(let head) in try repository.refresh().refs.values {
      var next: ObjectID? = head
      while let id = next, found.insert(id).inserted {
        do {
          let bytes = try repository.objects.read(id, .snapshot)
          next = try Snapshot(decoding: bytes, id: id).parent
        } catch {
          next = try repository.refLog.predecessor(of: id)
        }
      }
    }
    return found
  }

  /// What can't be read: whole snapshots, and paths.
  struct Losses: Equatable {
    var snapshots: Set<ObjectID> = []
    /// Of snapshots that can be read.
    var paths: [PathKey: Set<ObjectID>] = [:]

    var isEmpty: Bool { snapshots.isEmpty && paths.isEmpty }
  }

  /// Reads every path of every snapshot by itself. What can be read must be what was written.
  func losses(_ repository: Repository, _ what: String) throws -> Losses {
    var losses = Losses()
    for (id, content) in snapshots {
      do {
        let bytes = try repository.objects.read(id, .snapshot)
        let tree = Tree(
          root: try Snapshot(decoding: bytes, id: id).tree, objects: repository.objects)
        for (key, expected) in content {
          do { try read(key, expected, in: tree, repository, what) } catch let error
            as RepositoryError where error.code == .corrupt || error.code == .notFound
          {
            losses.paths[key, default: []].insert(id)
          }
        }
      } catch let error as RepositoryError
        where error.code == .corrupt || error.code == .notFound
      {
        losses.snapshots.insert(id)
      }
    }
    return losses
  }

  private func read(
    _ key: PathKey, _ expected: [UInt8], in tree: Tree, _ repository: Repository, _ what: String
  ) throws {
    guard let entry = try tree.entry(key) else {
      Issue.record("\(what): \(Quoting.path(key.path)) has vanished")
      return
    }
    if !expected.isEmpty {
      let found = try ContentReader(repository.objects).bytes(
        of: entry.content, size: entry.size)
      if found != expected { Issue.record("\(what): wrong bytes of \(Quoting.path(key.path))") }
    }
    if case .object(let id) = entry.attributes {
      if try repository.objects.read(id, .chunk) != Self.attributes {
        Issue.record("\(what): wrong attributes of \(Quoting.path(key.path))")
      }
    }
  }

  /// Whether a verification names what can't be read, and nothing that can.
  func expect(_ found: Verification, names losses: Losses, _ what: String) {
    if Set(found.lostSnapshots) != losses.snapshots {
      Issue.record("\(what): \(losses.snapshots) are lost, \(found.lostSnapshots) are named")
    }
    let pages = found.lostPaths.filter(\.isPage)
    for (path, ids) in losses.paths {
      let named = found.lostPaths.first { $0.path == path && !$0.isPage }?.snapshots ?? []
      for id in ids where !named.contains(id) {
        // A page that is lost is named by its first path.
        let isInPage = pages.contains { $0.snapshots.contains(id) && $0.path <= path }
        if !isInPage { Issue.record("\(what): \(Quoting.path(path.path)) of \(id) is not named") }
      }
    }
    for lost in found.lostPaths where !lost.isPage {
      for id in lost.snapshots where losses.paths[lost.path]?.contains(id) != true {
        Issue.record("\(what): \(Quoting.path(lost.path.path)) of \(id) is named, but not lost")
      }
    }
  }

  /// A copy of the disk with some files changed; nil removes one.
  func damaged(_ changes: [String: [UInt8]?]) throws -> SimulatedFileOperations {
    let copy = files.afterKill()
    for (name, bytes) in changes { try copy.plant(bytes, at: name) }
    return copy
  }

  /// The files of the repository that hold the truth, with their bytes.
  var truth: [(name: String, bytes: [UInt8])] {
    files.paths().filter { path, _ in
      ["packs/", "live/", "refs/"].contains { path.hasPrefix($0) } && !path.hasSuffix("/")
    }
    .map { (name: $0.key, bytes: $0.value) }.sorted { $0.name < $1.name }
  }

  /// Writes all snapshots once more, as captures of the same content would.
  func writeAgain(to repository: Repository) throws {
    for (number, snapshot) in snapshots.enumerated() {
      try Self.write(
        snapshot.content, branch: number == 3 ? "side" : "main", number: number,
        parent: number == 3 ? 1 : number - 1, of: snapshots.map(\.id), folder: folder,
        to: repository)
    }
  }
}
