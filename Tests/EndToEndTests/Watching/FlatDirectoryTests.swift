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
    try expectOneLook(work, daemon)
    // On a machine that is busy elsewhere the burst may be faster than the reader: then it was scanned.
    let overflows = try daemon.folder()["overflows"]?.int ?? -1
    #expect(try daemon.folder()["missedChanges"]?.int == 0)
    let facts = try ProcessFacts(daemon.process.pid)
    print(
      "\(count) files in one directory: \(facts.anonymous / 1024) KiB of its own,",
      "\(overflows) overflows")
  }

  /// One change is one path looked at: no listing, however many names there are.
  private func expectOneLook(_ work: Workspace, _ daemon: Daemon) throws {
    let calls = work.path("calls")
    let tracer = try ChildProcess(
      [
        "strace", "-f", "-p", "\(daemon.process.pid)", "-o", calls, "-e",
        "trace=openat,openat2,statx,newfstatat,getdents64,readlinkat",
      ], in: work.root, environment: work.environment)
    guard tracer.waitForError("attached", within: .seconds(10)) else {
      print("SKIPPED: one look in a directory of very many files: strace can't attach")
      return
    }
    try work.shell("echo changed >'\(work.lake)/7'")
    try work.good("wait", "--timeout", "60s")
    tracer.send(SIGINT)
    _ = tracer.finish()
    let newest = try #require(try work.log().first)
    #expect(newest["basis"]?.string == "events")
    #expect(newest["modified"]?.int == 1 && newest["added"]?.int == 0)
    let trace = String(decoding: try Files.read(calls), as: UTF8.self).split(separator: "\n")
    #expect(trace.count > 3, "nothing was traced")
    #expect(trace.count < 200, "\(trace.count) calls for one changed file")
    // Those of the repository's directories, which are short.
    #expect(trace.filter { $0.contains("getdents64") }.count < 20)
    #expect(trace.contains { $0.contains("\"7\"") }, "the changed file was not looked at")
    print("one change of very many files: \(trace.count) calls that look for something")
  }
}
