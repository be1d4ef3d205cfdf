import DTMRepository
import DTMSystem
import DTMTestSupport
import SystemPackage
import Testing

@Suite struct RefLogTests {
  private let main = RefLogFixture.branch
  private let repository = PackID.random()

  private func id(_ byte: UInt8) throws -> ObjectID {
    try #require(ObjectID([UInt8](repeating: byte, count: 32)))
  }

  private func log(_ files: any FileOperations = SimulatedFileOperations()) throws -> RefLog {
    _ = try RefLog.create(
      files: files, repository: repository,
      first: RecordDraft(
        kind: "init", moves: [RefMove(ref: "HEAD", old: nil, new: .name("main"))]),
      at: RefLogFixture.time(0))
    return RefLog(files: files, repository: repository)
  }

  @Test func `a record comes back as it was written`() throws {
    let files = SimulatedFileOperations()
    let log = try log(files)
    let pack = LivePack(id: PackID.random(), kind: .metadata, length: 123_456)
    let draft = RecordDraft(
      kind: "restore", summary: "Wiederhergestellt: ä",
      moves: [
        RefMove(ref: "b", old: nil, new: .id(try id(7))),
        RefMove(ref: "HEAD", old: .name("main"), new: nil),
      ],
      facts: [Fact(subject: try id(9), key: "label:k", value: [0, 255])], livePacks: [pack],
      details: [("path", "b"), ("at", "1"), ("path", "a")], pid: 4711, uid: 65_534)
    let time = Timestamp(seconds: -5, nanoseconds: 999_999_999)
    let state = try log.append(draft, at: time)
    #expect(state.sequence == 2)
    #expect(state.refs == ["b": .id(try id(7))])
    #expect(state.livePacks == [pack.id: pack])

    let other = RefLog(files: files, repository: repository)
    #expect(try other.read().digest == state.digest)
    var seen: [OperationRecord] = []
    try other.history { operation throws(RepositoryError) in
      seen.append(operation)
      return true
    }
    #expect(seen.map(\.sequence) == [2, 1])
    let record = seen[0]
    #expect(record.time == time)
    #expect((record.pid, record.uid) == (4711, 65_534))
    #expect(record.kind == "restore")
    #expect(record.summary == draft.summary)
    #expect(record.moves == [draft.moves[1], draft.moves[0]], "ascending by ref")
    #expect(record.facts == draft.facts)
    #expect(record.livePacks == [pack])
    #expect(record.details.map { "\($0.0)=\($0.1)" } == ["path=b", "at=1", "path=a"])
    #expect(try other.verify().isEmpty)
  }

