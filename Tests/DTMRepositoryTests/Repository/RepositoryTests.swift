import DTMRepository
import DTMSystem
import DTMTestSupport
import SystemPackage
import Testing

@Suite struct RepositoryTests {
  private func packs(_ files: SimulatedFileOperations, _ directory: String) -> [String] {
    files.paths().keys.filter {
      $0.hasPrefix(directory + "/") && ($0.hasSuffix(".data") || $0.hasSuffix(".meta"))
    }
  }

  @Test func `what was committed is read back by another, sealed packs or not`() throws {
    let files = SimulatedFileOperations()
    let fixture = RepositoryFixture()
    _ = try fixture.create(files)
    for number in 1...40 { try fixture.commit(number, to: try fixture.open(files)) }
    let repository = try fixture.open(files)
    #expect(try fixture.check(repository) == 40)
    let names = files.paths().keys
    #expect(packs(files, "packs").count > 8, "packs were sealed")
    #expect(packs(files, "live").count <= 2, "live packs were adopted")
    #expect(names.contains { $0.hasSuffix(".index") }, "tables were merged")
    let verification = try repository.verify([], readsData: true)
    #expect(verification.damage.map(\.message) == [])
    #expect(verification.objects == 40 * 4)
  }

  @Test func `a sample of the data is another one each time, and none is left out for good`() throws
  {
    let files = SimulatedFileOperations()
    let fixture = RepositoryFixture()
    _ = try fixture.create(files)
    for number in 1...20 { try fixture.commit(number, to: try fixture.open(files)) }
    let all = try fixture.open(files).verify([], readsData: true).bytes
    var sums: Set<Int> = []
    for _ in 0..<20 {
      let repository = try fixture.open(files)
      let sampled = try repository.verify([], readsData: true, share: 0.3).bytes
      #expect(sampled <= all)
      sums.insert(sampled)
    }
    #expect(sums.count > 5)
    // The last byte of the last frame's content.
    let flipped = try #require(packs(files, "live").first { $0.hasSuffix(".data") })
    let file = try files.open(flipped, writable: true)
    let last = try file.size() - 1
    try file.write([~(try file.read(at: last, count: 1)[0])], at: last)
    #expect(try fixture.open(files).verify([], readsData: false).isSound)
    var isFound = false
    for _ in 0..<200 where !isFound {
      let found = try fixture.open(files).verify([], readsData: true, share: 0.3)
      isFound = !found.isSound
    }
    #expect(isFound)
  }

  @Test func `a thousand snapshots by a thousand sessions make two packs`() throws {
    let files = SimulatedFileOperations()
    var fixture = RepositoryFixture()
    fixture.limits = PackLimits()
    _ = try fixture.create(files)
    for number in 1...1000 { try fixture.commit(number, to: try fixture.open(files)) }
    #expect(packs(files, "live").count == 2)
    #expect(packs(files, "packs").isEmpty)
    #expect(try fixture.check(try fixture.open(files)) == 1000)
  }

  @Test func `what is there is not written again`() throws {
    let files = SimulatedFileOperations()
    let fixture = RepositoryFixture()
    let repository = try fixture.create(files)
    try fixture.commit(1, to: repository)
    let session = try repository.beginSession()
    for chunk in RepositoryFixture.content(1).chunks { _ = try session.write(.chunk, chunk) }
    _ = try session.commit(RecordDraft(kind: "label", summary: ""), at: RepositoryFixture.time)
    #expect(session.storedBytes == 0)
  }

  @Test func `objects can be read before they are committed, and by nobody else`() throws {
    let files = SimulatedFileOperations()
    let fixture = RepositoryFixture()
    let repository = try fixture.create(files)
    let session = try repository.beginSession()
    var generator = XorShift(seed: 3)
    var written: [(ObjectID, [UInt8])] = []
    for _ in 0..<40 {
      let bytes = generator.bytes(20_000)
      written.append((try session.write(.chunk, bytes), bytes))
    }
    for (id, bytes) in written { #expect(try session.read(id, .chunk) == bytes) }
    #expect(throws: RepositoryError(.notFound, "")) {
      _ = try repository.objects.read(written[0].0, .chunk)
    }
  }

