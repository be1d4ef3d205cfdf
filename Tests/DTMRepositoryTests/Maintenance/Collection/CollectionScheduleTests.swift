import DTMRepository
import DTMSystem
import DTMTestSupport
import SystemPackage
import Testing

/// A collection beside sessions that write, prune and look, one operation each in turn, in any order;
/// some stand still for long, some are killed.
@Suite struct CollectionScheduleTests {
  private final class Ledger: Sendable {
    let commits = Monitor<[(id: ObjectID, content: CollectionFixture.Content)]>([])
    let failures = Monitor<[String]>([])
    let freed = Monitor(0)
  }

  private static let runs = LongForm.isAsked ? 2000 : 60

  private func run(
    _ generator: inout SplitMix, withoutLocks isFree: (@Sendable (String) -> Bool)? = nil
  ) throws -> (problem: String?, freed: Int) {
    let fixture = CollectionFixture()
    let start = SimulatedFileOperations()
    try fixture.create(start)
    let repository = try CollectionFixture.open(start)
    for number in 0..<6 {
      try fixture.commit(CollectionFixture.content(number, count: 3), to: repository)
    }
    try fixture.prune(0..<5, in: repository)
    let settled = start.afterKill()
    if let isFree { settled.ignoreLocks(isFree) }
    let ledger = Ledger()
    let time = fixture.now
    var bodies: [@Sendable (SimulatedFileOperations) -> Void] = []
    for _ in 0..<2 {
      bodies.append { view in
        Self.attempt(ledger) {
          let report = try RepositoryCollection(
            CollectionFixture.open(view), .now, RepositoryRepair.Context(time: time),
            waits: {
              // Lets others go on; gives up where one was killed with its lock in a simulated hand.
              (try? view.list("locks")) != nil
            }
          ).run()
          ledger.freed.withLock { $0 += report.deletedPacks }
        }
      }
    }
    for process in 0..<3 {
      bodies.append { view in
        // One for all its snapshots, as a daemon has: what it knows gets old.
        var repository: Repository?
        for step in 0..<2 {
          // What was pruned before comes again: it is found in the packs, or not any more.
          let content = CollectionFixture.content((process + step) % 5, count: 3)
          Self.attempt(ledger) {
            let opened = try repository ?? CollectionFixture.open(view)
            repository = opened
            let id = try CollectionFixture.commit(
              content, to: opened, branch: "own\(process)", at: time)
            ledger.commits.withLock { $0.append((id, content)) }
          }
        }
      }
    }
    let kills = generator.oneIn(2) ? [generator.below(5): generator.below(400)] : [:]
    let goesOn = try Interleaving.run(settled, using: &generator, kills: kills, bodies)
    var problem = goesOn ? ledger.failures.withLock { $0.first } : "all wait for one another"
    let commits = ledger.commits.withLock { $0 } + [fixture.snapshots[5]]
    for state in [settled.afterKill()] + settled.crashStates(limit: 3, using: &generator) {
      problem = problem ?? CollectionFixture.problem(commits, in: state)
    }
    return (problem, ledger.freed.withLock { $0 })
  }

  private static func attempt(_ ledger: Ledger, _ body: () throws -> Void) {
    do { try body() } catch let error as RepositoryError {
      // Killed; or another collects.
      if error.cause == .canceled || error.code == .locked { return }
      ledger.failures.withLock { $0.append("\(error)") }
    } catch { ledger.failures.withLock { $0.append("\(error)") } }
  }

  @Test func `whatever the order, nothing that was acknowledged is collected`() throws {
    var generator = SplitMix.fresh("schedules of collections")
    var freed = 0
    for number in 0..<Self.runs {
      let result = try run(&generator)
      freed += result.freed
      if let problem = result.problem {
        Issue.record("run \(number): \(problem)")
        return
      }
    }
    print("\(Self.runs) schedules, \(freed) packs were deleted")
    #expect(freed > 0)
  }

  @Test func `without the sessions' lock something is lost`() throws {
    var generator = SplitMix.fresh("schedules without epochs")
    for _ in 0..<2000 {
      if try run(&generator, withoutLocks: { $0.hasPrefix("locks/epoch") }).problem != nil {
        return
      }
    }
    Issue.record("nobody misses the lock of sessions")
  }
}
