import DTMRepository
import DTMSystem
import DTMTestSupport
import SystemPackage
import Testing

@Suite struct `The index of a live pack` {
  private let fixture: RepositoryFixture = {
    var fixture = RepositoryFixture()
    (fixture.limits.data, fixture.limits.metadata) = (1 << 20, 1 << 20)
    fixture.limits.unindexedFrames = 8
    return fixture
  }()

  /// A repository with some steps, each by a new opening.
  private func made(_ steps: Int) throws -> SimulatedFileOperations {
    let files = SimulatedFileOperations()
    _ = try fixture.create(files)
    for number in 1...steps { try fixture.commit(number, to: try fixture.open(files)) }
    return files
  }

  private func indexes(_ files: SimulatedFileOperations) throws -> [String] {
    try files.list("index").filter { $0.hasSuffix(".live") }
  }

  private func isThere(_ chunk: [UInt8], _ repository: Repository) throws -> Bool {
    do throws(RepositoryError) {
      return try repository.objects.read(Digest.id(.chunk, chunk), .chunk) == chunk
    } catch {
      if error.code == .notFound { return false }
      throw error
    }
  }

  /// How many times an opening reads of live packs.
  private func reads(_ files: SimulatedFileOperations) throws -> Int {
    let before = files.journal.count
    _ = try fixture.open(files).refresh()
    return files.journal[before...].count { $0.kind == .read && $0.name.hasPrefix("live/") }
  }

  @Test func `keeps an opening short however many commits there were`() throws {
    let files = try made(60)
    #expect(try indexes(files).count == 2)
    let few = try reads(files)
    for number in 61...300 { try fixture.commit(number, to: try fixture.open(files)) }
    let many = try reads(files)
    #expect(many <= few + 6, "\(few) reads after 60 commits, \(many) after 300")
    for name in try indexes(files) { try files.remove("index/" + name) }
    // The walk that it spares.
    #expect(try reads(files) > 3 * many)
    #expect(try fixture.check(try fixture.open(files)) == 300)
  }

  @Test func `finds everything, and so does the repository without it`() throws {
    let files = try made(40)
    #expect(try fixture.check(try fixture.open(files)) == 40)
    let session = try fixture.open(files).beginSession()
    for number in 1...40 {
      for chunk in RepositoryFixture.content(number).chunks {
        _ = try session.write(.chunk, chunk)
      }
    }
    try session.flush()
    #expect(session.storedBytes == 0)
    for name in try indexes(files) { try files.remove("index/" + name) }
    #expect(try fixture.check(try fixture.open(files)) == 40)
  }

  @Test func `goes when its pack is sealed`() throws {
    let files = try made(30)
    var fixture = fixture
    (fixture.limits.data, fixture.limits.metadata) = (1, 1)
    try fixture.commit(31, to: try fixture.open(files))
    #expect(try indexes(files).isEmpty)
    #expect(try files.list("packs").count >= 2)
    let repository = try fixture.open(files)
    #expect(try fixture.check(repository) == 31)
    #expect(try repository.verify([], readsData: true).damage.isEmpty)
  }

  @Test func `may be damaged anywhere, and nothing is lost or wrong`() throws {
    let files = try made(30)
    var generator = SplitMix.fresh("damaged live indexes")
    for name in try indexes(files).map({ "index/" + $0 }) {
      let size = try files.open(name, writable: false).size()
      for _ in 0..<120 {
        let damaged = files.afterKill()
        let file = try damaged.open(name, writable: true)
        switch generator.below(3) {
        case 0: try file.truncate(to: generator.below(size))
        case 1: try file.write([UInt8](repeating: 0, count: 64), at: generator.below(size))
        default:
          let at = generator.below(size)
          let byte = try file.read(at: at, count: 1)[0] ^ 1 << UInt8(generator.below(8))
          try file.write([byte], at: at)
        }
        #expect(try fixture.check(try fixture.open(damaged)) == 30)
        for number in 31...45 { try fixture.commit(number, to: try fixture.open(damaged)) }
        let repository = try fixture.open(damaged)
        #expect(try fixture.check(repository) == 45)
        #expect(try repository.verify([], readsData: true).damage.isEmpty)
      }
    }
  }

  @Test func `whose fan-out is lost, with every row in place, is noticed`() throws {
    let files = try made(30)
    for name in try indexes(files).map({ "index/" + $0 }) {
      let file = try files.open(name, writable: true)
      let bits = Int(try file.read(at: 8, count: 1)[0])
      // Behind the head: one pack, checksum, zeros to a multiple of 8.
      try file.write([UInt8](repeating: 0, count: 4 << bits), at: 56)
    }
    #expect(try fixture.check(try fixture.open(files)) == 30)
    #expect(try indexes(files).isEmpty)
  }

  @Test func `of another time is given up`() throws {
    let files = try made(30)
    // What a restored backup of the repository may have: an index that ends within a frame.
    for name in try indexes(files) {
      let dash = try #require(name.firstIndex(of: "-"))
      let length = try #require(Int(name[name.index(after: dash)...].dropLast(5)))
      try files.rename("index/" + name, to: "index/\(name[..<dash])-\(length - 3).live")
    }
    #expect(try fixture.check(try fixture.open(files)) == 30)
    try fixture.commit(31, to: try fixture.open(files))
    #expect(try fixture.check(try fixture.open(files)) == 31)
  }

  /// A damaged frame costs what is in it; what was committed behind it must not hang on an index, which
  /// may go at any moment.
  @Test func `is not what makes the frames behind a damaged one readable`() throws {
    let files = try made(30)
    for name in try files.list("live") {
      let file = try files.open("live/" + name, writable: true)
      let header = try #require(
        try file.read(at: 0, count: 4096).firstRange(of: Array("DFRM".utf8))?.lowerBound)
      try file.write([0xFF], at: header + 40)
    }
    // Behind the damage, as long as the index hides it.
    for number in 31...35 { try fixture.commit(number, to: try fixture.open(files)) }
    for name in try indexes(files) { try files.remove("index/" + name) }
    let repository = try fixture.open(files)
    _ = try repository.refresh()
    var lost: [Int] = []
    for number in 1...35 {
      for chunk in RepositoryFixture.content(number).chunks {
        if try !isThere(chunk, repository) { lost.append(number) }
      }
    }
    #expect(Set(lost) == [1], "lost of the steps \(lost)")
    let verification = try repository.verify([], readsData: true)
    #expect(!verification.damage.isEmpty)
    // Nobody writes into the pack any more, and what is written is there.
    let before = try files.list("live").count
    let id = try fixture.commit(36, to: try fixture.open(files))
    #expect(try files.list("live").count == before + 2)
    #expect(try fixture.open(files).refresh().refs[RepositoryFixture.branch] == .id(id))
  }

  @Test func `hides no damaged frame from who seals the pack`() throws {
    let files = try made(30)
    let name = try #require(try files.list("live").first { $0.hasSuffix(".meta") })
    let file = try files.open("live/" + name, writable: true)
    // Within the first frame's header, behind the pack's.
    let header = try #require(
      try file.read(at: 0, count: 4096).firstRange(of: Array("DFRM".utf8))?.lowerBound)
    try file.write([0xFF], at: header + 40)
    var fixture = fixture
    fixture.limits.metadata = 1
    #expect {
      try fixture.commit(31, to: try fixture.open(files))
    } throws: {
      ($0 as? RepositoryError)?.code == .corrupt
    }
    // It is left alone: the next commit begins another pack.
    try fixture.commit(31, to: try fixture.open(files))
    #expect(try files.list("live").contains(name))
    #expect(try files.list("packs").count == 1)
  }
}