  @Test func `a chunk may have the id of a list`() throws {
    let files = SimulatedFileOperations()
    let repository = try RepositoryFixture().create(files)
    let list = ContentList(height: 0, children: [.init(id: nil, length: 5)]).encoded
    let hostile = Array("dtm list 1\0".utf8) + list
    let session = try repository.beginSession()
    let first = try session.write(.chunk, hostile)
    let second = try session.write(.list, list)
    #expect(first == second)
    #expect(try session.read(first, .chunk) == hostile)
    #expect(try session.read(first, .list) == list)
    _ = try session.commit(RecordDraft(kind: "snapshot", summary: ""), at: RepositoryFixture.time)
    let other = try Repository(files)
    #expect(try other.objects.read(first, .chunk) == hostile)
    #expect(try other.objects.read(first, .list) == list)
  }

  @Test func `caches may be deleted or damaged at any moment`() throws {
    let files = SimulatedFileOperations()
    let fixture = RepositoryFixture()
    _ = try fixture.create(files)
    for number in 1...40 { try fixture.commit(number, to: try fixture.open(files)) }
    let indexes = files.paths().filter { $0.key.hasSuffix(".index") }
    #expect(!indexes.isEmpty)
    for (name, bytes) in indexes {
      for flip in stride(from: 0, to: bytes.count, by: 97) {
        var changed = bytes
        changed[flip] ^= 0x10
        try files.plant(changed, at: name)
        #expect(try fixture.check(try fixture.open(files)) == 40)
        try files.plant(bytes, at: name)
      }
      try files.plant(nil, at: name)
      #expect(try fixture.check(try fixture.open(files)) == 40)
    }
  }

  @Test func `an unknown version or feature is refused by name`() throws {
    let files = SimulatedFileOperations()
    let repository = try RepositoryFixture().create(files)
    let text = String(decoding: repository.format.encoded, as: UTF8.self)
    func plant(_ changed: String) throws { try files.plant(Array(changed.utf8), at: "format.json") }
    try plant(text.replacing("\"version\":1", with: "\"version\":2"))
    #expect(throws: RepositoryError(.unsupportedVersion, "")) { _ = try Repository(files) }
    try plant(text.replacing("\"read\":[]", with: "\"read\":[\"encryption\"]"))
    #expect(throws: RepositoryError(.unsupportedVersion, "")) { _ = try Repository(files) }
    try plant(text.replacing("\"write\":[]", with: "\"write\":[\"sharing\"]"))
    #expect(throws: RepositoryError(.unsupportedVersion, "")) {
      _ = try Repository(files).beginSession()
    }
    try plant("{}")
    #expect(throws: RepositoryError(.corrupt, "")) { _ = try Repository(files) }
  }

  @Test func `a directory without format json is no repository, and can become one`() throws {
    let files = SimulatedFileOperations()
    let fixture = RepositoryFixture()
    _ = try fixture.create(files)
    try files.plant(nil, at: "format.json")
    #expect(throws: RepositoryError(.notFound, "")) { _ = try Repository(files) }
    let again = try fixture.create(files)
    try fixture.commit(1, to: again)
    #expect(try fixture.check(try fixture.open(files)) == 1)
    #expect(throws: RepositoryError(.exists, "")) { _ = try fixture.create(files) }
  }

  @Test func `two writers at once use two packs, and the loser of a race is told`() throws {
    let files = SimulatedFileOperations()
    let fixture = RepositoryFixture()
    let first = try fixture.create(files)
    let second = try fixture.open(files)
    let one = try first.beginSession()
    let two = try second.beginSession()
    let content = RepositoryFixture.content(7).chunks
    let idOne = try one.write(.page, content[0])
    let idTwo = try two.write(.page, content[1])
    var draft = RecordDraft(kind: "snapshot", summary: "")
    draft.moves = [RefMove(ref: RepositoryFixture.branch, old: nil, new: .id(idOne))]
    _ = try one.commit(draft, at: RepositoryFixture.time)
    draft.moves = [RefMove(ref: RepositoryFixture.branch, old: nil, new: .id(idTwo))]
    #expect(throws: RepositoryError(.conflict, "")) {
      _ = try two.commit(draft, at: RepositoryFixture.time)
    }
    draft.moves = [RefMove(ref: RepositoryFixture.branch, old: .id(idOne), new: .id(idTwo))]
    _ = try two.commit(draft, at: RepositoryFixture.time)
    let reader = try Repository(files)
    #expect(try reader.objects.read(idOne, .page) == content[0])
    #expect(try reader.objects.read(idTwo, .page) == content[1])
    #expect(packs(files, "live").count == 2)
  }
}
