import DTMConfiguration
import DTMControl
import DTMDaemon
import DTMFolder
import DTMRepository
import DTMRules
import DTMSystem
import DTMTestSupport
import SystemPackage
import Testing

/// A folder where others' changes raise no event.
@Suite(.serialized) struct PollingTests {
  @Test func `a FUSE file system is looked at each minute, and said to be degraded`() throws {
    let name = "a FUSE file system is looked at each minute, and said to be degraded"
    guard
      try Command.status(["/usr/bin/test", "-x", "/usr/bin/bindfs", "-a", "-w", "/dev/fuse"]) == 0
    else {
      print("SKIPPED: \(name): there is no bindfs or no /dev/fuse")
      return
    }
    let fixture = try RealFixture()
    try fixture.directory.makeDirectory("source")
    try fixture.directory.write("source/first", "1")
    let source = fixture.directory.path.appending("source").string
    try #require(try Command.status(["/usr/bin/bindfs", source, fixture.lake.string]) == 0)
    defer {
      fixture.stop()
      _ = try? Command.status(["/bin/umount", "-l", fixture.lake.string])
    }
    let time = ManualTimeSource()
    let service = try fixture.start(
      settle: SettlePolicy(quiet: .seconds(2), atMost: .seconds(300), minInterval: .zero),
      time: time)
    func pass(until isReached: () throws -> Bool) rethrows -> Bool {
      try eventually {
        time.advance(by: .seconds(1))
        service.look()
        return try isReached()
      }
    }
    #expect(try pass { try fixture.content("first") == "1" })
    #expect(eventually { service.status.state == .degraded })
    #expect(service.status.reasons.contains { $0.contains("FUSE") }, "\(service.status.reasons)")
    #expect(service.status.uncovered == [.root] && service.status.watchedDirectories == 0)
    let began = time.monotonic()
    // Past the mount: nobody tells.
    try fixture.directory.write("source/second", "2")
    #expect(try pass { try fixture.content("second") == "2" })
    #expect(time.monotonic() - began < .seconds(130))
    #expect(try fixture.snapshots().allSatisfy { $0.snapshot.basis == .scan })
    #expect(service.status.missedChanges == 0)
  }
}
