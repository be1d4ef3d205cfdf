import DTMRepository
import DTMSystem
import DTMTestSupport
import SystemPackage
import Testing

@Suite struct RefLogFailureTests {
  @Test(arguments: RefLogScenario.all, [Errno.ioError, .noSpace, .tooManyOpenFiles])
  func `whichever operation fails, what was acknowledged is there, also after a crash`(
    scenario: RefLogScenario, error: Errno
  ) throws {
    var generator = SplitMix.fresh("failures, \(scenario.name), \(error)")
    let fixture = try scenario.fixture()
    let (whole, start) = try scenario.begin()
    _ = try scenario.run(whole, from: start)
    var states = 0
    for number in 1...(whole.journal.count + 20) {
      let (files, value) = try scenario.begin()
      files.fail(operation: number, with: error)
      let acknowledged = try scenario.run(files, from: value)
      files.clearFailures()
      for state in files.crashStates(limit: 8, using: &generator) {
        states += 1
        let problem = fixture.problem(state, acknowledged)
        #expect(problem == nil, "operation \(number)")
      }
      let problem = fixture.problem(files.afterKill(), acknowledged)
      #expect(problem == nil, "operation \(number), killed")
    }
    print("failures of \(scenario.name) with \(error): \(whole.journal.count), \(states) states")
  }

  @Test func `two failures at any operations lose nothing`() throws {
    var generator = SplitMix.fresh("two failures")
    let scenario = RefLogScenario(
      name: "append", segmentLimit: 1 << 20, beginning: .values(3), steps: 3)
    let fixture = try scenario.fixture()
    let (whole, start) = try scenario.begin()
    _ = try scenario.run(whole, from: start)
    var states = 0
    for first in 1...whole.journal.count {
      for second in (first + 1)...(first + 30) {
        let (files, value) = try scenario.begin()
        files.fail(operation: first, with: .ioError)
        files.fail(operation: second, with: .noSpace)
        var acknowledged = try scenario.run(files, from: value)
        for state in files.crashStates(limit: 4, using: &generator) {
          states += 1
          // Each failed append may or may not be there.
          acknowledged.more = 2
          let problem = fixture.problem(state, acknowledged)
          #expect(problem == nil, "operations \(first), \(second)")
        }
      }
    }
    print("two failures: \(states) states")
  }

  /// The kernel calls pages clean that a failed flush did not write: the next process sees a record
  /// that is not on disk.
  @Test func `a failed flush and a kill at any later instant lose nothing`() throws {
    var generator = SplitMix.fresh("failed flush and kill")
    let scenario = RefLogScenario(
      name: "append", segmentLimit: 1 << 20, beginning: .values(3), steps: 1)
    let fixture = try scenario.fixture()
    let (whole, start) = try scenario.begin()
    _ = try scenario.run(whole, from: start)
    let flushes = whole.journal.indices.filter { whole.journal[$0].kind == .synchronizeData }
    #expect(flushes.count == 2)
    var states = 0
    for failing in [[flushes[0]], [flushes[1]], flushes] {
      for instant in (flushes[0] + 1)...(whole.journal.count + 40) {
        let (files, value) = try scenario.begin()
        for index in failing { files.fail(operation: index + 1, with: .ioError) }
        files.stop(after: instant)
        _ = try scenario.run(files, from: value)
        let next = files.afterKill()
        let acknowledged = try fixture.appendNext(fixture.log(next))
        for state in next.crashStates(limit: 50, using: &generator) {
          states += 1
          let problem = fixture.problem(state, acknowledged: acknowledged, unacknowledged: 0)
          #expect(problem == nil, "flushes \(failing), killed after \(instant)")
        }
      }
    }
    print("failed flush and kill: \(states) states")
  }

  @Test func `after a failed flush the segment is written anew and the record stands`() throws {
    let fixture = try RefLogFixture()
    let files = SimulatedFileOperations()
    try fixture.create(files)
    let log = fixture.log(files)
    try fixture.appendNext(log)
    let before = files.journal.count
    try fixture.appendNext(log)
    let flush = try #require(
      files.journal[before...].firstIndex { $0.kind == .synchronizeData })
    // The same calls come again: let the flush among them fail.
    let again = files.journal.count + flush - before + 1
    files.fail(operation: again, with: .ioError)
    let value = try fixture.appendNext(log)
    #expect(value == 4)
    #expect(files.journal[(again)...].contains { $0.kind == .rename })
    #expect(files.paths()["refs/rewrite"] == nil)
    #expect(try log.verify().isEmpty)
  }

  @Test func `a full disk is an error, and the log goes on once there is room`() throws {
    let fixture = try RefLogFixture()
    let files = SimulatedFileOperations()
    try fixture.create(files)
    let log = fixture.log(files)
    try fixture.appendNext(log)
    let draft = try fixture.draft(3)
    files.fail(every: [.write, .create, .link, .makeDirectory], with: .noSpace)
    #expect(throws: RepositoryError(.noSpace, "")) {
      try log.append(draft, at: RefLogFixture.time(3))
    }
    files.clearFailures()
    #expect(RefLogFixture.value(try log.read()) == 2)
    #expect(RefLogFixture.value(try fixture.log(files.afterKill()).read()) == 2)
    try fixture.appendNext(log)
    #expect(try log.verify().isEmpty)
  }
}
