import DTMConfiguration
import DTMControl
import DTMDaemon
import DTMFolder
import DTMRepository
import DTMRules
import DTMSystem
import DTMTestSupport
import Glibc
import SystemPackage
import Testing

/// Files that change behind the watcher's back, under a service whose clock the test turns.
private final class Audited {
  let time = ManualTimeSource()
  let fixture: RealFixture
  let service: FolderService

  init(
    settle: SettlePolicy = SettlePolicy(
      quiet: .seconds(2), atMost: .seconds(300), minInterval: .zero),
    _ prepare: (RealFixture) throws -> Void
  ) throws {
    fixture = try RealFixture()
    try prepare(fixture)
    service = try fixture.start(settle: settle, time: time)
    #expect(pass(.seconds(1)) { self.service.status.lastSnapshot != nil })
    #expect(eventually { self.service.status.state == .protected })
  }

  /// Lets time pass, step by step, until it is as asked.
  func pass(_ step: Duration, until isReached: () throws -> Bool) rethrows -> Bool {
    try eventually {
      if try isReached() { return true }
      time.advance(by: step)
      service.look()
      return try isReached()
    }
  }

  func content(_ name: String) throws -> String? {
    try fixture.content(name)
  }

  func path(_ name: String) -> String { fixture.directory.path.appending(name).string }
}

@Suite(.serialized) struct AuditTests {
  @Test func `what no event told is found within a day, said as an error, and captured`() throws {
    let audited = try Audited { fixture in
      for index in 0..<50 { try fixture.directory.write("lake/f\(index)", "old") }
    }
    // Through a name outside the folder that comes and goes.
    let linked = unsafe link(audited.path("lake/f7"), audited.path("name"))
    #expect(linked == 0)
    try audited.fixture.directory.write("name", "changed")
    #expect(unsafe unlink(audited.path("name")) == 0)
    let began = audited.time.monotonic()
    #expect(audited.pass(.seconds(600)) { audited.service.status.missedChanges == 1 })
    #expect(audited.time.monotonic() - began < .seconds(26 * 3600))
    #expect(audited.service.status.lateChanges == 0)
    #expect(try audited.pass(.seconds(1)) { try audited.content("f7") == "changed" })
    let lines = audited.fixture.log.all.filter { $0.contains("event=changeMissed") }
    #expect(lines.count == 1 && lines[0].hasPrefix("error:") && lines[0].contains("file=f7"))
    #expect(eventually { audited.service.status.state == .degraded })
    // Found once: the next round has nothing to say.
    for _ in 0..<30 {
      audited.time.advance(by: .seconds(3600))
      audited.service.look()
      audited.service.waitForLook()
    }
    #expect(audited.service.status.missedChanges == 1)
    #expect(try audited.fixture.snapshots().first?.snapshot.basis == .events)
  }

  /// Writes a file through a name outside the folder, which no event tells.
  private func change(_ name: String, in audited: Audited) throws {
    let linked = unsafe link(audited.path("lake/\(name)"), audited.path("name"))
    #expect(linked == 0)
    try audited.fixture.directory.write("name", "changed")
    #expect(unsafe unlink(audited.path("name")) == 0)
  }

  @Test func `after a sleep of the machine everything is compared at once`() throws {
    let audited = try Audited { fixture in
      for index in 0..<50 { try fixture.directory.write("lake/f\(index)", "old") }
    }
    try change("f7", in: audited)
    let began = audited.time.monotonic()
    audited.time.advance(by: .seconds(3600))
    audited.service.woke()
    #expect(audited.pass(.seconds(1)) { audited.service.status.missedChanges == 1 })
    #expect(audited.time.monotonic() - began < .seconds(4000))
    #expect(try audited.pass(.seconds(1)) { try audited.content("f7") == "changed" })
    // By events: a sleep takes nothing away that they vouch for.
    #expect(try audited.fixture.snapshots().first?.snapshot.basis == .events)
  }

