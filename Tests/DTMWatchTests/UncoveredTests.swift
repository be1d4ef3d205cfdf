import DTMSystem
import DTMTestSupport
import DTMWatch
import Glibc
import SystemPackage
import Testing

/// Directories that carry no watch.
@Suite(.serialized, .timeLimit(.minutes(60))) struct UncoveredTests {
  @Test func `a directory that may not be read is uncovered until it may`() throws {
    let playground = try Playground()
    for place: Place in ["folder/open", "folder/closed", "folder/closed/in"] {
      playground.make(place)
    }
    playground.setMode("folder/closed", 0o000)
    // The watcher's thread acts as the one that starts it: nobody.
    let thread = try DedicatedThread(named: "nobody") {
      do {
        try ThreadIdentity.assume(uid: 65534)
        let watcher = try playground.watcher()
        defer { watcher.stop() }
        #expect(watcher.status.uncovered.map(\.key) == [key("closed")])
        #expect(watcher.status.uncovered.map(\.reason) == [.permission])
        #expect(try watcher.next().uncovered.map(\.key) == [key("closed")])
      } catch {
        Issue.record(error)
      }
    }
    thread.join()
    let watching = try Watching(playground)
    playground.setMode("folder/closed", 0o755)
    let watcher = watching.watcher
    #expect(try watcher.next().covers(key("closed/in")))
    #expect(
      watcher.wait(within: .seconds(10)) { $0.uncovered.isEmpty && $0.watchedDirectories == 4 })
    _ = try watcher.next()
    playground.write("folder/closed/in/file")
    #expect(try watcher.next().marks.map(\.key) == [key("closed/in/file")])
  }

  /// A watcher that was started by a thread of nobody's.
  private struct Watching {
    let watcher: FolderWatcher

    init(_ playground: Playground) throws {
      let watcher = try FolderWatcher(path: playground.folder, isExcluded: { _, _ in false })
      let thread = try DedicatedThread(named: "nobody") {
        do {
          try ThreadIdentity.assume(uid: 65534)
          try watcher.start()
        } catch {
          Issue.record(error)
        }
      }
      thread.join()
      #expect(watcher.waitUntilArmed(within: .seconds(10)) == .watching)
      #expect(watcher.status.uncovered.count == 1)
      _ = try watcher.take()
      self.watcher = watcher
    }
  }

  @Test func `beyond the watch limit the rest is polled, and watched when the limit is raised`()
    throws
  {
    guard unsafe getenv("DTM_INNER") != nil else { return try inUserNamespace("watch limit") }
    let playground = try Playground()
    playground.makeDirectories(100)
    let time = ManualTimeSource()
    try setWatchLimit(60)
    let watcher = try playground.watcher(time: time)
    let status = watcher.status
    #expect(status.condition == .watching && status.needsPolling)
    #expect(!status.uncovered.isEmpty)
    #expect(status.uncovered.allSatisfy { $0.reason == .watchLimit })
    // What is not watched is in each set as a whole, and so is never missed.
    let lost = try #require(status.uncovered.first).key
    for _ in 0..<2 {
      let set = try watcher.next()
      #expect(set.marks.contains(.init(key: lost, scope: .subtree)))
      #expect(set.basis == .events && set.uncovered.isEmpty)
    }
    // Still refused: the next attempts are further and further apart.
    time.advance(by: .seconds(2))
    try watcher.barrier()
    try watcher.barrier()
    #expect(watcher.status.needsPolling)
    try setWatchLimit(100_000)
    time.advance(by: .seconds(60))
    try watcher.barrier()
    #expect(
      watcher.wait(within: .seconds(10)) {
        $0.uncovered.isEmpty && $0.pendingDirectories == 0 && $0.watchedDirectories == 101
      })
    _ = try watcher.next()
    playground.write(Place("folder").appending(lost.path) / "file")
    #expect(try watcher.next().marks.map(\.key) == [lost.appending(Array("file".utf8))])
    #expect(!watcher.status.needsPolling)
  }

  @Test func `without an instance nothing is watched, and it is tried again`() throws {
    guard unsafe getenv("DTM_INNER") != nil else { return try inUserNamespace("an instance") }
    let playground = try Playground()
    let time = ManualTimeSource()
    try write("0", to: "/proc/sys/user/max_inotify_instances")
    let watcher = try FolderWatcher(
      path: playground.folder, time: time, isExcluded: { _, _ in false })
    try watcher.start()
    #expect(watcher.waitUntilArmed(within: .seconds(10)) == .unwatched(.instanceLimit))
    #expect(try watcher.next().basis == .scan)
    #expect(try watcher.next().basis == .scan)
    try write("100", to: "/proc/sys/user/max_inotify_instances")
    time.advance(by: .seconds(60))
    try watcher.barrier()
    #expect(watcher.wait(within: .seconds(10)) { $0.condition == .watching })
    _ = try watcher.next()
    playground.write("folder/file")
    #expect(try watcher.next().marks.map(\.key) == [key("file")])
  }

  private func setWatchLimit(_ limit: Int) throws {
    try write("\(limit)", to: "/proc/sys/user/max_inotify_watches")
  }

  private func write(_ text: String, to path: FilePath) throws {
    try Descriptor.open(path, .writeOnly).write(Array(text.utf8))
  }

  /// Runs the test of this name once more in a user namespace, which has limits of its own.
  private func inUserNamespace(_ name: String) throws {
    let program = try #require(
      String(validating: Descriptor.open("/proc/self/exe", .path).currentPath(), as: UTF8.self))
    let words = [
      "/usr/bin/unshare", "--user", "--map-root-user", "/usr/bin/env", "DTM_INNER=1", program,
      "--filter", name, "--testing-library", "swift-testing",
    ]
    var arguments = unsafe words.map { unsafe strdup($0) } + [nil]
    defer { for index in unsafe arguments.indices { unsafe free(arguments[index]) } }
    var child: pid_t = 0
    let spawned = unsafe withCleanSignals { attributes in
      unsafe posix_spawn(&child, words[0], nil, attributes, &arguments, environ)
    }
    try #require(spawned == 0)
    var status: Int32 = -1
    #expect(unsafe waitpid(child, &status, 0) == child)
    #expect(status == 0, "the test in the namespace failed; see its output")
  }
}
