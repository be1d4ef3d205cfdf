import DTMSystem
import DTMTestSupport
import DTMWatch
import Glibc
import Testing

/// The invariant: what vouches for each directory, and what ends that.
@Suite(.serialized, .timeLimit(.minutes(60))) struct CoverageTests {
  private func directories(_ mirror: Mirror) -> [PathKey] {
    mirror.facts.filter { $0.value.isDirectory }.map(\.key)
  }

  @Test(arguments: 0..<2) func `at each set every directory is watched, or in the set`(
    run: Int
  ) throws {
    let playground = try Playground()
    var changes = RandomChanges(playground, .fresh("coverage \(run)"))
    changes.run(200)
    let watcher = try playground.watcher()
    var unwatched = 0
    for _ in 0..<60 {
      // So that the barrier is the first that the reader hears of it, and nothing is armed yet.
      watcher.setReaderSuspended(true)
      changes.run(1 + changes.random.below(60))
      let all = directories(try Mirror.scan(playground.folder))
      watcher.setReaderSuspended(false)
      try watcher.barrier()
      // What vouches first: what gets a watch between the two is in the set all the same.
      let uncovered = all.filter { watcher.coverage(of: $0) != .watched }
      let set = try watcher.take()
      unwatched += uncovered.count
      for key in uncovered where !set.covers(key) {
        Issue.record("neither watched nor in the set: \(Quoting.path(key))")
      }
    }
    // Else this showed nothing.
    #expect(unwatched > 0)
    try watcher.barrier()
    #expect(watcher.wait(within: .seconds(10)) { $0.pendingDirectories == 0 })
    for _ in 0..<3 { _ = try watcher.next() }
    for key in directories(try Mirror.scan(playground.folder)) {
      #expect(watcher.coverage(of: key) == .watched, "\(Quoting.path(key))")
    }
    #expect(watcher.status.breaks[.overflow] == nil)
    #expect(watcher.status.breaks[.contradiction] == nil)
    #expect(watcher.status.breaks[.unknownWatch] == nil)
  }

  @Test func `an event of a watch that was never given out makes the next set a scan`() {
    var state = WatchState(clockName: "test") { _, _ in false }
    state.restart()
    _ = state.nextCrawlStep()
    state.arm(.root, watch: 7)
    state.finishCrawl(.root)
    state.settleCondition()
    _ = state.take()
    // A watch that was removed: its last events come late.
    state.apply(NotifyEvent(watch: 6, mask: .create, cookie: 0, name: [97]))
    #expect(DirtySet(state.take()).basis == .events)
    state.apply(NotifyEvent(watch: 8, mask: .create, cookie: 0, name: [97]))
    #expect(state.coverage(of: .root) == .unknown)
    #expect(DirtySet(state.take()).basis == .scan)
  }

  @Test func `what ends the coverage is counted`() throws {
    let playground = try Playground()
    playground.makeDirectories(20)
    let watcher = try playground.watcher()
    #expect(watcher.status.breaks == [:])
    watcher.setReaderSuspended(true)
    for index in 0..<2 { playground.write("folder/f\(index)") }
    for index in 0..<9000 { playground.append("folder/f\(index % 2)") }
    watcher.setReaderSuspended(false)
    #expect(try watcher.next().basis == .scan)
    #expect(watcher.status.breaks == [.overflow: 1])
    #expect(watcher.waitUntilArmed(within: .seconds(10)) == .watching)
    _ = try watcher.next()
    playground.rename("folder", "away")
    try watcher.barrier()
    #expect(watcher.coverage(of: .root) == .unknown)
    #expect(watcher.status.breaks == [.overflow: 1, .root: 1])
    playground.rename("away", "folder")
    #expect(watcher.wait(within: .seconds(10)) { $0.condition == .watching })
    #expect(try watcher.next().basis == .scan)
    // An empty directory that another replaces loses its watch without a word of its parent.
    playground.make("folder/empty")
    playground.make("folder/other")
    _ = try watcher.next()
    #expect(watcher.wait(within: .seconds(10)) { $0.pendingDirectories == 0 })
    playground.rename("folder/other", "folder/empty")
    #expect(try watcher.next().covers(key("empty")))
    #expect(watcher.wait(within: .seconds(10)) { $0.pendingDirectories == 0 })
    #expect(watcher.coverage(of: key("empty")) == .watched)
    #expect(watcher.coverage(of: key("nowhere")) == .unknown)
  }

  @Test func `events that are thrown away are the one thing that nobody notices`() throws {
    // The seam with which the audit is tested: it has to take away what would be told.
    let playground = try Playground()
    let watcher = try playground.watcher()
    watcher.setReaderSuspended(true)
    playground.write("folder/unseen")
    watcher.dropEvents()
    watcher.setReaderSuspended(false)
    let set = try watcher.next()
    #expect(set.basis == .events && set.isEmpty)
    watcher.insertUntold(missed: [(key("unseen"), .entry)], late: [(key("late"), .subtree)])
    #expect(try watcher.peek().covers(key("unseen")))
    let next = try watcher.next()
    #expect(next.covers(key("unseen")) && next.covers(key("late/deep")))
    #expect(watcher.status.missedChanges == 1 && watcher.status.lateChanges == 1)
  }

  // MARK: Writers

  @Test func `a writer that wrote nothing since the last set does not count`() throws {
    let playground = try Playground()
    let watcher = try playground.watcher()
    let file = try playground.openForWriting("folder/wal")
    #expect(unsafe Glibc.write(file, "x", 1) == 1)
    try watcher.barrier()
    #expect(watcher.activity.hasOpenWrites)
    #expect(watcher.openWrites(atMost: 1) == [key("wal")])
    #expect(watcher.openWrites(atMost: 0) == nil)
    let set = try watcher.next()
    #expect(!watcher.activity.hasOpenWrites && watcher.activity.hotFiles == 1)
    #expect(watcher.openWrites(atMost: 0) == [])
    watcher.giveBack(set)
    #expect(watcher.activity.hasOpenWrites)
    _ = try watcher.take()
    #expect(unsafe Glibc.write(file, "x", 1) == 1)
    try watcher.barrier()
    #expect(watcher.activity.hasOpenWrites)
    close(file)
    try watcher.barrier()
    #expect(!watcher.activity.hasOpenWrites)
  }

  @Test func `a directory that stands for many writers is released when none is left`() throws {
    let playground = try Playground()
    var options = FolderWatcher.Options()
    options.hotFileLimit = 2
    let watcher = try playground.watcher(options: options)
    playground.make("folder/a")
    for index in 0..<4 { playground.write("folder/a/\(index)") }
    _ = try watcher.next()
    #expect(watcher.wait(within: .seconds(10)) { $0.pendingDirectories == 0 })
    // truncate(2) raises MODIFY and never CLOSE_WRITE.
    for index in 0..<4 { playground.truncate("folder/a/\(index)", to: 1) }
    let first = try watcher.next()
    #expect(first.hot.count == 2)
    let all = DirtySet.Mark(key: key("a"), scope: .subtree)
    watcher.release(hot: first.hot, open: [key("a/3")], capturedIn: first)
    let second = try watcher.next()
    #expect(second.marks.contains(all) && second.hot.isEmpty)
    watcher.release(hot: [], open: [], capturedIn: second)
    #expect(try watcher.next().isEmpty)
  }
}
