import DTMSystem
import DTMTestSupport
import DTMWatch
import SystemPackage
import Testing

/// Lost events.
@Suite(.serialized, .timeLimit(.minutes(60))) struct OverflowTests {
  /// More events than the kernel's standard queue (16,384) holds.
  private func overflow(_ watcher: FolderWatcher, _ playground: Playground) {
    for index in 0..<100 { playground.write("folder/f\(index)") }
    watcher.setReaderSuspended(true)
    for index in 0..<6000 {
      playground.append("folder/f\(index % 100)")
      playground.setTimes("folder/f\(index % 100)", seconds: index)
    }
    watcher.setReaderSuspended(false)
  }

  @Test func `after an overflow everything is unknown, and then all is told again`() throws {
    let playground = try Playground()
    playground.makeDirectories(50)
    let watcher = try playground.watcher()
    overflow(watcher, playground)
    let set = try watcher.next()
    #expect(set.basis == .scan && set.marks.isEmpty)
    #expect(watcher.status.overflows == 1)
    #expect(watcher.waitUntilArmed(within: .seconds(10)) == .watching)
    // The crawl may have ended before or after the first set.
    _ = try watcher.next()
    playground.write("folder/d1/e2/after")
    let after = try watcher.next()
    #expect(after.basis == .events)
    #expect(after.marks.map(\.key) == [key("d1/e2/after")])
  }

  @Test func `where watching begins anew any boundary may have come, but not at first`() throws {
    let playground = try Playground()
    playground.write("folder/_SUCCESS")
    let watcher = try FolderWatcher(
      path: playground.folder, options: .init(), time: SystemTimeSource(),
      isExcluded: { _, _ in false })
    watcher.setBoundary { path, _ in path == key("_SUCCESS") }
    try watcher.start()
    #expect(watcher.waitUntilArmed(within: .seconds(60)) == .watching)
    #expect(watcher.takeBoundaries().isEmpty)
    overflow(watcher, playground)
    try watcher.barrier()
    #expect(watcher.takeBoundaries().isEverything)
    #expect(watcher.waitUntilArmed(within: .seconds(60)) == .watching)
    #expect(watcher.takeBoundaries().isEmpty)
    playground.rename("folder", "away")
    #expect(watcher.wait(within: .seconds(60)) { $0.condition != .watching })
    playground.rename("away", "folder")
    #expect(watcher.wait(within: .seconds(60)) { $0.condition == .watching })
    #expect(watcher.takeBoundaries().isEverything)
  }

  @Test func `directories that were made while events were lost are watched`() throws {
    let playground = try Playground()
    for index in 0..<2 { playground.write("folder/f\(index)") }
    let watcher = try playground.watcher()
    watcher.setReaderSuspended(true)
    for index in 0..<9000 { playground.append("folder/f\(index % 2)") }
    playground.make("folder/late")
    watcher.setReaderSuspended(false)
    #expect(try watcher.next().basis == .scan)
    #expect(watcher.waitUntilArmed(within: .seconds(10)) == .watching)
    _ = try watcher.next()
    playground.write("folder/late/file")
    #expect(try watcher.next().marks.map(\.key) == [key("late/file")])
  }

  @Test func `a series of overflows is followed by a pause in which sets are scans`() throws {
    let playground = try Playground()
    let time = ManualTimeSource()
    let watcher = try playground.watcher(time: time)
    overflow(watcher, playground)
    try watcher.barrier()
    #expect(watcher.waitUntilArmed(within: .seconds(10)) == .watching)
    overflow(watcher, playground)
    try watcher.barrier()
    #expect(watcher.status.condition == .unwatched(.overflow))
    #expect(watcher.status.needsPolling)
    #expect(try watcher.take().basis == .scan)
    #expect(try watcher.next().basis == .scan)
    time.advance(by: .seconds(2))
    try watcher.barrier()
    #expect(watcher.waitUntilArmed(within: .seconds(10)) == .watching)
    _ = try watcher.next()
    playground.write("folder/after")
    #expect(try watcher.next().marks.map(\.key) == [key("after")])
    #expect(watcher.status.overflows == 2)
  }

  @Test func `a hundred thousand creations in a burst are drained without an overflow`() throws {
    let playground = try Playground(beneath: "/dev/shm")
    playground.make("folder/a")
    let watcher = try playground.watcher()
    let started = SystemTimeSource().monotonic()
    let startedCPU = try readerTime()
    let directory = try playground.open("folder/a")
    for index in 0..<100_000 {
      let file = try directory.open(
        Array("file\(index)".utf8), [.writeOnly, .create, .exclusive], mode: 0o600)
      try file.write([1])
    }
    let made = SystemTimeSource().monotonic()
    let set = try watcher.next()
    let taken = SystemTimeSource().monotonic()
    let status = watcher.status
    #expect(status.overflows == 0)
    #expect(status.events >= 300_000)
    #expect(set.basis == .events)
    #expect(set.covers(key("a/file0")) && set.covers(key("a/file99999")))
    print(
      "100,000 files: made in \(made - started), barrier and set \(taken - made),",
      "\(try readerTime() - startedCPU) of the reader's CPU,",
      "\(status.events) events, \(set.marks.count) marks, \(status.folds) folds")
  }

  /// CPU time of all readers of this process.
  private func readerTime() throws -> Duration {
    var total: Duration = .zero
    try Descriptor.open("/proc/self/task", [.readOnly, .directory]).forEachEntry {
      entry throws(Errno) in
      let task = FilePath("/proc/self/task").appending(String(decoding: entry.name, as: UTF8.self))
      let name = try Descriptor.open(task.appending("comm"), .readOnly).readStream()
      guard name == Array("watch\n".utf8) else { return }
      let times = try Descriptor.open(task.appending("schedstat"), .readOnly).readStream()
      let first = String(decoding: times, as: UTF8.self).split(separator: " ").first
      total += .nanoseconds(first.flatMap { Int($0) } ?? 0)
    }
    return total
  }
}
