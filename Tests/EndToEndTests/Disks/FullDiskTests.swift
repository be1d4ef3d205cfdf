import DTMSystem
import DTMTestSupport
import Glibc
import Testing

/// A disk that is really full: nothing is damaged, reading goes on, and so does work once there is
/// room.
@Suite(.needsPrograms, .serialized) struct `A full disk` {
  /// Leaves so many KiB free.
  private func fill(_ disk: LoopDisk, leaving free: Int, _ work: Workspace) throws {
    try work.shell(
      """
      cd '\(disk.path)'
      rm -f filler more
      available=$(df --output=avail -k . | tail -1)
      [ "$available" -le \(free) ] || fallocate -l $((available - \(free)))K filler || true
      if [ \(free) = 0 ]; then dd if=/dev/zero of=more bs=4k 2>/dev/null || true; fi
      """)
  }

  private func expectSound(_ work: Workspace) throws {
    let verified = try work.dtm("verify", "--all", "--read-data", "--json")
    #expect(verified.status == 0, "\(verified.text)\(verified.errorText)")
  }

  private func content(_ generator: inout SplitMix, _ count: Int) -> [UInt8] {
    (0..<count).map { _ in UInt8(generator.below(256)) }
  }

  @Test func `with the repository on it is status 74, and dtm goes on once there is room`() throws {
    var generator = SplitMix.fresh("full disk")
    let work = try Workspace()
    guard
      let disk = try LoopDisk.make(
        work, "ext4", size: "64M", in: work.root, named: "small", for: "a full disk",
        options: "-m 0")
    else { return }
    defer { disk.end() }
    let kept = content(&generator, 300_000)
    try work.write("a", kept)
    try work.write("b", "one\n")
    try work.good("init", "--repository", disk.path + "/repository", "--no-first-snapshot")
    var acknowledged = [try work.snapshot().id()]
    var refused = 0
    // From so little room that not even a lock file grows to enough for half of a snapshot.
    for free in [0, 4, 8, 16, 40, 100, 300, 900, 1500] {
      let new = content(&generator, 2_000_000)
      try work.write("new", new)
      try work.write("b", "\(free)\n")
      try fill(disk, leaving: free, work)
      let outcome = try work.dtm("snapshot", "--json")
      if outcome.status == 0 {
        acknowledged.append(try outcome.json().id())
      } else {
        refused += 1
        #expect(outcome.status == 74, "\(free) KiB: \(outcome.errorText)")
        #expect(outcome.output.isEmpty)
        let error = try outcome.jsonError()
        #expect(error["code"]?.string == "noSpace", "\(outcome.errorText)")
        #expect(error["hint"]?.string?.contains("space") == true)
      }
      // Reading needs no room.
      #expect(try work.log().map { try $0.id() } == acknowledged.reversed())
      let back = work.path("back-\(free)")
      let restored = try work.dtm("restore", "--at", acknowledged[0], "a", "--to", back)
      #expect(restored.status == 0, "\(free) KiB: \(restored.errorText)")
      #expect(try Files.read(back + "/a") == kept)
      try expectSound(work)
      // In place the safety snapshot has no room: then nothing is touched.
      let inPlace = try work.dtm("restore", "--at", acknowledged[0], "b")
      #expect([0, 74].contains(inPlace.status), "\(free) KiB: \(inPlace.errorText)")
      #expect(try work.read("b") == (inPlace.status == 0 ? "one\n" : "\(free)\n"))
      try work.shell("rm -f '\(disk.path)/filler' '\(disk.path)/more'")
      let before = try work.log().map { try $0.id() }
      acknowledged = before.reversed()
      acknowledged.append(try work.snapshot().id())
      #expect(try work.log().map { try $0.id() } == acknowledged.reversed())
      try expectSound(work)
    }
    print("full disk: \(refused) of 9 snapshots refused")
    #expect(refused >= 5)
  }

  @Test func `prune and gc work on it, and free room`() throws {
    var generator = SplitMix.fresh("full disk, collected")
    let work = try Workspace()
    guard
      let disk = try LoopDisk.make(
        work, "ext4", size: "64M", in: work.root, named: "small",
        for: "collecting on a full disk", options: "-m 0")
    else { return }
    defer { disk.end() }
    try work.good("init", "--repository", disk.path + "/repository", "--no-first-snapshot")
    for _ in 0..<6 {
      try work.write("big", content(&generator, 7_000_000))
      try work.good("snapshot")
    }
    let last = try work.snapshot().id()
    try fill(disk, leaving: 0, work)
    try work.write("big", content(&generator, 7_000_000))
    #expect(try work.dtm("snapshot").status == 74)
    let pruned = try work.dtm("prune", "--keep-last", "1", "--json")
    #expect(pruned.status == 0, "\(pruned.errorText)")
    let collected = try work.dtm("gc", "--now", "--json")
    #expect(collected.status == 0, "\(collected.errorText)")
    #expect(try #require(try collected.json()["freedBytes"]?.int) > 20_000_000)
    try expectSound(work)
    #expect(try work.log().map { try $0.id() } == [last])
    // There is room for new ones by now, with the filler still there.
    try work.good("snapshot")
    try expectSound(work)
  }

  @Test func `with folder and repository on it loses neither`() throws {
    var generator = SplitMix.fresh("full disk, with the folder")
    let work = try Workspace()
    guard
      let disk = try LoopDisk.make(
        work, "ext4", size: "64M", in: work.root, named: "small",
        for: "a full disk with the folder", options: "-m 0")
    else { return }
    defer { disk.end() }
    try work.moveLake(to: disk.path + "/lake")
    let kept = content(&generator, 300_000)
    try work.write("a", kept)
    try work.good("init", "--no-first-snapshot")
    let id = try work.snapshot().id()
    try work.write("a", "overwritten\n")
    try work.write("new", content(&generator, 2_000_000))
    try fill(disk, leaving: 0, work)
    let listing = try Files.listing(work.lake)
    #expect(try work.dtm("snapshot").status == 74)
    #expect(try work.dtm("restore", "--at", id, "a").status == 74)
    #expect(try Files.listing(work.lake) == listing)
    #expect(try work.good("cat", id, "a").output == kept)
    try expectSound(work)
    try work.shell("rm -f '\(disk.path)/filler' '\(disk.path)/more'")
    try work.good("restore", "--at", id, "a")
    #expect(try Files.read(work.file("a")) == kept)
    try work.good("snapshot")
    try expectSound(work)
  }
}
