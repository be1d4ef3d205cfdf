import DTMFolder
import DTMRepository
import DTMSystem
import DTMTestSupport
import Testing

/// What becomes of what is reported, against boundaries that are recorded.
@Suite struct `The log of stages` {
  /// Reports to a folder, as a command does under the capture lock.
  private final class Reporter {
    let fixture: FolderFixture
    private(set) var log: StageLog
    private var fresh = 0

    init(_ fixture: FolderFixture) {
      self.fixture = fixture
      log = StageLog(folder: fixture.folderID)
    }

    func decide(_ wish: StageWish) throws(FolderError) -> StageDecision {
      try log.refresh(fixture.repository)
      return try log.decide(wish, freshRun: "fresh \(fresh)")
    }

    /// The key, and whether it was recorded now.
    func report(_ wish: StageWish) throws -> (key: StageKey, isNew: Bool) {
      fresh += 1
      switch try decide(wish) {
      case .known(let entry): return (entry.fact.key, false)
      case .new(let fact):
        var request = SnapshotRequest(ChangeSet(basis: .scan), trigger: "stage")
        request.facts[StageFact.name] = fact.encoded
        _ = try fixture.folder.snapshot(request)
        return (fact.key, true)
      }
    }

    func refusal(_ wish: StageWish) -> FolderError.Code? {
      do throws(FolderError) {
        _ = try decide(wish)
        return nil
      } catch {
        return error.code
      }
    }
  }

  private func wish(
    _ event: StageEvent, _ stage: String, run: String? = nil, attempt: Int? = nil
  ) -> StageWish {
    var wish = StageWish(event, stage: stage)
    wish.run = run
    wish.attempt = attempt
    return wish
  }

  @Test func `an end without a run's id is of the stage that is open`() throws {
    try withFixture { fixture in
      let reporter = Reporter(fixture)
      let first = try reporter.report(wish(.begin, "clean"))
      let second = try reporter.report(wish(.begin, "clean"))
      #expect(first.key.run != second.key.run)
      #expect(reporter.refusal(wish(.ok, "load")) == .notFound)
      #expect(try reporter.report(wish(.ok, "clean")) == (second.key, true))
      #expect(try reporter.report(wish(.failed, "clean")) == (first.key, true))
      #expect(try reporter.report(wish(.failed, "clean")) == (first.key, false))
      #expect(reporter.refusal(wish(.ok, "clean")) == .notFound)
      #expect(reporter.log.open.isEmpty)
    }
  }

  @Test func `an outcome stays, but who was taken for dead may say it`() throws {
    try withFixture { fixture in
      let reporter = Reporter(fixture)
      let key = try reporter.report(wish(.begin, "s", run: "1")).key
      #expect(try reporter.report(wish(.abandoned, "s", run: "1")).isNew)
      #expect(try reporter.report(wish(.ok, "s", run: "1")) == (key, true))
      #expect(try reporter.report(wish(.abandoned, "s", run: "1")) == (key, false))
      #expect(reporter.refusal(wish(.failed, "s", run: "1")) == .exists)
      #expect(reporter.log.end(of: key)?.fact.event == .ok)
    }
  }

  @Test func `a begin after a failure is another attempt, after anything else the same`() throws {
    try withFixture { fixture in
      let reporter = Reporter(fixture)
      func begin() throws -> Int { try reporter.report(wish(.begin, "s", run: "1")).key.attempt }
      #expect(try [begin(), begin()] == [1, 1])
      _ = try reporter.report(wish(.failed, "s", run: "1"))
      #expect(try [begin(), begin()] == [2, 2])
      #expect(try reporter.report(wish(.ok, "s", run: "1")).key.attempt == 2)
      #expect(try begin() == 2)
      var another = wish(.begin, "s", run: "1")
      another.isNewAttempt = true
      #expect(try reporter.report(another).key.attempt == 3)
      #expect(try reporter.report(wish(.ok, "s", run: "1", attempt: 9)).key.attempt == 9)
      // An end that came before its begin.
      #expect(reporter.refusal(wish(.begin, "s", run: "1", attempt: 9)) == .exists)
    }
  }

  @Test func `runs beside one are those at work since its begin, and alive`() throws {
    try withFixture { fixture in
      let reporter = Reporter(fixture)
      func begin(_ run: String, holder: String?) throws {
        var begin = wish(.begin, "", run: run)
        begin.holder = holder
        _ = try reporter.report(begin)
      }
      let me = try #require(ProcessMark.of(ProcessSignals.processID))
      #expect(ProcessMark.isAlive(me))
      try begin("dead", holder: "00000000-0000-0000-0000-000000000000:1:1")
      try begin("done", holder: me)
      try begin("alive", holder: me)
      _ = try reporter.report(wish(.ok, "", run: "done"))
      try begin("mine", holder: me)
      _ = try reporter.report(wish(.begin, "inner", run: "mine"))
      try begin("later", holder: me)
      _ = try reporter.report(wish(.abandoned, "", run: "dead"))
      let key = StageKey(run: "mine", stage: "", attempt: 1)
      try reporter.log.refreshed(fixture.repository) { log in
        #expect(log.runsBeside(key) == ["alive", "later"])
      }
    }
  }

  /// The answers of a log that reads what is new are those of one that reads everything.
  @Test func `any sequence of reports is recorded once each`() throws {
    var generator = SplitMix.fresh("stages")
    try withFixture { fixture in
      let reporter = Reporter(fixture)
      var begun: Set<StageKey> = []
      var ended: [StageKey: StageEvent] = [:]
      for _ in 0..<60 {
        let event = StageEvent.allCases[Int(generator.next() % 4)]
        let wish = wish(
          event, "s\(generator.next() % 2)", run: "r\(generator.next() % 2)",
          attempt: 1 + Int(generator.next() % 2))
        let key = StageKey(
          run: wish.run ?? "", stage: wish.stage, attempt: wish.attempt ?? 0)
        let isRefused =
          if event == .begin {
            !begun.contains(key) && ended[key] != nil
          } else {
            ended[key].map { $0 != event && $0 != .abandoned && event != .abandoned } ?? false
          }
        if isRefused {
          #expect(reporter.refusal(wish) == .exists, "\(wish)")
          continue
        }
        let isNew =
          if event == .begin {
            !begun.contains(key)
          } else {
            ended[key] == nil || ended[key] == .abandoned && event != .abandoned
          }
        #expect(try reporter.report(wish) == (key, isNew), "\(wish)")
        if event == .begin { begun.insert(key) } else if isNew { ended[key] = event }
      }
      var whole = StageLog(folder: fixture.folderID)
      try whole.refresh(fixture.repository)
      try reporter.log.refreshed(fixture.repository) { log in
        #expect(log.entries.map(\.snapshot) == whole.entries.map(\.snapshot))
      }
      for (key, event) in ended { #expect(whole.end(of: key)?.fact.event == event) }
    }
  }
}

extension StageLog {
  /// A copy that knows what is new.
  fileprivate func refreshed(
    _ repository: Repository, _ body: (StageLog) throws -> Void
  ) throws {
    var copy = self
    try copy.refresh(repository)
    try body(copy)
  }
}
