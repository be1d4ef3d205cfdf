import DTMRepository
import DTMSystem
import DTMTestSupport
import Testing

@Suite struct CollectionTests {
  private let files = SimulatedFileOperations()
  private let fixture = CollectionFixture()

  private func history(_ count: Int) throws -> Repository {
    try fixture.create(files)
    let repository = try CollectionFixture.open(files)
    for number in 0..<count {
      try fixture.commit(CollectionFixture.content(number), to: repository)
    }
    return repository
  }

  @Test func `nothing is freed where nothing was pruned`() throws {
    let repository = try history(8)
    let before = files.paths()
    let report = try fixture.collect(repository, .standard)
    #expect(report.freedBytes == 0)
    #expect(report.deletedPacks == 0 && report.rewrittenPacks == 0)
    #expect(report.keptSnapshots == 8)
    #expect(
      files.paths().filter { !$0.key.hasPrefix("locks/") }
        == before.filter {
          !$0.key.hasPrefix("locks/")
        })
  }

  @Test func `after pruning to a few the repository is as small as a fresh one with those`() throws
  {
    let repository = try history(40)
    let kept = [3, 17, 39]
    try fixture.prune((0..<40).filter { !kept.contains($0) }, in: repository)
    let before = CollectionFixture.packBytes(files)
    let report = try fixture.collect(repository)
    #expect(fixture.problem(kept, in: files) == nil)
    let after = CollectionFixture.packBytes(files)
    #expect(report.freedBytes == before - after)
    #expect(report.packBytes == after)
    #expect(report.waitingBytes == 0)

    let fresh = SimulatedFileOperations()
    let other = CollectionFixture()
    try other.create(fresh)
    let freshRepository = try CollectionFixture.open(fresh)
    for number in kept {
      try other.commit(CollectionFixture.content(number), to: freshRepository)
    }
    // A trailer's fixed part, which the fresh one's live packs have not got yet, is much for packs so small.
    let trailers = files.paths().keys.count { $0.hasPrefix("packs/") && $0 != "packs/" } * 1100
    #expect((after - trailers) * 10 <= CollectionFixture.packBytes(fresh) * 11)
  }

  @Test func `history goes on behind what was collected`() throws {
    let repository = try history(12)
    let kept = [1, 2, 6, 11]
    try fixture.prune((0..<12).filter { !kept.contains($0) }, in: repository)
    try fixture.collect(repository)
    let expected = kept.reversed().map { fixture.snapshots[$0].id }
    #expect(try CollectionFixture.line(repository) == expected)
    #expect(try CollectionFixture.line(CollectionFixture.open(files)) == expected)
    // Once more, when what one gap led to goes too.
    try fixture.prune([2, 6], in: repository)
    try fixture.collect(repository)
    #expect(
      try CollectionFixture.line(CollectionFixture.open(files))
        == [11, 1].map { fixture.snapshots[$0].id })
    #expect(fixture.problem([1, 11], in: files) == nil)
  }

  @Test func `what was pruned stays for the time of grace, and comes back until then`() throws {
    let repository = try history(6)
    try fixture.prune(0..<5, in: repository)
    fixture.tick(6 * 86_400)
    #expect(try fixture.collect(repository, .standard).freedBytes == 0)
    #expect(fixture.problem(0..<6, in: files) == nil)
    try fixture.takeBack([2], in: repository)
    fixture.tick(2 * 86_400)
    #expect(
      try fixture.collect(repository, CollectionPolicy(grace: .seconds(604_800), waste: 0))
        .freedBytes > 0)
    #expect(fixture.problem([2, 5], in: files) == nil)
    #expect(
      throws: RepositoryError(.notFound, ""), "what is gone does not come back",
      performing: { try fixture.takeBack([1], in: repository) })
  }

  @Test func `a ref can't come to what was collected, nor to what is about to be`() throws {
    let repository = try history(6)
    try fixture.prune(0..<5, in: repository)
    // A session that stands still keeps all from being deleted, and what is condemned is not whole.
    let other = try CollectionFixture.open(files)
    let session = try other.beginSession()
    let report = try fixture.collect(repository)
    #expect(report.waitingBytes > 0)
    #expect(fixture.problem(0..<6, in: files) == nil, "what is condemned can be read")
    func tag(_ number: Int) throws {
      let id = fixture.snapshots[number].id
      var draft = RecordDraft(kind: "tag", summary: "tagged")
      draft.moves = [
        RefMove(ref: CollectionFixture.refs.tag("v\(number)"), old: nil, new: .id(id))
      ]
      _ = try CollectionFixture.open(files).beginSession().commit(draft, at: fixture.now)
    }
    #expect(throws: RepositoryError(.notFound, "")) { try tag(2) }
    withExtendedLifetime(session) {}
  }

  @Test func `a session that began before takes back what it builds on`() throws {
    let repository = try history(6)
    try fixture.prune(0..<5, in: repository)
    // It finds the content of a pruned snapshot, and stores nothing of it again.
    let old = CollectionFixture.content(2)
    let head = fixture.snapshots[5].id
    func write() throws -> ObjectID {
      let session = try CollectionFixture.open(files).beginSession()
      let tree = try DamageFixture.tree(of: old, in: session)
      #expect(try fixture.collect(repository).waitingBytes > 0)
      let snapshot = Snapshot(
        tree: tree, parent: head, branch: "main", time: fixture.now, trigger: "manual",
        basis: .scan, folder: CollectionFixture.folder)
      let id = try session.write(.snapshot, snapshot.encoded)
      var draft = RecordDraft(kind: "snapshot", summary: "late")
      draft.moves = [
        RefMove(ref: CollectionFixture.refs.branch("main"), old: .id(head), new: .id(id))
      ]
      _ = try session.commit(draft, at: fixture.now)
      return id
    }
    let late = [(id: try write(), content: old)]
    #expect(CollectionFixture.problem(late, in: files) == nil, "before it is taken back")
    let report = try fixture.collect(repository)
    #expect(report.waitingBytes == 0 && report.freedBytes > 0)
    #expect(CollectionFixture.problem(late + [fixture.snapshots[5]], in: files) == nil)
    #expect(!files.paths().keys.contains { $0.hasPrefix("trash/") && $0 != "trash/" })
  }

  /// A history whose two newest snapshots' content stands in a live pack, with all but the newest pruned;
  /// the number of that one, and the names of the live packs.
  private func historyWithLivePack() throws -> (repository: Repository, newest: Int, live: [String])
  {
    let repository = try history(6)
    var live: [String] = []
    while live.isEmpty {
      try fixture.commit(CollectionFixture.content(fixture.snapshots.count), to: repository)
      live = try files.list("live").filter { $0.hasSuffix(".data") }
    }
    try fixture.commit(CollectionFixture.content(fixture.snapshots.count), to: repository)
    try #require(files.list("live").filter { $0.hasSuffix(".data") } == live)
    let newest = fixture.snapshots.count - 1
    try fixture.prune(0..<newest, in: repository)
    return (repository, newest, live)
  }

  /// Somebody knows packs as live that a collection, of somebody else, seals, writes anew and deletes.
  private func staleReader() throws -> (stale: Repository, newest: Int) {
    let (repository, newest, live) = try historyWithLivePack()
    let stale = try CollectionFixture.open(files)
    #expect(fixture.snapshots.allSatisfy { stale.isIndexed($0.id, .snapshot) })
    var policy = CollectionPolicy(grace: .zero, waste: 0)
    policy.sealsLivePacks = true
    try fixture.collect(repository, policy)
    let packs = try files.list("packs") + files.list("live")
    try #require(live.allSatisfy { !packs.contains($0) })
    return (stale, newest)
  }

  @Test func `nothing is built on a live pack that was sealed and deleted meanwhile`() throws {
    let (stale, newest) = try staleReader()
    // Content of a snapshot that is gone.
    let again = try fixture.commit(fixture.snapshots[newest - 1].content, to: stale)
    #expect(fixture.problem([newest, again], in: files) == nil)
  }

  @Test func `nothing is marked in a live pack that was sealed and deleted meanwhile`() throws {
    let (stale, newest) = try staleReader()
    try fixture.collect(stale)
    #expect(fixture.problem([newest], in: files) == nil)
  }

  @Test func `what a session seals between the two marks is needed as before`() throws {
    let (repository, newest, live) = try historyWithLivePack()
    // It goes on with the live packs, and writes something that nobody comes to need.
    let other = try CollectionFixture.open(files)
    var session: WriteSession? = try other.beginSession()
    _ = try session?.write(.chunk, DamageFixture.bytes(7001, 900))
    try session?.flush()
    let late = CollectionFixture.content(99)
    var snapshots = [fixture.snapshots[newest]]
    fixture.tick()
    let time = fixture.now
    let collection = RepositoryCollection(
      repository, .now, RepositoryRepair.Context(time: time),
      waits: {
        guard let writer = session else { return true }
        session = nil
        other.packLimits.data = 1
        do {
          let snapshot = Snapshot(
            tree: try DamageFixture.tree(of: late, in: writer), parent: nil, branch: "own",
            time: time,
            trigger: "manual", basis: .scan, folder: CollectionFixture.folder)
          let id = try writer.write(.snapshot, snapshot.encoded)
          var draft = RecordDraft(kind: "snapshot", summary: "late")
          draft.moves = [
            RefMove(ref: CollectionFixture.refs.branch("own"), old: nil, new: .id(id))
          ]
          _ = try writer.commit(draft, at: time)
          snapshots.append((id, late))
        } catch { Issue.record(error) }
        return true
      })
    #expect(try collection.run().rewrittenPacks > 0)
    #expect(snapshots.count == 2)
    let packs = try files.list("packs") + files.list("live")
    #expect(live.contains { !packs.contains($0) }, "none of \(live) was written anew")
    #expect(CollectionFixture.problem(snapshots, in: files) == nil)
  }

  @Test func `what waits for a session is freed once that has ended`() throws {
    let repository = try history(6)
    try fixture.prune(0..<5, in: repository)
    func collectBesideSession() throws {
      let session = try CollectionFixture.open(files).beginSession()
      let report = try fixture.collect(repository, patience: 3)
      #expect(report.waitingBytes > 0 && report.deletedPacks == 0)
      withExtendedLifetime(session) {}
    }
    try collectBesideSession()
    let report = try fixture.collect(repository, patience: 0)
    #expect(report.freedBytes > 0 && report.waitingBytes == 0)
    #expect(!files.paths().keys.contains { $0.hasPrefix("trash/") && $0 != "trash/" })
    #expect(fixture.problem([5], in: files) == nil)
  }

  @Test func `a reader that was open before finds what was moved, and only that`() throws {
    let repository = try history(20)
    let reader = try CollectionFixture.open(files)
    try fixture.prune((0..<20).filter { $0 % 5 != 4 }, in: repository)
    try fixture.collect(repository)
    for number in [4, 9, 14, 19] {
      let id = fixture.snapshots[number].id
      let snapshot = try Snapshot(decoding: try reader.objects.read(id, .snapshot), id: id)
      #expect(try !Tree(root: snapshot.tree, objects: reader.objects).entries().isEmpty)
    }
    // Its next session stores what it knew from packs that are gone.
    let number = try fixture.commit(CollectionFixture.content(2), to: reader)
    #expect(fixture.problem([4, 19, number], in: files) == nil)
  }

  @Test func `a reader that has opened none of the packs finds snapshots where they went`() throws {
    let repository = try history(24)
    #expect(files.paths().keys.contains { $0.hasSuffix(".index") })
    let reader = try CollectionFixture.open(files)
    let kept = [2, 9, 23]
    try fixture.prune((0..<24).filter { !kept.contains($0) }, in: repository)
    #expect(try fixture.collect(repository).rewrittenPacks > 0)
    for number in kept {
      let id = fixture.snapshots[number].id
      #expect(try reader.snapshotIDs(prefix: id.hex) == [id], "\(number)")
    }
    #expect(try reader.verify(readsData: true).damage.isEmpty)
  }

  /// An index is a cache that anybody may bring back, from a backup say.
  @Test func `what an old index names in packs that are gone is stored anew`() throws {
    let repository = try history(24)
    let indexes = files.paths().filter { $0.key.hasSuffix(".index") }
    #expect(!indexes.isEmpty)
    try fixture.prune(0..<23, in: repository)
    #expect(try fixture.collect(repository).deletedPacks > 0)
    for (name, bytes) in indexes { try files.plant(bytes, at: name) }
    let later = try CollectionFixture.open(files)
    for number in 3..<8 { try fixture.commit(CollectionFixture.content(number), to: later) }
    #expect(fixture.problem(23..<29, in: files) == nil)
    // With the page that an index covers pruned too, what is marked is what is there.
    try fixture.prune([24, 26], in: later)
    try fixture.collect(later)
    #expect(fixture.problem([23, 25, 27, 28], in: files) == nil)
  }

  @Test func `nothing is freed where damage hides what is needed`() throws {
    let repository = try history(12)
    try fixture.prune(0..<11, in: repository)
    let packs = files.paths().keys.filter { $0.hasSuffix(".meta") }.sorted()
    // Any page of the newest snapshot's tree.
    var isRefused = false
    for pack in packs {
      let damaged = files.afterKill()
      var bytes = try #require(damaged.paths()[pack])
      for index in stride(from: 200, to: bytes.count, by: 7) { bytes[index] ^= 1 }
      try damaged.plant(bytes, at: pack)
      do {
        _ = try fixture.collect(try CollectionFixture.open(damaged))
      } catch let error as RepositoryError {
        #expect(error.code == .corrupt, "\(error)")
        isRefused = true
        #expect(damaged.paths()[pack] == bytes)
      }
    }
    #expect(isRefused)
  }

  @Test func `two at once exclude each other, and so does a repair`() throws {
    let repository = try history(3)
    try fixture.prune([0], in: repository)
    let session = try CollectionFixture.open(files).beginSession()
    var codes: [RepositoryError.Code] = []
    let collection = RepositoryCollection(
      repository, .now, RepositoryRepair.Context(time: fixture.now),
      waits: { [files, fixture] in
        do {
          try fixture.collect(CollectionFixture.open(files))
        } catch let error as RepositoryError { codes.append(error.code) } catch {}
        do throws(RepositoryError) {
          _ = try RepositoryRepair(files, RepositoryRepair.Context(time: fixture.now))
        } catch { codes.append(error.code) }
        return false
      })
    _ = try collection.run()
    withExtendedLifetime(session) {}
    #expect(codes == [.locked, .locked])
  }

  @Test func `a feature that forbids collecting is heeded`() throws {
    _ = try history(2)
    let text = String(decoding: try #require(files.paths()["format.json"]), as: UTF8.self)
    try files.plant(
      Array(text.replacing("\"collect\":[]", with: "\"collect\":[\"locks\"]").utf8),
      at: "format.json")
    let repository = try CollectionFixture.open(files)
    #expect(throws: RepositoryError(.unsupportedVersion, "")) { try fixture.collect(repository) }
    try fixture.commit(CollectionFixture.content(9), to: repository)
  }

  @Test func `it can be ended between any two snapshots, and goes on`() throws {
    _ = try history(12)
    try fixture.prune(0..<10, in: CollectionFixture.open(files))
    for count in 0..<40 {
      let copy = files.afterKill()
      var left = count
      do {
        try fixture.collect(
          CollectionFixture.open(copy),
          isCancelled: {
            left -= 1
            return left < 0
          })
        #expect(count > 2)
        break
      } catch let error as RepositoryError {
        #expect(error.code == .cancelled)
      }
      #expect(fixture.problem([10, 11], in: copy) == nil)
      try fixture.collect(CollectionFixture.open(copy))
      #expect(fixture.problem([10, 11], in: copy) == nil)
    }
  }
}
