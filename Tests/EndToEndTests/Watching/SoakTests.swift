import DTMSystem
import Glibc
import Testing

/// One directory, as flat as a careless program makes it.
@Suite(.needsPrograms, .serialized) struct `A directory of very many files` {
  @Test func `is captured by what changes in it`() throws {
    let work = try Workspace()
    let count = Programs.isLong ? 1_000_000 : 50_000
    try work.moveLake(to: work.memory + "/lake")
    try work.initialise()
    let daemon = try Daemon(
      work, settle: #"{"quiet": "100ms", "atMost": "10s", "minInterval": "100ms"}"#)
    try work.good("wait", "--timeout", "60s")
    let made = try ChildProcess(
      [
        "/usr/bin/python3", "-c",
        """
        import os
        for i in range(\(count)):
            fd = os.open('%d' % i, os.O_CREAT | os.O_WRONLY)
            os.write(fd, b'%d' % i); os.close(fd)
        """,
      ], in: work.lake, environment: work.environment
    ).finish(within: .seconds(600))
    try #require(made.status == 0, "\(made.errorText)")
    let waited = try work.start("dtm", ["wait", "--timeout", "10m"]).finish(within: .seconds(650))
    try #require(waited.status == 0, "\(waited.errorText)\(daemon.log)")
    #expect(try work.log()[0]["files"]?.int == count)
    try work.shell(
      "cd '\(work.lake)'; for i in 1 2 3 4 5; do echo x >$i; rm 1$i; mv 2$i moved$i; done")
    try work.good("wait", "--timeout", "60s")
    let newest = try #require(try work.log().first)
    #expect(newest["basis"]?.string == "events")
    #expect(newest["files"]?.int == count - 5)
    #expect(newest["modified"]?.int == 5)
    let differences = try work.start("dtm", ["diff", "--json"]).finish(within: .seconds(120))
    #expect(try differences.json()["changes"]?.array?.isEmpty == true)
    // On a machine that is busy elsewhere the burst may be faster than the reader: then it was scanned.
    let overflows = try daemon.folder()["overflows"]?.int ?? -1
    #expect(try daemon.folder()["missedChanges"]?.int == 0)
    let facts = try ProcessFacts(daemon.process.pid)
    print(
      "\(count) files in one directory: \(facts.anonymous / 1024) KiB of its own,",
      "\(overflows) overflows")
  }
}

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
