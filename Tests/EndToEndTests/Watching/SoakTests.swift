import DTMSystem
import Glibc
import Testing

/// Churn for long: what the daemon holds stays what it was.
@Suite(.needsPrograms, .serialized) struct `A daemon beneath hours of churn` {
  @Test func `keeps its memory, descriptors, threads and watches`() throws {
    let work = try Workspace()
    try work.initialise()
    let daemon = try Daemon(
      work, settle: #"{"quiet": "50ms", "atMost": "1s", "minInterval": "50ms"}"#)
    let churn = """
      cd lake; rm -rf old; [ ! -d new ] || mv new old; mkdir new
      for i in $(seq 1 20); do mkdir -p new/$i/a; for j in $(seq 1 10); do echo $i$j >new/$i/a/$j; done; done
      """
    let rounds = Programs.isLong ? 5000 : 40
    var first: ProcessFacts?
    for round in 1...rounds {
      try work.shell("\(churn)\necho \(round) >round")
      try work.good("wait", "--timeout", "60s")
      // By then everything that grows once has grown.
      if round == rounds / 4 { first = try ProcessFacts(daemon.process.pid) }
    }
    let before = try #require(first)
    let after = try ProcessFacts(daemon.process.pid)
    print(
      "after \(rounds) rounds of 200 files: \(before.anonymous / 1024) → \(after.anonymous / 1024)",
      "KiB of its own, \(before.descriptors) → \(after.descriptors) descriptors")
    // Live packs and index runs that come and go are a few descriptors.
    #expect(after.descriptors <= before.descriptors + 8)
    #expect(after.threads <= before.threads + 1)
    #expect(after.anonymous <= before.anonymous * 5 / 4 + 4 * 1024 * 1024)
    #expect(try daemon.folder()["watchedDirectories"]?.int == 83)
    try work.expectCaptured(daemon)
    let snapshots = try work.log().count
    #expect(snapshots >= rounds)
  }
}
