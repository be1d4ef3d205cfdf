internal import DTMSystem

/// One verification of a repository.
final class Verifier {
  private(set) var result = Verification()

  private let repository: Repository
  private let presence: PresenceCheck
  private var checker = TreeChecker()

  init(_ repository: Repository, assuming: Set<ObjectID>) {
    self.repository = repository
    presence = PresenceCheck(repository, assuming: assuming)
  }

  /// Runs all checks, see `Repository.verify`.
  func run(_ asked: [ObjectID]?, _ sample: FrameSample) throws(RepositoryError) {
    let state = try repository.refresh()
    for damage in try repository.refLog.verify() where damage.kind != .remnant {
      presence.report(Damage(object: nil, file: damage.file, message: damage.message))
    }
    let catalog = repository.packs.catalog
    // Beside a collection packs come and go: what is needed is in those that are there at the end.
    var seen: Set<PackID> = []
    repeat {
      for handle in catalog.allPacks() where seen.insert(handle.id).inserted {
        try verifyPack(handle, sample)
      }
    } while try repository.packs.listAgain()
    for (id, error) in catalog.unreadable.sorted(by: { $0.key < $1.key }) {
      presence.report(
        Damage(object: nil, file: error.file ?? "packs/\(id.hex)", message: error.message))
    }
    // A merged index that is wrong is a cache that heals; what it named is looked for again.
    _ = try catalog.audit()
    try presence.settleSuspects()
    let snapshots: [ObjectID]
    if let asked { snapshots = asked } else { snapshots = try reachable(state) }
    var trees: [LossFinder.Root] = []
    for id in snapshots {
      result.snapshots += 1
      if let snapshot = try verifySnapshot(id) {
        trees.append(LossFinder.Root(snapshot: id, tree: snapshot.tree))
      }
    }
    if presence.hasBroken {
      let finder = LossFinder(repository.objects, presence)
      result.lostPaths = try finder.find(trees)
    }
    result.damage = presence.damage
  }

  // MARK: - Packs

  private func verifyPack(_ handle: PackHandle, _ sample: FrameSample) throws(RepositoryError) {
    let pack: PackFile
    do throws(RepositoryError) { pack = try handle.file(repository.files) } catch {
      guard error.code == .notFound || error.code == .corrupt else { throw error }
      presence.exclude(handle.id)
      // Collected since it was listed; if it was needed still, that shows by its objects.
      if error.code == .notFound { return }
      presence.report(
        Damage(object: nil, file: error.file ?? "packs/\(handle.id.hex)", message: error.message))
      return
    }
    if let damage = formatDamage(pack) { presence.report(damage) }
    var verifier = PackVerifier(pack, zstd: repository.zstd, reading: sample)
    verifier.run()
    result.objects += verifier.objects
    result.bytes += verifier.bytes
    for finding in verifier.findings {
      presence.suspect(finding.objects, file: pack.name, finding.message)
    }
  }

  /// A pack holds the `format.json` of its repository: one of the two is wrong where they differ.
  private func formatDamage(_ pack: PackFile) -> Damage? {
    do throws(RepositoryError) {
      let format = try RepositoryFormat.decode(try pack.storedFormat()).format
      if format == repository.format { return nil }
      return Damage(
        object: nil, file: "format.json",
        message: "format.json has another repository id or other chunk sizes than \(pack.name)")
    } catch {
      return Damage(
        object: nil, file: pack.name, message: "\(pack.name): its header's \(error.message)")
    }
  }

  // MARK: - Snapshots

  /// All snapshots that a ref reaches, each once, newest first a branch. One that is lost is passed
  /// over where the ref log knows what came before it.
  private func reachable(_ state: RefLogState) throws(RepositoryError) -> [ObjectID] {
    var found: [ObjectID] = []
    var seen: Set<ObjectID> = []
    for (_, value) in state.refs.sorted(by: { $0.key < $1.key }) {
      guard case .id(let head) = value else { continue }
      var next: ObjectID? = head
      while let id = next, seen.insert(id).inserted {
        var isGivenUp = false
        if id != head { isGivenUp = try repository.refLog.isCollected(id) }
        if !isGivenUp, let snapshot = try read(id) {
          found.append(id)
          next = snapshot.parent
        } else {
          // A ref's own snapshot has to be there; its ancestors may have been pruned and collected.
          var isCollected = false
          if id != head { isCollected = try repository.refLog.isPruned(id) }
          if !isCollected { found.append(id) }
          next = try repository.refLog.predecessor(of: id)
        }
      }
    }
    return found
  }

  /// The snapshot; nil where it can't be read.
  private func read(_ id: ObjectID) throws(RepositoryError) -> Snapshot? {
    try orFailure(id).0
  }

  private func orFailure(
    _ id: ObjectID
  ) throws(RepositoryError) -> (Snapshot?, RepositoryError?) {
    do throws(RepositoryError) {
      return (try Snapshot(decoding: try repository.objects.read(id, .snapshot), id: id), nil)
    } catch {
      guard error.code == .corrupt || error.code == .notFound else { throw error }
      return (nil, error)
    }
  }

  private func verifySnapshot(_ id: ObjectID) throws(RepositoryError) -> Snapshot? {
    let (found, failure) = try orFailure(id)
    guard let snapshot = found else {
      let index = presence.lose(
        ObjectName(id: id, kind: .snapshot), file: failure?.file ?? "", failure?.message ?? "")
      presence.damage[index].snapshots = [id]
      if !result.lostSnapshots.contains(id) { result.lostSnapshots.append(id) }
      return nil
    }
    let presence = presence
    let tree = Tree(root: snapshot.tree, objects: repository.objects)
    let defects = try checker.check(tree) { object, kind throws(RepositoryError) in
      // The checker reads pages itself.
      if kind != .page { try presence.check(ObjectName(id: object, kind: kind)) }
    }
    for defect in defects {
      presence.lose(
        ObjectName(id: defect.page, kind: .page), file: defect.error.file ?? "",
        defect.error.message)
    }
    return snapshot
  }
}