  @Test func `what a scan that is asked for finds and no event told is counted`() throws {
    let audited = try Audited(settle: Self.byHand) { fixture in
      for index in 0..<50 { try fixture.directory.write("lake/f\(index)", "old") }
      try fixture.directory.makeDirectory("lake/d")
      try fixture.directory.write("lake/d/inner", "old")
    }
    func rescan() throws {
      let answer = Answer<Result<DTMControl.SnapshotOutcome, DaemonFault>>()
      var request = DTMControl.SnapshotRequest(folder: "lake")
      request.look = .scan
      audited.service.snapshot(request, user: 0) { answer.give($0) }
      _ = try answer.wait().get()
    }
    // What events told is not missed, whether it is made, changed, moved or removed with all beneath.
    try audited.fixture.directory.write("lake/f1", "told")
    try audited.fixture.directory.write("lake/new", "told")
    #expect(unsafe unlink(audited.path("lake/f2")) == 0)
    #expect(unsafe rename(audited.path("lake/d"), audited.path("lake/e")) == 0)
    try rescan()
    for _ in 0..<20 {
      audited.time.advance(by: .seconds(1))
      audited.service.look()
      audited.service.waitForLook()
    }
    #expect(audited.service.status.missedChanges == 0)
    try change("f7", in: audited)
    try rescan()
    #expect(try audited.content("f7") == "changed")
    #expect(try audited.fixture.snapshots().first?.snapshot.basis == .scan)
    #expect(audited.service.status.missedChanges == 0, "counted before its event can be there")
    #expect(audited.pass(.seconds(1)) { audited.service.status.missedChanges == 1 })
    #expect(audited.fixture.log.all.contains { $0.contains("event=changeMissed") })
    try rescan()
    for _ in 0..<20 {
      audited.time.advance(by: .seconds(1))
      audited.service.look()
      audited.service.waitForLook()
    }
    #expect(audited.service.status.missedChanges == 1)
  }

  private static let byHand = SettlePolicy(
    quiet: .seconds(86_400), atMost: .seconds(86_400), minInterval: .zero)

  @Test func `what an event told and no snapshot holds yet is not missed`() throws {
    let never = Duration.seconds(30 * 24 * 3600)
    let audited = try Audited(settle: SettlePolicy(quiet: never, atMost: never, minInterval: .zero))
    {
      for name in ["told", "untold"] { try $0.directory.write("lake/\(name)", "old") }
    }
    try audited.fixture.directory.write("lake/told", "changed")
    try audited.fixture.directory.write("lake/new", "x")
    let linked = unsafe link(audited.path("lake/untold"), audited.path("name"))
    #expect(linked == 0)
    try audited.fixture.directory.write("name", "changed")
    #expect(unsafe unlink(audited.path("name")) == 0)
    #expect(audited.pass(.seconds(600)) { audited.service.status.missedChanges > 0 })
    #expect(audited.service.status.missedChanges == 1 && audited.service.status.lateChanges == 0)
    #expect(audited.fixture.log.all.contains { $0.contains("file=untold") })
    #expect(try audited.fixture.snapshots().count == 1)
  }

  @Test func `a store through a mapping of a file that nothing else wrote is found late`() throws {
    let audited = try Audited { fixture in
      try fixture.directory.write("lake/mapped", String(repeating: "a", count: 4096))
    }
    let file = unsafe open(audited.path("lake/mapped"), O_RDWR | O_CLOEXEC)
    try #require(file >= 0)
    let pages = unsafe mmap(nil, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0)
    let bytes = unsafe try #require(pages)
    close(file)
    unsafe bytes.storeBytes(of: UInt8(ascii: "b"), as: UInt8.self)
    #expect(audited.pass(.seconds(600)) { audited.service.status.lateChanges == 1 })
    #expect(audited.service.status.missedChanges == 0)
    #expect(try audited.pass(.seconds(1)) { try audited.content("mapped")?.first == "b" })
    #expect(audited.fixture.log.all.contains { $0.contains("event=changeLate") })
    // From now on it is known to be open, and looked at every five minutes at first.
    unsafe bytes.storeBytes(of: UInt8(ascii: "c"), as: UInt8.self)
    let began = audited.time.monotonic()
    #expect(try audited.pass(.seconds(20)) { try audited.content("mapped")?.first == "c" })
    #expect(audited.time.monotonic() - began <= .seconds(400))
    unsafe munmap(bytes, 4096)
    #expect(audited.pass(.seconds(1)) { audited.service.status.hot.isEmpty })
    #expect(audited.service.status.missedChanges == 0)
  }

