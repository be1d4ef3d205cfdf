import DTMFolder
import DTMRepository
import DTMSystem
import DTMTestSupport
import Glibc
import Synchronization
import SystemPackage
import Testing

struct CaptureTests {
  private static func noise(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
    var random = SplitMix(seed: seed)
    return (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) }
  }

  @Test func `every kind of entry comes back with everything that is kept of it`() throws {
    try withFixture { fixture in
      let sandbox = fixture.sandbox
      let strange = PathKey(bytes: [0xFF, 0x0A, 0x20, 0x2A])
      let long = PathKey(bytes: [UInt8](repeating: UInt8(ascii: "n"), count: 255))
      try sandbox.write(strange, Self.noise(5000))
      try sandbox.write(long, "")
      try sandbox.write("inline", Self.noise(128))
      try sandbox.write("large", Self.noise(3_000_000))
      try sandbox.chmod("large", 0o4751)
      try sandbox.setTime("large", seconds: -86_400 * 365, nanoseconds: 123_456_789)
      try sandbox.symlink("link", to: [0xFE, 0x2F, 0x2E])
      try sandbox.fifo("fifo")
      try sandbox.directory("empty", mode: 0o700)
      let outcome = try fixture.snapshot()
      let tree = try fixture.tree(outcome)
      #expect(outcome.snapshot?.problems == [])
      #expect(try fixture.content(tree, strange) == Self.noise(5000))
      #expect(try fixture.content(tree, "large") == Self.noise(3_000_000))
      let large = try #require(try tree.entry("large"))
      #expect(large.permissions == 0o4751)
      #expect(
        large.modified == FileTime(seconds: -86_400 * 365, nanoseconds: 123_456_789))
      #expect(large.owner.id == geteuid())
      #expect(large.owner.name == Array((UserDirectory.name(ofUser: geteuid()) ?? "").utf8))
      #expect(try tree.entry("inline")?.content == .inline(Self.noise(128)))
      #expect(try tree.entry(long)?.content == .inline([]))
      #expect(try tree.entry("link")?.content == .target([0xFE, 0x2F, 0x2E]))
      #expect(try tree.entry("fifo")?.kind == .fifo)
      #expect(try tree.entry("empty")?.permissions == 0o700)
      #expect(try tree.entry(.root)?.kind == .directory)
      #expect(outcome.snapshot?.counts.entries == 7)
      #expect(outcome.snapshot?.counts.files == 4)
    }
  }

  @Test func `devices are entries with their numbers`() throws {
    try withFixture { fixture in
      let directory = try fixture.sandbox.open(.root, O_RDONLY)
      let made = try unsafe withCString(of: Array("null".utf8)) { name throws(Errno) in
        unsafe mknodat(directory.rawValue, name, S_IFCHR | 0o600, 1 << 8 | 3)
      }
      try #require(made == 0, "mknod(2): this test needs root")
      let tree = try fixture.tree(try fixture.snapshot())
      #expect(try tree.entry("null")?.content == .device(major: 1, minor: 3))
    }
  }

  @Test func `a sparse file keeps its holes and is read around them`() throws {
    try withFixture { fixture in
      try fixture.sandbox.write("s", "")
      try fixture.sandbox.truncate("s", 1 << 30)
      try fixture.sandbox.patch("s", at: 64 << 20, Self.noise(10_000))
      let calls = fixture.folder.environment.calls
      let before = calls.count
      let tree = try fixture.tree(try fixture.snapshot())
      #expect(calls.count - before < 60)
      let entry = try #require(try tree.entry("s"))
      #expect(entry.isSparse)
      #expect(entry.size == 1 << 30)
      var data = 0
      try ContentReader(fixture.repository.objects)
        .forEachRun(of: entry.content, size: entry.size) { offset, bytes in
          data += bytes.count
          let place = (64 << 20) - offset
          if place >= 0, place < bytes.count {
            #expect(Array(bytes[place...].prefix(100)) == Array(Self.noise(100)))
          }
        }
      #expect(data >= 10_000 && data < 100_000)
    }
  }

  @Test func `names of one file are one group and read once`() throws {
    try withFixture { fixture in
      let sandbox = fixture.sandbox
      try sandbox.directory("z")
      try sandbox.write("m", Self.noise(9000))
      try sandbox.link("z/late", from: "m")
      try sandbox.link("early", from: "m")
      try sandbox.write("alone", "x")
      let tree = try fixture.tree(try fixture.snapshot(fixture.scan()))
      for key in ["early", "m", "z/late"] as [PathKey] {
        #expect(try tree.entry(key)?.linkGroup == "early")
        #expect(try fixture.content(tree, key) == Self.noise(9000))
      }
      #expect(try tree.entry("alone")?.linkGroup == nil)
      // A write through one name, of which no event tells the others.
      try sandbox.write("z/late", Self.noise(9000, seed: 2))
      let second = try fixture.tree(try fixture.snapshot(fixture.events(["z/late"])))
      #expect(try fixture.content(second, "early") == Self.noise(9000, seed: 2))
      try sandbox.remove("early")
      let third = try fixture.tree(try fixture.snapshot(fixture.events(["early"])))
      #expect(try third.entry("m")?.linkGroup == "m")
      try sandbox.remove("m")
      let fourth = try fixture.tree(try fixture.snapshot(fixture.events(["m"])))
      #expect(try fourth.entry("z/late")?.linkGroup == nil)
      #expect(fourth.root == (try fixture.scratchTree()))
    }
  }

  @Test func `a second name for a file that had one is found without an event for the first`()
    throws
  {
    try withFixture { fixture in
      try fixture.sandbox.write("a", Self.noise(5000))
      try fixture.snapshot(fixture.scan())
      try fixture.sandbox.link("b", from: "a")
      let tree = try fixture.tree(try fixture.snapshot(fixture.events(["b"])))
      #expect(try tree.entry("a")?.linkGroup == "a")
      #expect(try tree.entry("b")?.linkGroup == "a")
    }
  }

  @Test func `a file with a name outside the folder is looked at in each snapshot`() throws {
    try withTemporaryDirectory { directory in
      let fixture = try FolderFixture(directory)
      let outside = Sandbox(path: directory)
      try fixture.sandbox.write("in", Self.noise(500))
      try outside.link("out", from: "data/in")
      try fixture.snapshot(fixture.scan())
      for seed in 2...4 as ClosedRange<UInt64> {
        try outside.write("out", Self.noise(500, seed: seed))
        let tree = try fixture.tree(try fixture.snapshot(fixture.events([])))
        #expect(try fixture.content(tree, "in") == Self.noise(500, seed: seed))
      }
    }
  }

  @Test func `extended attributes are kept, small ones in the entry`() throws {
    try withFixture { fixture in
      try fixture.sandbox.write("f", "x")
      try fixture.sandbox.setAttribute("f", "user.b", Self.noise(300))
      try fixture.sandbox.directory("d")
      try fixture.sandbox.setAttribute("d", "user.a", [1, 2])
      let tree = try fixture.tree(try fixture.snapshot(fixture.scan()))
      var writer = ByteWriter()
      writer.varint(1)
      writer.counted(Array("user.a".utf8))
      writer.counted([1, 2])
      #expect(try tree.entry("d")?.attributes == .inline(writer.bytes))
      guard case .object(let id) = try tree.entry("f")?.attributes else {
        Issue.record("no attributes")
        return
      }
      #expect(try fixture.repository.objects.read(id, .chunk).count == 300 + 10)
      try fixture.sandbox.setAttribute("d", "user.a", [3])
      let second = try fixture.snapshot(fixture.events(["d"]), ifChanged: true)
      #expect(second.wasCreated)
    }
  }

  // MARK: - What vouches

  @Test func `a file without writers is proven on a kernel with multigrain times`() throws {
    try #require(
      CaptureEnvironment.system().hasMultigrainTimes, "this test needs Linux 6.13 or later")
    try withFixture { fixture in
      try fixture.sandbox.write("f", "x")
      let snapshot = try #require(try fixture.snapshot().snapshot)
      #expect(snapshot.counts.proven == 1)
      #expect(snapshot.counts.stable == 0)
    }
  }

  @Test func `on an older kernel a file is stable when it is old enough, else read again`() throws {
    let time = ManualTimeSource()
    try withFixture(environment: .hooked(time, isMultigrain: false)) { fixture in
      try fixture.sandbox.write("f", "x")
      let changed = try fixture.sandbox.status("f").changed
      let calls = fixture.folder.environment.calls
      // Read within two ticks of its change: nothing is sure.
      time.setNow(Timestamp(changed).advanced(by: fixture.environment.tick))
      let first = try #require(try fixture.snapshot().snapshot)
      #expect(first.counts.stable == 0)
      // Unchanged by all that stat tells, and read all the same.
      time.setNow(Timestamp(changed).advanced(by: .seconds(60)))
      var before = calls.count
      #expect(try !fixture.snapshot(ifChanged: true).wasCreated)
      let reading = calls.count - before
      before = calls.count
      #expect(try !fixture.snapshot(ifChanged: true).wasCreated)
      #expect(calls.count - before < reading)
      try fixture.sandbox.write("g", "y")
      time.setNow(
        Timestamp(try fixture.sandbox.status("g").changed).advanced(by: .seconds(1)))
      #expect(try fixture.snapshot().snapshot?.counts.stable == 1)
    }
  }

  /// Writes a file right before it is read and, with the same size, right after.
  private struct SameTick {
    private var isBefore = true
    var isOver = false
    /// Whether the last write left the file's times as they were.
    private(set) var isInTime = false

    mutating func next(_ sandbox: Sandbox, _ name: PathKey) throws {
      if isOver { return }
      if isBefore {
        try sandbox.write(name, "aaaa")
      } else {
        let before = try sandbox.status(name).changed
        try sandbox.write(name, "bbbb")
        isInTime = try sandbox.status(name).changed == before
        isOver = true
      }
      isBefore.toggle()
    }
  }

  @Test func `a change of the same size within the same tick is found by the next scan`() throws {
    try withTemporaryDirectory { directory in
      try Sandbox(path: directory).directory("mount")
      // ramfs has no multigrain times: what older kernels do everywhere.
      let mounted = unsafe mount("ramfs", directory.appending("mount").string, "ramfs", 0, nil)
      try #require(mounted == 0, "mount(2): this test needs root")
      defer { unsafe umount2(directory.appending("mount").string, Int32(MNT_DETACH)) }
      let sandbox = Sandbox(path: directory.appending("mount"))
      let step = Mutex(SameTick())
      let time = HookedTime { _ in }
      var environment = CaptureEnvironment.hooked(time)
      environment.pause = { _ in step.withLock { $0.isOver = false } }
      let fixture = try FolderFixture(directory, data: sandbox.path, environment: environment)
      var met = 0
      for round in 0..<200 where met < 3 {
        let name = PathKey("f\(round)") ?? .root
        step.withLock { $0 = SameTick() }
        time.set { call in
          // The lock and the capture ask first; then it is before and after each reading.
          if call < 3 { return }
          do {
            try step.withLock { try $0.next(sandbox, name) }
          } catch {
            Issue.record(error)
          }
        }
        try sandbox.write(name, "aaaa")
        let outcome = try fixture.snapshot(allowsHot: true)
        time.set { _ in }
        let isSame = step.withLock { $0.isInTime }
        let kept = try fixture.content(try fixture.tree(outcome), name)
        if isSame && kept == Array("aaaa".utf8) && outcome.snapshot?.hot == [] { met += 1 }
        let next = try fixture.tree(try fixture.snapshot())
        let now = try sandbox.open(name, 0).readToEnd()
        #expect(try fixture.content(next, name) == now)
      }
      #expect(met == 3, "the case came \(met) times")
    }
  }

  @Test func `a file that is open for writing is hot, and captured again until it is not`() throws {
    try withFixture { fixture in
      try fixture.sandbox.write("h", "one")
      let writer = try fixture.sandbox.open("h", O_WRONLY)
      let first = try fixture.snapshot(fixture.scan(), allowsHot: true)
      #expect(first.snapshot?.hot == ["h"])
      #expect(try fixture.tree(first).entry("h")?.isHot == true)
      // No event tells: a page that is dirty already is stored to.
      try writer.write(Array("two".utf8), at: 0)
      let second = try fixture.snapshot(fixture.events([]), allowsHot: true)
      #expect(try fixture.content(try fixture.tree(second), "h") == Array("two".utf8))
      try writer.closeReportingErrors()
      let third = try fixture.snapshot(fixture.events([]))
      #expect(third.snapshot?.hot == [])
      #expect(try fixture.tree(third).entry("h")?.isHot == false)
      let calls = fixture.folder.environment.calls
      let before = calls.count
      try fixture.snapshot(fixture.events([]), ifChanged: true)
      // The folder itself, before and after; the file no more.
      #expect(calls.count - before <= 6)
    }
  }

  @Test func `a hot file rests nine times as long as its reading took`() throws {
    let time = ManualTimeSource()
    let environment = CaptureEnvironment.hooked(time)
    try withFixture(environment: environment) { fixture in
      try fixture.sandbox.write("h", Self.noise(1000))
      let writer = try fixture.sandbox.open("h", O_WRONLY)
      defer { withExtendedLifetime(writer) {} }
      var request = SnapshotRequest(fixture.scan(), trigger: "quiet")
      let first = try fixture.folder.snapshot(request)
      #expect(first.snapshot?.hot == ["h"])
      // The manual clock stood still, so its reading took no time: it is read again at once.
      try writer.write([1], at: 0)
      request.changes = fixture.events(["h"])
      let second = try fixture.folder.snapshot(request)
      #expect(try fixture.content(try fixture.tree(second), "h")?.first == 1)
      // Had it taken ten seconds, it would rest for ninety.
      let revisit = Revisit(
        "h", .entry, .hot, ended: time.now().seconds * 1_000_000, took: 10_000_000)
      let header = try #require(fixture.folder.state.beginReading())
      fixture.folder.state.replaceRevisits(removing: ["h"], adding: [revisit])
      fixture.folder.state.commit(header)
      try writer.write([2], at: 0)
      time.advance(by: .seconds(60))
      request.changes = fixture.events(["h"])
      let third = try fixture.folder.snapshot(request)
      #expect(try fixture.content(try fixture.tree(third), "h")?.first == 1)
      #expect(third.snapshot?.hot == ["h"])
      time.advance(by: .seconds(40))
      request.changes = fixture.events([])
      let fourth = try fixture.folder.snapshot(request)
      #expect(try fixture.content(try fixture.tree(fourth), "h")?.first == 2)
    }
  }

  @Test func `a file that changes at every reading is kept and named`() throws {
    let time = HookedTime { _ in }
    try withFixture(environment: .hooked(time)) { fixture in
      let sandbox = fixture.sandbox
      try sandbox.write("c", "0")
      time.set { call in
        do { try sandbox.write("c", "\(call)") } catch { Issue.record(error) }
      }
      let snapshot = try #require(try fixture.snapshot(allowsHot: true).snapshot)
      time.set { _ in }
      #expect(snapshot.problems.map(\.key) == ["c"])
      #expect(snapshot.problems.map(\.kind) == [.changing])
      #expect(!snapshot.isComplete)
      let second = try fixture.snapshot()
      #expect(second.snapshot?.problems == [])
      #expect(second.snapshot?.tree == (try fixture.scratchTree()))
    }
  }

  @Test func `a file that changes once is read again and is whole`() throws {
    let time = HookedTime { _ in }
    try withFixture(environment: .hooked(time)) { fixture in
      let sandbox = fixture.sandbox
      try sandbox.write("c", "old")
      time.set { call in
        if call == 3 { do { try sandbox.write("c", "new!") } catch { Issue.record(error) } }
      }
      let outcome = try fixture.snapshot(allowsHot: true)
      #expect(outcome.snapshot?.problems == [])
      #expect(try fixture.content(try fixture.tree(outcome), "c") == Array("new!".utf8))
    }
  }

  @Test func `each version of a file under a writer is one it had, or is flagged`() throws {
    let length = 400_000
    try withFixture(environment: .hooked(SystemTimeSource())) { fixture in
      let sandbox = fixture.sandbox
      try sandbox.write("w", [UInt8](repeating: 0, count: length))
      let isDone = Atomic(false)
      let writer = try DedicatedThread(named: "writer") {
        var generation: UInt8 = 0
        while !isDone.load(ordering: .relaxed) {
          generation &+= 1
          do {
            let file = try sandbox.open("w", O_WRONLY)
            for place in stride(from: 0, to: length, by: 50_000) {
              try file.write([UInt8](repeating: generation, count: 50_000), at: place)
            }
          } catch {
            Issue.record(error)
            return
          }
        }
      }
      defer {
        isDone.store(true, ordering: .relaxed)
        writer.join()
      }
      for _ in 0..<40 {
        let outcome = try fixture.snapshot(allowsHot: true)
        let snapshot = try #require(outcome.snapshot)
        let content = try #require(try fixture.content(try fixture.tree(outcome), "w"))
        let isOneGeneration = content.allSatisfy { $0 == content[0] }
        let isFlagged = !snapshot.hot.isEmpty || !snapshot.problems.isEmpty
        #expect(isOneGeneration || isFlagged)
      }
    }
  }
}
