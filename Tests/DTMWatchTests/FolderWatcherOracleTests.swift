import DTMSystem
import DTMTestSupport
import DTMWatch
import Glibc
import Synchronization
import Testing

/// The dirty sets against a full scan.
@Suite(.serialized, .timeLimit(.minutes(60))) struct FolderWatcherOracleTests {
  @Test(arguments: 0..<4) func `each difference of two scans is in the set between them`(
    run: Int
  ) throws {
    let playground = try Playground()
    var changes = RandomChanges(playground, .fresh("oracle \(run)"))
    changes.run(200)
    let watcher = try playground.watcher()
    var before = try Mirror.scan(playground.folder)
    for round in 0..<40 {
      changes.run(1 + changes.random.below(round % 5 == 0 ? 300 : 30))
      let set = try watcher.next()
      let after = try Mirror.scan(playground.folder)
      #expect(set.basis == .events)
      for key in after.differences(from: before) where !set.covers(key) {
        let facts = [before.facts[key], after.facts[key]]
        if facts.contains(where: { $0.map { changes.linked.contains($0.inode) } ?? false }) {
          continue
        }
        Issue.record(
          """
          round \(round): not in the set: \(Quoting.path(key)) \(facts)
          \(changes.history(of: key))
          """)
        return
      }
      before = after
    }
    #expect(watcher.status.overflows == 0)
  }

  @Test(arguments: 0..<4) func `who looks at nothing but what the sets say knows the folder`(
    run: Int
  ) throws {
    let playground = try Playground()
    var changes = RandomChanges(playground, .fresh("mirror \(run)"))
    changes.run(300)
    let watcher = try playground.watcher()
    var mirror = try Mirror.scan(playground.folder)
    // The changes go on while sets are taken and looked at.
    let writer = Shared(changes)
    for round in 0..<6 {
      let thread = try DedicatedThread(named: "writer") { writer.run(400) }
      while !thread.isFinished { try mirror.apply(try watcher.next()) }
      thread.join()
      try mirror.apply(try watcher.next())
      let truth = try Mirror.scan(playground.folder)
      // A set may have come between a file's naming and its next write. The daemon looks at it again, as
      // a lease tells the capture that it is open (WriterTests); this mirror asks for none.
      let linked = writer.value.linked.union(writer.value.nameless)
      for key in truth.differences(from: mirror) {
        let facts = [mirror.facts[key], truth.facts[key]]
        if facts.contains(where: { $0.map { linked.contains($0.inode) } ?? false }) { continue }
        Issue.record(
          """
          round \(round): wrong: \(Quoting.path(key)) \(facts)
          \(writer.value.history(of: key))
          """)
        return
      }
    }
    #expect(watcher.status.overflows == 0)
  }

  @Test func `a store is told when it is done, whatever this process starts meanwhile`() throws {
    let playground = try Playground()
    #expect(playground.write("folder/file"))
    let watcher = try playground.watcher()
    let starter = try ProgramStarter()
    let isDone = Monitor(false)
    let other = try DedicatedThread(named: "starts") {
      while !isDone.withLock({ $0 }) {
        guard let pid = try? starter.start(ProgramOrder([Array("/bin/true".utf8)], environment: []))
        else { continue }
        waitpid(pid, nil, 0)
      }
    }
    var untold = 0
    for _ in 0..<2000 {
      #expect(playground.store("folder/file"))
      if try !watcher.next().covers(key("file")) { untold += 1 }
    }
    isDone.update { $0 = true }
    other.join()
    #expect(untold == 0)
  }

  /// Changes that a thread makes while the test looks.
  private final class Shared: Sendable {
    private let changes: Mutex<RandomChanges>

    init(_ changes: RandomChanges) { self.changes = Mutex(changes) }

    func run(_ count: Int) { changes.withLock { $0.run(count) } }

    var value: RandomChanges { changes.withLock { $0 } }
  }
}
