package import DTMSystem

/// Something wrong in a repository, and what suffers from it.
package struct Damage: Sendable {
  /// The object that can't be read; nil where no single one is meant.
  package let object: ObjectID?
  /// Relative to the repository's root; empty where it is missing altogether.
  package let file: String
  /// A sentence: what is wrong, where.
  package let message: String
  /// Snapshots that need the object, and the paths in them, as far as they were looked for.
  package var snapshots: [ObjectID] = []
  package var paths: [PathKey] = []

  package init(object: ObjectID?, file: String, message: String) {
    self.object = object
    self.file = file
    self.message = message
  }
}

/// What a verification found.
package struct Verification: Sendable {
  /// Objects looked at, and bytes unpacked and hashed (0 without reading data).
  package var objects = 0
  package var bytes = 0
  package var snapshots = 0
  package var damage: [Damage] = []

  package var isSound: Bool { damage.isEmpty }
}

extension Repository {
  /// Checks the ref log, all packs, and the trees of the snapshots given (nil: all that a ref reaches).
  ///
  /// Without `readsData` each frame's header, each table and each page is read, but no file content.
  /// Takes no lock; what is committed meanwhile is not looked at. Throws only what keeps it from going
  /// on at all.
  package func verify(
    _ snapshots: [ObjectID]? = nil, readsData: Bool
  ) throws(RepositoryError) -> Verification {
    var verifier = Verifier(self)
    try verifier.run(snapshots, readsData: readsData)
    return verifier.result
  }
}

/// One run over a repository.
private struct Verifier {
  private let repository: Repository
  private(set) var result = Verification()
  /// Index into `result.damage` of each object that can't be read.
  private var broken: [ObjectID: Int] = [:]
  private var sound: Set<ObjectName> = []
  private var checker = TreeChecker()

  init(_ repository: Repository) {
    self.repository = repository
  }

  mutating func run(_ asked: [ObjectID]?, readsData: Bool) throws(RepositoryError) {
    let state = try repository.refresh()
    for damage in try repository.refLog.verify() where damage.kind != .remnant {
      result.damage.append(
        Damage(object: nil, file: damage.file, message: damage.message))
    }
    for handle in repository.packs.catalog.allPacks() {
      try verifyPack(handle, readsData: readsData)
    }
    let snapshots: [ObjectID]
    if let asked { snapshots = asked } else { snapshots = try reachable(state) }
    var trees: [(id: ObjectID, snapshot: Snapshot)] = []
    for id in snapshots {
      result.snapshots += 1
      if let snapshot = try verifySnapshot(id) { trees.append((id, snapshot)) }
    }
    if !broken.isEmpty {
      for (id, snapshot) in trees { try namePaths(id, snapshot) }
    }
  }

  private mutating func verifyPack(
    _ handle: PackHandle, readsData: Bool
  ) throws(RepositoryError) {
    let pack: PackFile
    do throws(RepositoryError) { pack = try handle.file(repository.files) } catch {
      if error.code == .notFound || error.code == .corrupt {
        result.damage.append(
          Damage(object: nil, file: error.file ?? "packs/\(handle.id.hex)", message: error.message))
        return
      }
      throw error
    }
    var verifier = PackVerifier(pack, zstd: repository.zstd, readsData: readsData)
    verifier.run()
    result.objects += verifier.objects
    result.bytes += verifier.bytes
    for finding in verifier.findings {
      if finding.objects.isEmpty {
        result.damage.append(Damage(object: nil, file: pack.name, message: finding.message))
      }
      for object in finding.objects { report(object, pack.name, finding.message) }
    }
  }

  private mutating func report(_ object: ObjectID, _ file: String, _ message: String) {
    if broken[object] != nil { return }
    broken[object] = result.damage.count
    result.damage.append(Damage(object: object, file: file, message: message))
  }

  /// All snapshots that a ref reaches, each once, newest first a branch.
  private mutating func reachable(_ state: RefLogState) throws(RepositoryError) -> [ObjectID] {
    var found: [ObjectID] = []
    var seen: Set<ObjectID> = []
    for (_, value) in state.refs.sorted(by: { $0.key < $1.key }) {
      guard case .id(let head) = value else { continue }
      var next: ObjectID? = head
      while let id = next, seen.insert(id).inserted {
        // A parent that was pruned and collected ends the history; a ref's own snapshot has to be there.
        guard id == head || !repository.packs.catalog.locations(of: id, .snapshot).isEmpty else {
          break
        }
        found.append(id)
        next = try read(id)?.parent
      }
    }
    return found
  }

