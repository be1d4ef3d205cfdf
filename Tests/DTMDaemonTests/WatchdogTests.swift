import DTMConfiguration
import DTMControl
import DTMDaemon
import DTMSystem
import SystemPackage
import Testing

@Suite struct WatchdogTests {
  /// A part that answers, or hangs.
  private final class Part: Pulse {
    let part: String
    let isAnswering = Monitor(true)

    init(_ part: String) {
      self.part = part
    }

    func isAlive(until deadline: Deadline) -> Bool {
      isAnswering.wait(until: deadline) { $0 ? true : nil } ?? false
    }
  }

  @Test func `it is fed while every part lives, and not while one hangs`() throws {
    let parts = [Part("one"), Part("two"), Part("three")]
    let fed = Monitor(0)
    let log = LogLines()
    let watchdog = try Watchdog(limit: .milliseconds(40), logger: log.logger()) {
      parts
    } feed: {
      fed.update { $0 += 1 }
    }
    func waitForFeeds(_ count: Int) -> Bool {
      fed.wait(until: .after(.seconds(20))) { $0 >= count ? true : nil } ?? false
    }
    #expect(waitForFeeds(3))
    parts[1].isAnswering.update { $0 = false }
    #expect(eventually { log.all.contains { $0.contains("event=partStalled part=two") } })
    let before = fed.withLock { $0 }
    // The same stall is said once, however many rounds see it: three more rounds are over when a
    // second part's stall is there.
    parts[2].isAnswering.update { $0 = false }
    #expect(eventually { log.all.contains { $0.contains("event=partStalled part=three") } })
    #expect(fed.withLock { $0 } == before, "fed while a part hung")
    #expect(log.all.count { $0.contains("part=two") } == 1)
    #expect(!log.all.contains { $0.contains("part=one") })
    for part in parts { part.isAnswering.update { $0 = true } }
    #expect(waitForFeeds(before + 2))
    watchdog.stop()
  }

  /// A daemon with one folder that a service manager watches.
  private final class Watched {
    let fixture: DaemonFixture
    /// Seen after so many WATCHDOG=1.
    var feeds: Int { fixture.notices.withLock { $0.count { $0 == "WATCHDOG=1" } } }

    init(limit: Duration) throws {
      fixture = try DaemonFixture(watchdogLimit: limit)
      try fixture.waitUntilProtected()
    }

    func isFed() -> Bool {
      let before = feeds
      return fixture.notices.wait(until: .after(.seconds(20))) { notices in
        notices.count { $0 == "WATCHDOG=1" } > before + 1 ? true : nil
      } ?? false
    }

    func isStalled(_ part: String) -> Bool {
      eventually { fixture.log.all.contains { $0.contains("partStalled part=\(part)") } }
    }
  }

  @Test func `a daemon feeds it, but not while a capture hangs`() throws {
    let watched = try Watched(limit: .milliseconds(80))
    #expect(watched.isFed())
    let engines = watched.fixture.engines
    engines.state.update { $0.isGateOpen = false }
    try watched.fixture.directory.write("lake/second", "2")
    #expect(watched.isStalled("the folder lake"))
    // While the capture counts, it lives, however long it takes.
    let progress = engines.state.withLock { $0.progress }
    let isOver = Monitor(false)
    let counting = try DedicatedThread(named: "counting") {
      while isOver.wait(until: .after(.milliseconds(2)), for: { $0 ? true : nil }) == nil {
        progress.add(entries: 1)
      }
    }
    #expect(watched.isFed())
    isOver.update { $0 = true }
    counting.join()
    engines.state.update { $0.isGateOpen = true }
    #expect(watched.isFed())
  }

  @Test func `a daemon does not feed it while a folder's reader hangs`() throws {
    let watched = try Watched(limit: .milliseconds(80))
    #expect(watched.isFed())
    let gate = watched.fixture.engines.readerGate
    gate.update { $0.isOpen = false }
    try watched.fixture.directory.write("lake/second", "2")
    // It hangs in the watcher's lock, the worst place: whoever asks it hangs too, and feeds nothing.
    let isIn: Bool? = gate.wait(until: .after(.seconds(20))) { $0.waiting > 0 ? true : nil }
    #expect(isIn == true)
    let before = watched.feeds
    // Another watchdog of the same pace tells how much time has passed.
    let rounds = Monitor(0)
    let pace = try Watchdog(limit: .milliseconds(80), logger: LogLines().logger()) {
      []
    } feed: {
      rounds.update { $0 += 1 }
    }
    let isOver: Bool? = rounds.wait(until: .after(.seconds(20))) { $0 >= 8 ? true : nil }
    #expect(isOver == true)
    pace.stop()
    // One may have been on its way.
    #expect(watched.feeds <= before + 1)
    gate.update { $0.isOpen = true }
    #expect(watched.isFed())
  }

  @Test func `without a manager that watches nothing is fed`() throws {
    let fixture = try DaemonFixture()
    try fixture.waitUntilProtected()
    fixture.daemon.stop()
    #expect(!fixture.notices.withLock { $0.contains("WATCHDOG=1") })
  }
}

extension ControlServerTests {
  @Test func `a server answers for its life, unless a handler hangs`() throws {
    let server = try serve()
    defer { server.stop() }
    #expect(server.isAlive(until: .after(.seconds(20))))
    handler.gate.update { $0 = false }
    let stream = try UnixStream.connect(to: path, limit: .seconds(5))
    try stream.writeAll(call("x"), until: .after(.seconds(5)))
    #expect(eventually { handler.state.withLock { $0.calls.count } == 1 })
    #expect(!server.isAlive(until: .after(.milliseconds(20))))
    handler.gate.update { $0 = true }
    #expect(server.isAlive(until: .after(.seconds(20))))
  }
}
