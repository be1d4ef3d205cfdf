import DTMSystem
import Glibc
import Testing

/// `dtm run`, without a daemon and with one.
@Suite(.needsPrograms) struct `A command between two snapshots` {
  let work: Workspace

  init() throws {
    work = try Workspace()
    try work.write("orders.csv", "good\n")
    try work.write("raw/b.csv", "b\n")
    try work.good("init", "--repository", work.path("repository"), "--no-first-snapshot")
  }

  private func daemon(_ isThere: Bool) throws -> Daemon? {
    isThere
      ? try Daemon(work, settle: #"{"quiet": "1h", "atMost": "24h", "minInterval": "1h"}"#) : nil
  }

  private func label(_ snapshot: JSONNode, _ key: String) -> String? {
    snapshot["labels"]?[key]?.string
  }

  @Test(arguments: [false, true])
  func `has its output, its environment and its boundaries`(hasDaemon: Bool) throws {
    let daemon = try daemon(hasDaemon)
    try work.snapshot()
    let before = try work.log().count
    let script = """
      printf 'a\\377b'; echo errors >&2; pwd >../pwd
      echo "$DTM_SNAPSHOT_BEFORE $DTM_FOLDER $DTM_RUN_ID" >../seen; echo new >orders.csv
      """
    let outcome = try work.dtm(
      "run", "--stage", "clean", "--label", "team=ö", "--", "sh", "-c", script, "--json", "-h")
    #expect(outcome.status == 0)
    #expect(outcome.output == Array("a".utf8) + [0xFF] + Array("b".utf8))
    #expect(outcome.errorText == "errors\n")
    let log = try work.log()
    #expect(log.count == before + 2)
    let seen = try work.shell("cat seen").split(separator: " ").map(String.init)
    #expect(seen[0] == (try log[1].id()))
    #expect(seen[1] == work.lake)
    #expect(label(log[0], "run_id").map { $0 + "\n" } == seen[2])
    #expect(try work.shell("cat pwd") == work.lake + "\n")
    for (snapshot, outcome) in [(log[0], "ok"), (log[1], nil)] {
      #expect(snapshot["trigger"]?["kind"]?.string == "run")
      #expect(label(snapshot, "stage") == "clean")
      #expect(label(snapshot, "attempt") == "1")
      #expect(label(snapshot, "team") == "ö")
      #expect(label(snapshot, "outcome") == outcome)
      #expect(snapshot["basis"]?.string == (hasDaemon ? "events" : "scan"))
    }
    #expect(label(log[0], "exit_status") == "0")
    #expect(log[0]["modified"]?.int == 1 && log[1]["modified"]?.int == 0)
    if let daemon { #expect(daemon.stop() == 0) }
  }

  @Test(arguments: [
    ("exit 3", 3), ("exit 255", 255), ("kill -KILL $$", 137), ("kill -INT $$", 130),
    ("exec no-such-program", 127), ("exec /", 126),
  ])
  func `passes its status on, and what it left is kept`(_ script: String, _ status: Int) throws {
    let outcome = try work.dtm("run", "--", "sh", "-c", "echo left >left; \(script)")
    #expect(outcome.status == Int32(status), "\(outcome.errorText)")
    let log = try work.log()
    #expect(label(log[0], "outcome") == "failed")
    #expect(label(log[0], "exit_status") == "\(status)")
    #expect(outcome.errorText.contains(try String(log[1].id().prefix(8))))
    #expect(try work.good("cat", "HEAD", "left").text == "left\n")
    #expect(work.exists("left"))
  }

  @Test func `that is not there or can't be run ends as a shell has it`() throws {
    #expect(try work.dtm("run", "--", "no-such-program").status == 127)
    #expect(try work.dtm("run", "--", "").status == 127)
    #expect(try work.dtm("run", "--", "./orders.csv").status == 126)
    #expect(try work.dtm("run", "--", "./orders.csv/x").status == 126)
    #expect(try work.log().count == 8)
  }

  @Test func `is not run when dtm itself fails, which is another status`() throws {
    let outcome = try work.dtm("run", "--", "touch", work.path("ran"), in: work.root)
    #expect(outcome.status == 125)
    #expect(!Files.exists(work.path("ran")))
    for wrong in [
      ["run"], ["run", "true"], ["run", "--on-failure", "x", "--", "true"],
      ["run", "--stage", "", "--", "true"], ["run", "--label", "outcome=ok", "--", "true"],
    ] {
      #expect(try work.start("dtm", wrong).finish().status == 64, "\(wrong)")
    }
    #expect(try work.log().isEmpty)
  }

  @Test(arguments: [false, true])
  func `that failed is taken back where it is to be`(hasDaemon: Bool) throws {
    try work.shell("cd lake; ln -s orders.csv link; mkdir empty; chmod 640 raw/b.csv")
    let daemon = try daemon(hasDaemon)
    try work.snapshot()
    let listing = "cd lake; find . -printf '%p %y %m %s %l %T@\\n' | sort; cat orders.csv raw/b.csv"
    let before = try work.shell(listing)
    let outcome = try work.dtm(
      "run", "--on-failure", "restore", "--", "sh", "-c",
      "echo bad >orders.csv; rm -r raw empty; ln -sf x link; mkdir new; echo n >new/n; exit 4")
    #expect(outcome.status == 4, "\(outcome.errorText)")
    #expect(try work.shell(listing) == before)
    let failed = try #require(try work.log().first { label($0, "outcome") == "failed" })
    #expect(try work.good("cat", failed.id(), "new/n").text == "n\n")
    if let daemon { #expect(daemon.stop() == 0) }
  }

  @Test func `is not taken back while another run is at work`() throws {
    let other = try work.start(
      "dtm", ["run", "--", "sh", "-c", "echo ready >&2; while [ ! -e stop ]; do sleep 0.01; done"])
    try #require(other.waitForError("ready", within: .seconds(20)))
    let outcome = try work.dtm(
      "run", "--on-failure", "restore", "--", "sh", "-c", "echo bad >orders.csv; exit 4")
    #expect(outcome.status == 125)
    #expect(outcome.errorText.contains("was at work in it meanwhile"))
    #expect(try work.read("orders.csv") == "bad\n")
    try work.write("stop", "")
    #expect(other.finish().status == 0)
    // One that died before is not at work.
    let dead = try work.start(
      "dtm", ["run", "--", "sh", "-c", "echo ready >&2; read x </dev/null; sleep 0.1"])
    try #require(dead.waitForError("ready", within: .seconds(20)))
    dead.send(SIGKILL)
    _ = dead.finish()
    let again = try work.dtm(
      "run", "--on-failure", "restore", "--", "sh", "-c", "rm orders.csv; exit 4")
    #expect(again.status == 4, "\(again.errorText)")
    #expect(work.exists("orders.csv"))
  }

  @Test(arguments: [SIGTERM, SIGINT, SIGHUP, SIGUSR1])
  func `gets the signals that dtm gets`(_ signal: Int32) throws {
    let script = """
      trap 'echo got; exit 7' TERM INT HUP USR1
      echo ready >&2; while :; do sleep 0.01; done
      """
    let run = try work.start("dtm", ["run", "--", "sh", "-c", script])
    try #require(run.waitForError("ready", within: .seconds(20)))
    run.send(signal)
    let outcome = run.finish()
    #expect(outcome.status == 7)
    #expect(outcome.text == "got\n")
    #expect(label(try work.log()[0], "outcome") == "failed")
  }

  @Test(arguments: [("true", "pass", 0), ("exit 5", "fail", 1), ("exit 120", "error", 1)])
  func `is checked`(_ check: String, _ result: String, _ status: Int) throws {
    let outcome = try work.dtm("run", "--check", check, "--", "true")
    #expect(outcome.status == Int32(status))
    let last = try work.log()[0]
    #expect(last["checks"]?["run"]?.string == result)
    #expect(label(last, "outcome") == (status == 0 ? "ok" : "failed"))
    #expect(try work.dtm("show", "@good").status == (status == 0 ? 0 : 66))
  }

  @Test func `in another one belongs to the same run`() throws {
    let dtm = try #require(work.command("dtm", []).first)
    try work.good(
      "run", "--stage", "outer", "--", "sh", "-c",
      "\(dtm) run --stage inner -- true && \(dtm) stage begin deep && \(dtm) stage end deep")
    let log = try work.log()
    #expect(log.count == 6)
    #expect(Set(log.map { label($0, "run_id") }).count == 1)
    #expect(
      log.map { label($0, "stage") }
        == ["outer", "deep", "deep", "inner", "inner", "outer"])
  }

  @Test func `whose client is killed is abandoned, with a daemon at once`() throws {
    let daemon = try #require(try daemon(true))
    let run = try work.start(
      "dtm", ["run", "--stage", "load", "--", "sh", "-c", "echo ready >&2; exec sleep 0.3"])
    try #require(run.waitForError("ready", within: .seconds(20)))
    run.send(SIGKILL)
    _ = run.finish()
    let deadline = ContinuousClock.now + .seconds(20)
    while label(try work.log()[0], "outcome") != "abandoned", ContinuousClock.now < deadline {
      usleep(10_000)
    }
    let last = try work.log()[0]
    #expect(label(last, "outcome") == "abandoned")
    #expect(label(last, "stage") == "load")
    #expect(daemon.stop() == 0)
  }

  @Test func `whose client is killed is abandoned, without a daemon when the next one begins`()
    throws
  {
    let run = try work.start(
      "dtm", ["run", "--stage", "load", "--", "sh", "-c", "echo ready >&2; exec sleep 0.3"])
    try #require(run.waitForError("ready", within: .seconds(20)))
    run.send(SIGKILL)
    _ = run.finish()
    try work.good("run", "--", "true")
    #expect(
      try work.log().map { label($0, "outcome") } == ["ok", nil, "abandoned", nil])
  }

  @Test func `may be one of a thousand at once`() throws {
    let count = Programs.isLong ? 1000 : 100
    let daemon = try #require(try daemon(true))
    let children = try (0..<count).map { number in
      try work.start(
        "dtm", ["run", "--stage", "s\(number)", "--", "sh", "-c", "echo \(number) >part-\(number)"])
    }
    for child in children {
      let outcome = child.finish(within: .seconds(500))
      #expect(outcome.status == 0, "\(outcome.errorText)")
    }
    let runs = try #require(
      try work.good("runs", "-n", "\(count + 1)", "--json").json().array)
    #expect(runs.count == count)
    #expect(Set(runs.compactMap { $0["runId"]?.string }).count == count)
    for run in runs {
      #expect(run["outcome"]?.string == "ok")
      let stage = try #require(try run.elements("stages").first?["stage"]?.string)
      let number = stage.dropFirst()
      // What it wrote is in the snapshot at its end, and in none at its beginning.
      let (before, after) = (
        try #require(run["before"]?.string), try #require(run["after"]?.string)
      )
      if number.hasSuffix("7") {
        #expect(try work.good("cat", after, "part-\(number)").text == "\(number)\n")
        #expect(try work.dtm("cat", before, "part-\(number)").status == 66)
      }
    }
    #expect(daemon.stop() == 0)
  }

  @Test func `outlives the daemon's restart`() throws {
    let daemon = try #require(try daemon(true))
    let run = try work.start(
      "dtm",
      [
        "run", "--", "sh", "-c",
        "echo ready >&2; while [ ! -e ../stop ]; do sleep 0.01; done; echo x >x",
      ])
    try #require(run.waitForError("ready", within: .seconds(20)))
    #expect(daemon.stop() == 0)
    let next = try Daemon(configured: work)
    try work.shell("touch stop")
    #expect(run.finish().status == 0)
    let log = try work.log()
    #expect(log.compactMap { label($0, "outcome") } == ["ok"])
    #expect(try work.good("cat", "HEAD", "x").text == "x\n")
    #expect(next.stop() == 0)
  }
}