  @Test func `a ref that moved meanwhile is a conflict and nothing is written`() throws {
    let files = SimulatedFileOperations()
    let first = try log(files)
    let second = RefLog(files: files, repository: repository)
    _ = try second.read()
    _ = try first.append(
      RecordDraft(kind: "tag", moves: [RefMove(ref: "t", old: nil, new: .id(try id(1)))]),
      at: RefLogFixture.time(1))
    let before = files.paths()
    let wrong = [
      RefMove(ref: "t", old: nil, new: .id(try id(2))),
      RefMove(ref: "t", old: .id(try id(3)), new: nil),
      RefMove(ref: "u", old: .name("x"), new: nil),
    ]
    for move in wrong {
      #expect(throws: RepositoryError(.conflict, "")) {
        try second.append(RecordDraft(kind: "tag", moves: [move]), at: RefLogFixture.time(2))
      }
    }
    #expect(files.paths() == before)
    let state = try second.append(
      RecordDraft(
        kind: "tag", moves: [RefMove(ref: "t", old: .id(try id(1)), new: .id(try id(2)))]),
      at: RefLogFixture.time(2))
    #expect(state.sequence == 3)
    #expect(try first.read().refs["t"] == .id(try id(2)))
  }

  @Test func `a draft that contradicts itself or differs only in its encoding is refused`() throws {
    let log = try log()
    _ = try log.append(
      RecordDraft(kind: "tag", moves: [RefMove(ref: "t/\u{E9}", old: nil, new: .name("x"))]),
      at: RefLogFixture.time(1))
    let twice = RefMove(ref: "z", old: nil, new: .name("1"))
    let alike = RefMove(ref: "t/e\u{301}", old: .name("x"), new: nil)
    let fact = Fact(subject: try id(1), key: "k", value: [1])
    let drafts = [
      RecordDraft(kind: "tag", moves: [twice, twice]), RecordDraft(kind: "tag", moves: [alike]),
      RecordDraft(kind: "label", facts: [fact, Fact(subject: fact.subject, key: "k", value: [])]),
    ]
    for draft in drafts {
      #expect(throws: RepositoryError(.invalidInput, "")) {
        try log.append(draft, at: RefLogFixture.time(2))
      }
    }
  }

  @Test func `undo and redo follow the operations, also over a new segment`() throws {
    let files = SimulatedFileOperations()
    let fixture = try RefLogFixture(segmentLimit: 700)
    try fixture.create(files)
    let log = fixture.log(files)
    for _ in 2...5 { try fixture.appendNext(log) }
    var operations = try log.read().operations
    #expect(operations.map(\.summary) == ["the value is 2", "the value is 4"])
    let target = operations[1].sequence
    func step(_ kind: String) throws {
      _ = try log.append(
        RecordDraft(kind: kind, undoes: target), at: RefLogFixture.time(9))
    }
    #expect(throws: RepositoryError(.conflict, "")) { try step("redo") }
    try step("undo")
    #expect(throws: RepositoryError(.conflict, "")) { try step("undo") }
    #expect(throws: RepositoryError(.invalidInput, "")) { try step("restore") }
    for _ in 6...9 { try fixture.appendNext(log) }
    operations = try fixture.log(files).read().operations
    #expect(operations.first { $0.sequence == target }?.isUndone == true)
    #expect(operations.filter(\.isUndone).count == 1)
    try step("redo")
    #expect(try fixture.log(files).read().operations.allSatisfy { !$0.isUndone })
    #expect(throws: RepositoryError(.notFound, "")) {
      try log.append(RecordDraft(kind: "undo", undoes: 999), at: RefLogFixture.time(9))
    }
    #expect(files.paths().keys.contains("refs/00000004.a"))
  }

  @Test func `at most the newest 200 operations can be undone`() throws {
    let files = SimulatedFileOperations()
    let fixture = try RefLogFixture()
    try fixture.create(files)
    let log = fixture.log(files)
    for _ in 0..<430 { try fixture.appendNext(log) }
    #expect(try log.read().operations.count == 200)
    let fresh = try fixture.log(files).read()
    #expect(fresh.operations.map(\.sequence) == (try log.read().operations.map(\.sequence)))
  }

  @Test func `the newest value of a fact counts, across segments and logs`() throws {
    let files = SimulatedFileOperations()
    let fixture = try RefLogFixture(segmentLimit: 2000)
    try fixture.create(files)
    let (writer, reader) = (fixture.log(files), fixture.log(files))
    func fact(_ value: String, of subject: UInt8) throws {
      _ = try writer.append(
        RecordDraft(
          kind: "label",
          facts: [Fact(subject: try id(subject), key: "label:a", value: Array(value.utf8))]),
        at: RefLogFixture.time(1))
    }
    try fact("one", of: 1)
    try fact("other", of: 2)
    for _ in 0..<20 { try fixture.appendNext(writer) }
    #expect(try reader.facts(of: id(1)) == ["label:a": Array("one".utf8)])
    #expect(try reader.facts(of: id(3))["storedBytes"] == Array("3".utf8))
    try fact("two", of: 1)
    #expect(try reader.facts(of: id(1)) == ["label:a": Array("two".utf8)])
    #expect(try reader.facts(of: id(2)) == ["label:a": Array("other".utf8)])
    #expect(try reader.facts(of: id(99)).isEmpty)
  }

  @Test func `facts of a recent snapshot are found without the old segments`() throws {
    let files = SimulatedFileOperations()
    let fixture = try RefLogFixture(segmentLimit: 2000)
    try fixture.create(files)
    let writer = fixture.log(files)
    func add(_ key: String, _ value: String, of subject: UInt8) throws {
      _ = try writer.append(
        RecordDraft(
          kind: key == RefLog.durationFact ? "snapshot" : "label",
          facts: [Fact(subject: try id(subject), key: key, value: Array(value.utf8))]),
        at: RefLogFixture.time(1))
    }
    for subject in 1...100 { try add(RefLog.durationFact, "\(subject)", of: UInt8(subject)) }
    try add("label:a", "late", of: 1)
    func segmentsOpened(_ log: RefLog, for subject: UInt8) throws -> Int {
      let before = files.journal.count
      let facts = try log.facts(of: id(subject))
      #expect(facts[RefLog.durationFact] == Array("\(subject)".utf8))
      #expect(facts["label:a"] == (subject == 1 ? Array("late".utf8) : nil))
      let opened = files.journal[before...].filter { $0.kind == .open && $0.name.hasSuffix(".a") }
      return Set(opened.map(\.name)).count
    }
    let all = try files.list("refs").count / 2
    try #require(all > 5)
    let reader = fixture.log(files)
    // The newest, and the one after it, which is looked for.
    #expect(try segmentsOpened(reader, for: 100) <= 3)
    #expect(try segmentsOpened(reader, for: 1) >= all - 2)
    #expect(try segmentsOpened(reader, for: 50) <= 1)
  }

  @Test func `a segment ends at its limit and the next begins with everything`() throws {
    let files = SimulatedFileOperations()
    let fixture = try RefLogFixture(segmentLimit: 3000)
    try fixture.create(files)
    let log = fixture.log(files)
    for value in 2...150 {
      #expect(try fixture.appendNext(log) == value)
      #expect(RefLogFixture.value(try fixture.log(files).read()) == value)
    }
    let sizes = files.paths().filter { $0.key.hasSuffix(".a") }.mapValues(\.count)
    #expect(sizes.count > 3)
    #expect(files.paths().filter { $0.key.hasPrefix("refs/0") }.count == 2 * sizes.count)
    #expect(try log.verify().isEmpty)
    var summaries: [String] = []
    try log.history(newestFirst: false) { operation throws(RepositoryError) in
      summaries.append(operation.summary)
      return true
    }
    #expect(summaries == ["made"] + (2...150).map { "the value is \($0)" })
    #expect(try log.read().sequence == UInt64(150 + sizes.count - 1))
  }

  @Test func `removed packs go, others stay with their lengths`() throws {
    let log = try log()
    let packs = (0..<3).map { _ in PackID.random() }
    let live = packs.map { LivePack(id: $0, kind: .data, length: 10) }
    _ = try log.append(RecordDraft(kind: "snapshot", livePacks: live), at: RefLogFixture.time(1))
    let state = try log.append(
      RecordDraft(
        kind: "snapshot", livePacks: [LivePack(id: packs[0], kind: .data, length: 20)],
        removedPacks: [packs[1]]), at: RefLogFixture.time(2))
    #expect(state.livePacks.mapValues(\.length) == [packs[0]: 20, packs[2]: 10])
  }

  @Test func `there is one log in a repository, and none before it is created`() throws {
    let files = SimulatedFileOperations()
    #expect(throws: RepositoryError(.notFound, "")) {
      try RefLog(files: files, repository: repository).read()
    }
    _ = try log(files)
    #expect(throws: RepositoryError(.exists, "")) { try log(files) }
  }

  @Test func `the log of another repository is damage`() throws {
    let files = SimulatedFileOperations()
    _ = try log(files)
    #expect(throws: RepositoryError(.corrupt, "")) {
      try RefLog(files: files, repository: PackID.random()).read()
    }
  }

  @Test func `reading again costs few calls, appending writes the record alone`() throws {
    let files = SimulatedFileOperations()
    let fixture = try RefLogFixture()
    try fixture.create(files)
    let log = fixture.log(files)
    for _ in 0..<100 { try fixture.appendNext(log) }
    func calls(_ body: () throws -> Void) rethrows -> [SimulatedFileOperations.Kind: Int] {
      let before = files.journal.count
      try body()
      return Dictionary(grouping: files.journal[before...], by: \.kind).mapValues(\.count)
    }
    let reading = try calls { _ = try log.read() }
    #expect(reading == [.open: 2, .identity: 2, .size: 2, .read: 2])
    let draft = try fixture.draft(102)
    let appending = try calls { _ = try log.append(draft, at: RefLogFixture.time(102)) }
    #expect(appending[.write] == 3, "both copies and the note in the lock file")
    #expect(appending[.synchronizeData] == 2)
    #expect(appending[.synchronizeDirectory] == nil)
    #expect(appending[.create] == nil)
  }

  @Test func `two logs on real files from two threads lose nothing`() throws {
    try withTemporaryDirectory { path in
      let files = try SystemFileOperations(path: path)
      let fixture = try RefLogFixture(segmentLimit: 4000)
      try fixture.create(files)
      let done = Monitor(0)
      let work: @Sendable () -> Void = {
        let log = RefLog(
          files: files, repository: fixture.repository, segmentLimit: fixture.segmentLimit)
        var count = 0
        while count < 60 {
          do {
            try fixture.appendNext(log)
            count += 1
          } catch let error as RepositoryError where error.code == .conflict {
            continue
          } catch {
            Issue.record("\(error)")
            return
          }
        }
        done.update { $0 += count }
      }
      let threads = try ["one", "two"].map { try DedicatedThread(named: $0, work) }
      let reader = fixture.log(files)
      var last = 0
      while done.withLock({ $0 }) < 120, threads.contains(where: { !$0.isFinished }) {
        let value = RefLogFixture.value(try reader.read())
        #expect(value >= last)
        last = value
      }
      for thread in threads { thread.join() }
      #expect(RefLogFixture.value(try reader.read()) == 121)
      #expect(try reader.verify().isEmpty)
    }
  }
}
