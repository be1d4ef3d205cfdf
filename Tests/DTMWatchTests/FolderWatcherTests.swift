import DTMSystem
import DTMTestSupport
import DTMWatch
import Glibc
import Synchronization
import Testing

@Suite(.serialized, .timeLimit(.minutes(60))) struct FolderWatcherTests {
  @Test func `ten changed files in a thousand directories are ten marks`() throws {
    let playground = try Playground()
    playground.makeDirectories(1000)
    let watcher = try playground.watcher()
    for index in 0..<10 { playground.write("folder/d\(index * 7)/e3/file") }
    let set = try watcher.next()
    #expect(set.basis == .events)
    #expect(set.marks.map(\.key) == (0..<10).map { key("d\($0 * 7)/e3/file") }.sorted())
    #expect(set.marks.allSatisfy { $0.scope == .entry })
    #expect(set.hot.isEmpty && set.uncovered.isEmpty)
    #expect(try watcher.next().isEmpty)
  }

  @Test func `all files of two hundred bursts of mkdir a b c are found`() throws {
    let playground = try Playground()
    let watcher = try playground.watcher()
    var mirror = try Mirror.scan(playground.folder)
    for burst in 0..<200 {
      var place = Place("folder/burst\(burst)")
      playground.make(place)
      for name in ["a", "b", "c"] {
        place = place / name
        playground.make(place)
      }
      for file in 0..<15 { playground.write(place / "f\(file)") }
      if burst % 10 == 0 { try mirror.apply(try watcher.next()) }
    }
    try mirror.apply(try watcher.next())
    #expect(mirror.facts.count == 1 + 200 * (4 + 15))
    #expect(try Mirror.scan(playground.folder).differences(from: mirror).isEmpty)
    // Each of them is watched now: a change is one mark.
    #expect(watcher.wait(within: .seconds(10)) { $0.pendingDirectories == 0 })
    _ = try watcher.next()
    playground.append("folder/burst7/a/b/c/f3")
    #expect(try watcher.next().marks == [.init(key: key("burst7/a/b/c/f3"), scope: .entry)])
  }

  @Test func `a change deep below a renamed directory is found under the new path`() throws {
    let playground = try Playground()
    for place: Place in ["folder/a", "folder/a/b", "folder/a/b/c"] { playground.make(place) }
    playground.write("folder/a/b/c/file")
    let watcher = try playground.watcher()
    playground.rename("folder/a", "folder/z")
    let moved = try watcher.next()
    #expect(
      moved.marks == [.init(key: key("a"), scope: .subtree), .init(key: key("z"), scope: .subtree)])
    #expect(watcher.wait(within: .seconds(10)) { $0.pendingDirectories == 0 })
    _ = try watcher.next()
    playground.append("folder/z/b/c/file")
    #expect(try watcher.next().marks == [.init(key: key("z/b/c/file"), scope: .entry)])
    #expect(watcher.status.watchedDirectories == 4)
  }

  @Test func `a tree that is moved out is watched no longer, and again when it returns`() throws {
    let playground = try Playground()
    for place: Place in ["folder/a", "folder/a/b"] { playground.make(place) }
    let watcher = try playground.watcher()
    playground.rename("folder/a", "outside")
    #expect(try watcher.next().covers(key("a/b")))
    #expect(watcher.wait(within: .seconds(10)) { $0.watchedDirectories == 1 })
    playground.write("outside/b/unseen")
    _ = try watcher.next()
    #expect(try watcher.next().isEmpty)
    playground.rename("outside", "folder/back")
    let set = try watcher.next()
    #expect(set.covers(key("back/b/unseen")) && !set.covers(key("a")))
    #expect(watcher.wait(within: .seconds(10)) { $0.watchedDirectories == 3 })
    _ = try watcher.next()
    playground.write("folder/back/b/seen")
    #expect(try watcher.next().marks.map(\.key) == [key("back/b/seen")])
  }

  @Test func `names are bytes, all of them`() throws {
    let playground = try Playground()
    let watcher = try playground.watcher()
    var expected: [PathKey] = []
    for byte in UInt8(1)...255 where byte != UInt8(ascii: "/") && byte != UInt8(ascii: ".") {
      let directory = [byte, 0xFF, 0x0A]
      playground.make(Place("folder").appending(directory))
      playground.write(Place("folder").appending(directory).appending([byte]))
      expected.append(PathKey.root.appending(directory).appending([byte]))
    }
    playground.write(Place("folder").appending(Array(repeating: 0xE4, count: 255)))
    expected.append(PathKey.root.appending(Array(repeating: 0xE4, count: 255)))
    let set = try watcher.next()
    #expect(set.basis == .events)
    for key in expected { #expect(set.covers(key), "\(Quoting.path(key))") }
    #expect(watcher.wait(within: .seconds(10)) { $0.pendingDirectories == 0 })
    _ = try watcher.next()
    for key in expected { playground.append(Place("folder").appending(key.path)) }
    #expect(try watcher.next().marks.map(\.key) == expected.sorted())
  }

  @Test func `a path of six thousand bytes is watched`() throws {
    let playground = try Playground()
    var place = Place("folder")
    var deepest = PathKey.root
    for level in 0..<25 {
      let name = Array(repeating: UInt8(ascii: "a") + UInt8(level), count: 250)
      place = place.appending(name)
      deepest = deepest.appending(name)
      #expect(playground.make(place))
    }
    let watcher = try playground.watcher()
    #expect(watcher.status.watchedDirectories == 26)
    #expect(playground.write(place / "file"))
    #expect(try watcher.next().marks.map(\.key) == [deepest.appending(Array("file".utf8))])
  }

  @Test func `a changed mode of a directory is a mark on it alone`() throws {
    let playground = try Playground()
    playground.make("folder/a")
    let watcher = try playground.watcher()
    playground.setMode("folder/a", 0o700)
    playground.setMode("folder", 0o700)
    #expect(
      try watcher.next().marks == [
        .init(key: .root, scope: .entry), .init(key: key("a"), scope: .entry),
      ])
  }

  @Test func `a symbolic link to a directory is not followed`() throws {
    let playground = try Playground()
    playground.make("outside")
    playground.symlink("../outside", "folder/link")
    let watcher = try playground.watcher()
    playground.symlink("../outside", "folder/other")
    #expect(try watcher.next().marks.map(\.key) == [key("other")])
    playground.write("outside/file")
    #expect(try watcher.next().isEmpty)
    #expect(watcher.status.watchedDirectories == 1)
  }

  // MARK: Files open for writing

  @Test func `a file is hot from its first write until it is closed`() throws {
    let playground = try Playground()
    playground.make("folder/a")
    let watcher = try playground.watcher()
    let file = try playground.openForWriting("folder/a/wal")
    #expect(unsafe Glibc.write(file, "x", 1) == 1)
    #expect(try watcher.next().hot == [key("a/wal")])
    // Hot in each set, though there is no further event.
    let second = try watcher.next()
    #expect(second.hot == [key("a/wal")] && second.marks.isEmpty && !second.isEmpty)
    playground.rename("folder/a/wal", "folder/a/log")
    #expect(try watcher.next().hot == [key("a/log")])
    playground.rename("folder/a", "folder/b")
    #expect(try watcher.next().hot == [key("b/log")])
    close(file)
    let last = try watcher.next()
    #expect(last.hot.isEmpty && last.covers(key("b/log")))
  }

  @Test func `a hot file is released unless it was written after the capture's set`() throws {
    let playground = try Playground()
    let watcher = try playground.watcher()
    playground.write("folder/a")
    _ = try watcher.next()
    // truncate(2) raises MODIFY and never CLOSE_WRITE.
    playground.truncate("folder/a", to: 1)
    let set = try watcher.next()
    #expect(set.hot == [key("a")])
    playground.truncate("folder/a", to: 0)
    try watcher.barrier()
    watcher.release(hot: set.hot, capturedIn: set)
    let second = try watcher.next()
    #expect(second.hot == [key("a")])
    watcher.release(hot: second.hot, capturedIn: second)
    #expect(try watcher.next().isEmpty)
  }

  // MARK: Sets

  @Test func `each set begins where the one before ended`() throws {
    let playground = try Playground()
    let watcher = try playground.watcher()
    let first = try watcher.next()
    playground.write("folder/a")
    let second = try watcher.next()
    #expect(second.baseClock == first.endClock && second.endClock != second.baseClock)
    let other = try playground.watcher()
    #expect(try other.next().baseClock != first.baseClock)
  }

  @Test func `a set that is given back is part of the next one`() throws {
    let playground = try Playground()
    playground.make("folder/sub")
    let watcher = try playground.watcher()
    playground.write("folder/a")
    playground.rename("folder/sub", "folder/bus")
    let failed = try watcher.next()
    playground.write("folder/b")
    watcher.giveBack(failed)
    #expect(watcher.activity.isDirty)
    let set = try watcher.next()
    #expect(set.baseClock == failed.baseClock)
    #expect(set.basis == .events)
    #expect(set.marks.map(\.key) == [key("a"), key("b"), key("bus"), key("sub")])
  }

  @Test func `a set that is given back after another was taken makes everything unknown`() throws {
    let playground = try Playground()
    let watcher = try playground.watcher()
    playground.write("folder/a")
    let failed = try watcher.next()
    _ = try watcher.next()
    watcher.giveBack(failed)
    #expect(try watcher.next().basis == .scan)
  }

  @Test func `beyond the limit full directories are marked as a whole`() throws {
    let playground = try Playground()
    playground.make("folder/full")
    playground.make("folder/other")
    var options = FolderWatcher.Options()
    options.markLimit = 100
    let watcher = try playground.watcher(options: options)
    playground.write("folder/other/single")
    for index in 0..<1000 { playground.write("folder/full/f\(index)") }
    let set = try watcher.next()
    #expect(set.marks.contains(.init(key: key("full"), scope: .subtree)))
    #expect(set.marks.contains(.init(key: key("other/single"), scope: .entry)))
    #expect(set.marks.count <= 100)
    #expect(watcher.status.folds > 0)
  }

  @Test func `what happens is told with its time, and that something is dirty`() throws {
    let playground = try Playground()
    let time = ManualTimeSource()
    let told = Mutex<[WatchActivity]>([])
    let watcher = try playground.watcher(
      time: time, onActivity: { activity in told.withLock { $0.append(activity) } })
    // The reader tells after it answered: the next answer comes after that.
    try watcher.barrier()
    try watcher.barrier()
    #expect(told.withLock { $0.last?.isDirty } == false)
    time.advance(by: .seconds(100))
    playground.write("folder/a")
    try watcher.barrier()
    try watcher.barrier()
    let last = told.withLock { $0.last }
    #expect(last?.isDirty == true)
    #expect(last?.lastEvent == time.monotonic())
    #expect(last?.condition == .watching)
  }

  // MARK: The reader

  @Test func `a barrier of a stopped watcher fails, and so does taking a set`() throws {
    let playground = try Playground()
    let watcher = try playground.watcher()
    watcher.stop()
    #expect { try watcher.barrier() } throws: { ($0 as? WatchError)?.code == .stopped }
    #expect { try watcher.take() } throws: { ($0 as? WatchError)?.code == .stopped }
  }

  @Test func `a barrier does not wait for ever`() throws {
    let playground = try Playground()
    let watcher = try playground.watcher()
    watcher.setReaderSuspended(true)
    #expect { try watcher.barrier(within: .milliseconds(30)) } throws: {
      ($0 as? WatchError)?.code == .timedOut
    }
    watcher.setReaderSuspended(false)
    try watcher.barrier()
  }
}
