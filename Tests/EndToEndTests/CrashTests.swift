import DTMSystem
import DTMTestSupport
import Glibc
import Testing

/// kill -9 at random instants: nothing acknowledged is lost, no lock survives.
@Suite(.needsPrograms) struct `After kill -9` {
  /// A snapshot whose id was printed, and what the folder held then.
  private struct Acknowledged {
    let id: String
    let content: String
  }

  private static let rounds = Programs.isLong ? 500 : 40

  /// Every acknowledged snapshot is in the log and holds what it held; the repository is sound.
  private func expectAll(_ acknowledged: [Acknowledged], in work: Workspace) throws {
    let ids = Set(try work.log().map { try $0.id() })
    for snapshot in acknowledged {
      #expect(ids.contains(snapshot.id), "\(snapshot.id) is lost")
      #expect(try work.good("cat", snapshot.id, "big.csv").text == snapshot.content)
    }
    let verified = try work.dtm("verify", "--all", "--read-data", "--json")
    #expect(verified.status == 0, "\(verified.text) \(verified.errorText)")
  }

  /// A few hundred KiB that compress, different each time.
  private func content(_ round: Int, _ generator: inout SplitMix) -> String {
    (0..<20_000).map { "\(round),\($0),\(generator.below(1000))\n" }.joined()
  }

  @Test func `of dtm snapshot, what was acknowledged is there and the next command works`() throws {
    var generator = SplitMix.fresh("kill -9 of dtm snapshot")
    let work = try Workspace()
    try work.write("big.csv", "0\n")
    try work.good("init", "--no-first-snapshot")
    let start = ContinuousClock.now
    let first = try work.snapshot().id()
    let usual = ContinuousClock.now - start
    var acknowledged = [Acknowledged(id: first, content: "0\n")]
    var killed = 0
    for round in 1...Self.rounds {
      let text = content(round, &generator)
      try work.write("big.csv", text)
      for number in 0..<20 { try work.write("d/\(number)", "\(round) \(number)") }
      let child = try work.start("dtm", ["snapshot", "--json"])
      let delay = usual * (Double(generator.below(2000)) / 1000)
      let (outcome, wasKilled) = child.finishOrKill(after: delay)
      if wasKilled { killed += 1 }
      if let id = try? JSONNode(parsing: outcome.output)["id"]?.string {
        acknowledged.append(Acknowledged(id: id, content: text))
      } else {
        #expect(wasKilled, "\(outcome.errorText)")
      }
      // No lock survives: the next command works at once.
      let log = try work.start("dtm", ["log", "-n", "1", "--json"]).finish(within: .seconds(5))
      #expect(log.status == 0, "\(log.errorText)")
    }
    print("kill -9 of dtm snapshot: \(killed) of \(Self.rounds) killed")
    try work.snapshot()
    try expectAll(acknowledged, in: work)
    #expect(try work.good("diff", "--json").json()["changes"]?.array?.isEmpty == true)
  }

  @Test func `of dtmd, what was acknowledged is there and it goes on`() throws {
    var generator = SplitMix.fresh("kill -9 of dtmd")
    let work = try Workspace()
    try work.write("big.csv", "0\n")
    try work.good("init", "--repository", work.path("repository"), "--no-first-snapshot")
    try Daemon.configure(work)
    var acknowledged: [Acknowledged] = []
    for round in 1...max(6, Self.rounds / 4) {
      let daemon = try Daemon(configured: work)
      let text = content(round, &generator)
      try work.write("big.csv", text)
      if let id = try? JSONNode(parsing: work.dtm("snapshot", "--json").output)["id"]?.string {
        acknowledged.append(Acknowledged(id: id, content: text))
      } else {
        Issue.record("round \(round): no snapshot: \(daemon.log)")
      }
      // Now in the midst of its own work, or of a snapshot that somebody asked for.
      let next = content(round + 100_000, &generator)
      try work.write("big.csv", next)
      let child = try work.start("dtm", ["snapshot", "--json"])
      usleep(UInt32(generator.below(60_000)))
      daemon.kill()
      let outcome = child.finish()
      if let id = try? JSONNode(parsing: outcome.output)["id"]?.string {
        acknowledged.append(Acknowledged(id: id, content: next))
      }
    }
    let daemon = try Daemon(configured: work)
    try work.good("wait", "--timeout", "30s")
    #expect(try work.good("diff", "--json").json()["changes"]?.array?.isEmpty == true)
    #expect(daemon.stop() == 0)
    try expectAll(acknowledged, in: work)
  }

  @Test func `of dtm restore, the next command finishes it or takes it back`() throws {
    var generator = SplitMix.fresh("kill -9 of dtm restore")
    let work = try Workspace()
    let good = content(1, &generator)
    func make(_ text: String) throws {
      for number in 0..<60 { try work.write("d/\(number % 7)/\(number)", "\(number) " + text) }
    }
    try make(good)
    try work.good("init", "--no-first-snapshot")
    let id = try work.snapshot().id()
    let listing = try Files.listing(work.lake)
    for round in 1...max(6, Self.rounds / 4) {
      try make("bad \(round)")
      let child = try work.start("dtm", ["restore", "--at", id])
      _ = child.finishOrKill(after: .milliseconds(generator.below(150)))
      // Each file is one of the two, whole.
      for number in 0..<60 {
        let text = try work.read("d/\(number % 7)/\(number)")
        #expect(text == "\(number) bad \(round)" || text == "\(number) " + good)
      }
      try work.good("restore", "--at", id)
      #expect(try Files.listing(work.lake) == listing)
    }
    #expect(try work.good("verify", "--all", "--read-data", "--json").json()["ok"]?.bool == true)
  }
}