  /// The snapshot, or nil, reported, where it can't be read.
  private mutating func read(_ id: ObjectID) throws(RepositoryError) -> Snapshot? {
    do throws(RepositoryError) {
      return try Snapshot(decoding: try repository.objects.read(id, .snapshot), id: id)
    } catch {
      guard error.code == .corrupt || error.code == .notFound else { throw error }
      report(id, error.file ?? "", error.message)
      if let index = broken[id], !result.damage[index].snapshots.contains(id) {
        result.damage[index].snapshots.append(id)
      }
      return nil
    }
  }

  private mutating func verifySnapshot(_ id: ObjectID) throws(RepositoryError) -> Snapshot? {
    guard let snapshot = try read(id) else { return nil }
    var needed: [ObjectName] = []
    let tree = Tree(root: snapshot.tree, objects: repository.objects)
    let defects = try checker.check(tree) { object, kind in
      needed.append(ObjectName(id: object, kind: kind))
    }
    for defect in defects {
      report(defect.page, defect.error.file ?? "", defect.error.message)
      if let index = broken[defect.page] {
        result.damage[index].snapshots.append(id)
        result.damage[index].paths.append(defect.key)
      }
    }
    for name in needed { try verifyPresence(name) }
    return snapshot
  }

  /// Whether an object, and what a list names, can be found.
  private mutating func verifyPresence(_ name: ObjectName) throws(RepositoryError) {
    guard sound.insert(name).inserted, broken[name.id] == nil else { return }
    if repository.packs.catalog.locations(of: name.id, name.kind).isEmpty {
      report(name.id, "", "no pack holds the \(name.kind) \(name.id)")
      return
    }
    guard name.kind == .list else { return }
    guard let list = try readList(name.id) else { return }
    for child in list.children {
      guard let id = child.id else { continue }
      try verifyPresence(ObjectName(id: id, kind: list.height == 0 ? .chunk : .list))
    }
  }

  private mutating func readList(_ id: ObjectID) throws(RepositoryError) -> ContentList? {
    do throws(RepositoryError) {
      let bytes = try repository.objects.read(id, .list)
      do throws(DecodingFailure) { return try ContentList(decoding: bytes) } catch {
        throw RepositoryError(error, of: "list \(id)", object: id)
      }
    } catch {
      guard error.code == .corrupt || error.code == .notFound else { throw error }
      report(id, error.file ?? "", error.message)
      return nil
    }
  }

  /// Says which paths of a snapshot need a broken object; only called when there is one.
  private mutating func namePaths(
    _ id: ObjectID, _ snapshot: Snapshot
  ) throws(RepositoryError) {
    let tree = Tree(root: snapshot.tree, objects: repository.objects)
    var uses: [(ObjectID, PathKey)] = []
    do throws(RepositoryError) {
      try tree.forEach { entry throws(RepositoryError) in
        for object in try objects(of: entry) where broken[object] != nil {
          uses.append((object, entry.key))
        }
        return true
      }
    } catch {
      // A page of the tree itself is broken: its defect names where.
      guard error.code == .corrupt || error.code == .notFound else { throw error }
    }
    for (object, key) in uses {
      guard let index = broken[object] else { continue }
      if !result.damage[index].snapshots.contains(id) { result.damage[index].snapshots.append(id) }
      if !result.damage[index].paths.contains(key) { result.damage[index].paths.append(key) }
    }
  }

  private func objects(of entry: TreeEntry) throws(RepositoryError) -> [ObjectID] {
    var found: [ObjectID] = []
    if case .object(let id) = entry.attributes { found.append(id) }
    switch entry.content {
    case .chunk(let id): found.append(id)
    case .list(let id): try collect(id, into: &found)
    default: break
    }
    return found
  }

  private func collect(_ id: ObjectID, into found: inout [ObjectID]) throws(RepositoryError) {
    found.append(id)
    guard broken[id] == nil else { return }
    let bytes = try repository.objects.read(id, .list)
    guard let list = try? ContentList(decoding: bytes) else { return }
    for child in list.children {
      guard let childID = child.id else { continue }
      if list.height == 0 { found.append(childID) } else { try collect(childID, into: &found) }
    }
  }
}
