import DTMRepository
import DTMSystem
import DTMTestSupport
import SystemPackage
import Testing

/// A collection is cut off at any operation, by a crash, a kill or a failure.
@Suite struct CollectionCrashTests {
  private let fixture = CollectionFixture()
  private static let kept = [2, 7, 9]

  /// A history of ten snapshots of which three are kept; all of it durable.
  private func settled() throws -> SimulatedFileOperations {
    let files = SimulatedFileOperations()
    try fixture.create(files)
    let repository = try CollectionFixture.open(files)
    for number in 0..<10 { try fixture.commit(CollectionFixture.content(number), to: repository) }
    try fixture.prune((0..<10).filter { !Self.kept.contains($0) }, in: repository)
    // What is pending of the history itself is no matter of the collection.
    var generator = SplitMix(seed: 1)
    return try #require(files.crashStates(limit: 2, using: &generator).last)
  }

  /// What is wrong with a state: what is kept has to be whole, a new snapshot to be taken, and the next
  /// collection to come to its end.
  private func problem(_ state: SimulatedFileOperations) -> String? {
    if let problem = fixture.problem(Self.kept, in: state) { return problem }
    do {
      let content = CollectionFixture.content(4)
      let id = try CollectionFixture.commit(
        content, to: CollectionFixture.open(state), branch: "main", at: fixture.now)
      try fixture.collect(CollectionFixture.open(state))
      if state.paths().keys.contains(where: { $0.hasPrefix("trash/") && $0 != "trash/" }) {
        return "something is condemned for ever"
      }
      let all = Self.kept.map { fixture.snapshots[$0] } + [(id, content)]
      return CollectionFixture.problem(all, in: state)
    } catch { return "\(error)" }
  }

  @Test func `after a crash at any operation all that is kept is whole`() throws {
    let files = try settled()
    files.recordInstants()
    try fixture.collect(CollectionFixture.open(files))
    var generator = SplitMix.fresh("crashes of a collection")
    let result = CrashEnumeration(files.instants(), budget: 1200, using: &generator) { state, _ in
      problem(state)
    }
    print("a collection: \(result.summary)")
    #expect(result.problem == nil)
    #expect(result.instants > 30)
  }

  @Test func `after a kill at any operation the next one goes on`() throws {
    let files = try settled()
    files.recordInstants()
    try fixture.collect(CollectionFixture.open(files))
    for instant in files.instants() {
      if let problem = problem(instant.afterKill()) {
        Issue.record("killed after \(instant.operations) operations: \(problem)")
      }
    }
  }

  @Test(arguments: [Errno.ioError, .noSpace, .tooManyOpenFiles])
  func `any operation may fail, and the next collection goes on`(_ error: Errno) throws {
    let start = try settled()
    let rehearsal = start.afterKill()
    try fixture.collect(CollectionFixture.open(rehearsal))
    let before = rehearsal.journal.count
    for number in 1...before {
      let files = start.afterKill()
      files.fail(operation: number, with: error)
      do {
        try fixture.collect(CollectionFixture.open(files))
      } catch let failure as RepositoryError {
        #expect(failure.cause == error, "\(rehearsal.journal[number - 1]): \(failure)")
      }
      if let problem = problem(files.afterKill()) {
        Issue.record("\(error) at \(number), \(rehearsal.journal[number - 1]): \(problem)")
      }
    }
  }

  @Test func `a repair takes back what is condemned`() throws {
    let files = try settled()
    let session = try CollectionFixture.open(files).beginSession()
    #expect(try fixture.collect(CollectionFixture.open(files)).waitingBytes > 0)
    withExtendedLifetime(session) {}
    let copy = files.afterKill()
    _ = try RepositoryRepair(copy, RepositoryRepair.Context(time: fixture.now))
    #expect(!copy.paths().keys.contains { $0.hasPrefix("trash/") && $0 != "trash/" })
    #expect(fixture.problem(0..<10, in: copy) == nil)
  }
}
