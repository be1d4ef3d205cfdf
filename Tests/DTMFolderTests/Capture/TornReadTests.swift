import DTMFolder
import DTMRepository
import DTMSystem
import DTMTestSupport
import Glibc
import Synchronization
import SystemPackage
import Testing

/// Snapshots of files that are written all the time, on every file system that is distinguished.
@Suite(.serialized) struct TornReadTests {
  private static let rounds = LongForm.isAsked ? 4000 : 200

  @Test(arguments: ScratchMount.kinds)
  func `each stored version is one that was written, or is flagged`(kind: String) throws {
    try ScratchMount.with(kind, for: "TornReadTests") { base, mount in
      var environment = CaptureEnvironment.system()
      let pause = environment.pause
      // Long enough for the clock's next tick; what changes again and again is not waited for.
      environment.pause = { pause(min($0, .milliseconds(12))) }
      let fixture = try FolderFixture(base, data: mount, environment: environment)
      let writer = try TornWriter(fixture.sandbox)
      var random = SplitMix.fresh("torn reads on \(kind)")
      let seed = random.next()
      let thread = try DedicatedThread(named: "torn-writer") {
        do { try writer.run(SplitMix(seed: seed)) } catch { Issue.record(error) }
      }
      defer {
        writer.stop()
        thread.join()
      }
      var tally = Tally()
      for round in 0..<Self.rounds {
        let before = writer.generations()
        let outcome = try fixture.snapshot(allowsHot: true)
        try tally.count(fixture, outcome, before, "\(kind), round \(round)")
      }
      print("\(kind): \(tally.unflagged) versions, \(tally.flagged) flagged ones")
      // Else it would have shown nothing.
      #expect(tally.unflagged > Self.rounds && tally.flagged > Self.rounds / 10)
    }
  }

  private struct Tally {
    var unflagged = 0
    var flagged = 0

    mutating func count(
      _ fixture: FolderFixture, _ outcome: SnapshotOutcome, _ before: [TornWriter.Way: Int],
      _ place: String
    ) throws {
      let snapshot = try #require(outcome.snapshot)
      let tree = try fixture.tree(outcome)
      let suspects = Set(snapshot.hot + snapshot.problems.map(\.key) + snapshot.uncovered)
      for way in TornWriter.Way.allCases {
        if suspects.contains(way.key) {
          flagged += 1
          continue
        }
        unflagged += 1
        let content = try #require(try fixture.content(tree, way.key), "\(place): \(way)")
        let generation = TornWriter.generation(of: content, way)
        #expect(generation != nil, "\(place): \(way) is torn and not flagged")
        // In memory such a store moves no time, and a scan can't know of it: only an event tells.
        let isInMemory = place.hasPrefix("tmpfs") || place.hasPrefix("ramfs")
        if way == .mapRead, isInMemory { continue }
        // What was written whole before the snapshot began is in it.
        #expect(
          generation ?? .max >= before[way] ?? 0, "\(place): \(way) is stale and not flagged")
      }
    }
  }
}