  @Test func `files that are open and do not change are looked at ever more rarely`() throws {
    let audited = try Audited { fixture in
      try fixture.directory.write("lake/open", "a")
    }
    let file = unsafe open(audited.path("lake/open"), O_WRONLY | O_CLOEXEC)
    defer { close(file) }
    #expect(unsafe write(file, "b", 1) == 1)
    #expect(try audited.pass(.seconds(20)) { try audited.content("open") == "b" })
    let before = try audited.fixture.snapshots().count
    for _ in 0..<100 {
      audited.time.advance(by: .seconds(60))
      audited.service.look()
      audited.service.waitForLook()
    }
    // Looks that find nothing make no snapshots.
    #expect(try audited.fixture.snapshots().count == before)
    #expect(audited.service.status.hot == [PathKey("open")])
  }

  @Test func `who has had a file open since before the last capture holds nothing back`() throws {
    let audited = try Audited { fixture in
      try fixture.directory.write("lake/wal", "a")
    }
    let file = unsafe open(audited.path("lake/wal"), O_WRONLY | O_CLOEXEC)
    defer { close(file) }
    #expect(unsafe write(file, "b", 1) == 1)
    #expect(eventually { audited.service.status.phase != .idle })
    var began = audited.time.monotonic()
    #expect(try audited.pass(.seconds(10)) { try audited.content("wal") == "b" })
    #expect(audited.time.monotonic() - began >= .seconds(290), "the writer was not waited for")
    try audited.fixture.directory.write("lake/other", "x")
    #expect(eventually { audited.service.status.phase != .idle })
    began = audited.time.monotonic()
    #expect(try audited.pass(.seconds(1)) { try audited.content("other") == "x" })
    #expect(audited.time.monotonic() - began < .seconds(60))
  }

  @Test func `a truncated file is open for nobody`() throws {
    let audited = try Audited { fixture in
      try fixture.directory.write("lake/cut", "abc")
    }
    #expect(unsafe truncate(audited.path("lake/cut"), 1) == 0)
    #expect(eventually { audited.service.status.phase != .idle })
    let began = audited.time.monotonic()
    #expect(try audited.pass(.seconds(1)) { try audited.content("cut") == "a" })
    #expect(audited.time.monotonic() - began < .seconds(60))
    #expect(audited.service.status.hot.isEmpty)
  }

  @Test func `steps of the clock change nothing`() throws {
    let audited = try Audited { fixture in
      try fixture.directory.write("lake/f", "a")
    }
    for (index, step) in [-86_400, 7 * 86_400, -365 * 86_400].enumerated() {
      audited.time.setNow(audited.time.now().advanced(by: .seconds(step)))
      try audited.fixture.directory.write("lake/f", "\(index)")
      #expect(eventually { audited.service.status.phase != .idle })
      #expect(try audited.pass(.seconds(1)) { try audited.content("f") == "\(index)" })
      #expect(audited.service.status.missedChanges == 0)
    }
    #expect(try audited.fixture.snapshots().allSatisfy { $0.snapshot.problems.isEmpty })
  }
}

extension FolderService {
  /// Returns when the thread has looked at its clock since.
  fileprivate func waitForLook() {
    let answer = Answer<Bool>()
    ownWritesBegan("look") { _ in answer.give(true) }
    _ = try? answer.wait()
    ownWritesEnded("look")
  }
}
