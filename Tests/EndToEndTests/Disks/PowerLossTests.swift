import DTMSystem
import DTMTestSupport
import Glibc
import Testing

/// Power loss in the midst of work, on real file systems.
///
/// The file system under test lies in a file on XFS, through a loop device with direct I/O, so that the
/// file holds exactly the writes that the device has ended: nothing of the page cache above it, which
/// is what a power loss takes away. At a random instant the file's blocks are cloned while everything
/// goes on. XFS takes the file's lock for that and waits for writes under way, so the clone is the
/// device between two writes: a legal state after a power loss of a disk without a volatile cache. (What
/// a volatile cache can lose on top, in any order, the crash enumeration of the repository shows.) The
/// clone is mounted, the journal replayed, checked, and work goes on on it.
@Suite(.needsPrograms, .serialized) struct `After power loss` {
  /// A snapshot whose id was printed, and the folder as it was then.
  struct Acknowledged: Sendable {
    let id: String
    let listing: String
  }

  private static let rounds = LongForm.isAsked ? 100 : 10

  @Test(arguments: ["ext4", "xfs", "btrfs"])
  func `every acknowledged snapshot is there bit for bit`(kind: String) throws {
    var generator = SplitMix.fresh("power loss on \(kind)")
    let work = try Workspace()
    guard
      let host = try LoopDisk.make(
        work, "xfs", size: "4G", in: work.memory, named: "host", for: "power loss on \(kind)"),
      let disk = try LoopDisk.make(
        work, kind, size: "1G", on: host, named: "disk", for: "power loss on \(kind)")
    else { return }
    defer { disk.end() }
    try work.moveLake(to: disk.path + "/lake")
    try work.shell("sync -f '\(disk.path)'")
    try work.good("init", "--no-first-snapshot")
    var acknowledged: [Acknowledged] = []
    for round in 1...Self.rounds {
      let worker = try PowerLossWorker(work, seed: generator.next(), round: round)
      worker.wait(for: 1 + generator.below(3))
      usleep(UInt32(generator.below(60_000)))
      let before = worker.acknowledged
      try disk.cloneImage(to: host.path + "/next.img")
      let (all, failure) = worker.stop()
      try #require(failure == nil)
      try disk.detach()
      try disk.replaceImage(by: host.path + "/next.img")
      try disk.attach()
      acknowledged += before
      // What was acknowledged after the clone may be in it or not.
      try check(work, acknowledged, maybe: all.dropFirst(before.count).map(\.id), round)
    }
    print("power loss on \(kind): \(Self.rounds) rounds, \(acknowledged.count) acknowledged")
  }

  private func check(
    _ work: Workspace, _ acknowledged: [Acknowledged], maybe: [String], _ round: Int
  ) throws {
    let ids = try work.log().map { try $0.id() }
    for snapshot in acknowledged where !ids.contains(snapshot.id) {
      Issue.record("round \(round): \(snapshot.id) is lost")
    }
    let verified = try work.dtm("verify", "--all", "--read-data", "--json")
    #expect(verified.status == 0, "round \(round): \(verified.text)\(verified.errorText)")
    for snapshot in acknowledged.suffix(2) + acknowledged.prefix(1) {
      let back = work.path("back-\(round)-\(snapshot.id.prefix(8))")
      try work.good("restore", "--at", snapshot.id, "--to", back)
      #expect(try Files.listing(back) == snapshot.listing, "round \(round)")
      try work.shell("rm -rf '\(back)'")
    }
    try work.good("restore", "--at", acknowledged.last?.id ?? "HEAD")
    #expect(try Files.listing(work.lake) == acknowledged.last?.listing)
  }
}

/// Changes the folder and takes snapshots of it, on a thread of its own, until it is stopped.
private final class PowerLossWorker {
  private struct State {
    var acknowledged: [`After power loss`.Acknowledged] = []
    var isStopping = false
    var failure: String?
  }

  private let state: Monitor<State>
  private let thread: DedicatedThread

  init(_ work: Workspace, seed: UInt64, round: Int) throws {
    let state = Monitor(State())
    self.state = state
    // Moved to the thread whole: the test's own thread only looks at the state meanwhile.
    nonisolated(unsafe) let work = work
    thread = try DedicatedThread(named: "work") {
      var generator = SplitMix(seed: seed)
      var number = 0
      while !state.withLock({ $0.isStopping }) {
        number += 1
        do {
          let made = try unsafe Self.step(work, "\(round).\(number)", &generator)
          state.update { $0.acknowledged.append(made) }
        } catch {
          state.update {
            $0.failure = "\(error)"
            $0.isStopping = true
          }
        }
      }
    }
  }

  private static func step(
    _ work: Workspace, _ name: String, _ generator: inout SplitMix
  ) throws -> `After power loss`.Acknowledged {
    for _ in 0..<8 {
      try work.write("d\(generator.below(4))/\(generator.below(20))", "\(name) \(generator.next())")
    }
    // Enough that packs are sealed now and then.
    let large = (0..<(1 << 17)).map { _ in UInt64.random(in: 0 ... .max, using: &generator) }
    try work.write("large", large.flatMap { word in (0..<8).map { UInt8(word >> (8 * $0) & 255) } })
    let listing = try Files.listing(work.lake)
    return `After power loss`.Acknowledged(id: try work.snapshot().id(), listing: listing)
  }

  var acknowledged: [`After power loss`.Acknowledged] { state.withLock { $0.acknowledged } }

  /// Waits until so many snapshots were acknowledged.
  func wait(for count: Int) {
    _ = state.wait(until: .after(.seconds(60))) { state in
      state.acknowledged.count >= count || state.isStopping ? true : nil
    }
  }

  func stop() -> (acknowledged: [`After power loss`.Acknowledged], failure: String?) {
    state.update { $0.isStopping = true }
    thread.join()
    return state.withLock { ($0.acknowledged, $0.failure) }
  }
}
