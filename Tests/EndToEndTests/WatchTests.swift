import DTMSystem
import Glibc
import Testing

/// `dtm watch`, `dtm pause`, `dtm resume`.
@Suite(.needsPrograms) struct `Watching and pausing` {
  let work: Workspace

  init() throws {
    work = try Workspace()
    try work.write("orders.csv", "good\n")
    try work.good("init", "--repository", work.path("repository"), "--no-first-snapshot")
  }

  /// Starts `dtm watch` with its output in a file.
  private func watch(_ options: [String], in directory: String? = nil) throws -> ChildProcess {
    try work.start(
      "dtm", ["watch"] + options, in: directory, log: work.path("watched"))
  }

  private var watched: String {
    (try? Files.read(work.path("watched"))).map { String(decoding: $0, as: UTF8.self) } ?? ""
  }

  private func waitForWatched(_ text: String) -> Bool {
    let deadline = ContinuousClock.now + .seconds(20)
    while ContinuousClock.now < deadline {
      if watched.contains(text) { return true }
      usleep(10_000)
    }
    return false
  }

  @Test func `watch says each thing as it happens, and ends with the daemon`() throws {
    let daemon = try Daemon(work)
    try work.good("wait", "--timeout", "30s")
    let child = try watch([])
    #expect(waitForWatched("  protected\n"))
    try work.write("orders.csv", "bad\n")
    #expect(waitForWatched("quiet, 1 entry"))
    let id = try #require(try work.log().first?["id"]?.string)
    #expect(waitForWatched("snapshot \(id.prefix(8))"))
    try work.good("restore", "orders.csv")
    #expect(waitForWatched("restore begins to write"))
    #expect(waitForWatched("restore has ended"))
    try work.good("pause", "10m")
    #expect(waitForWatched("paused  automatic snapshots are held"))
    try work.good("resume")
    #expect(waitForWatched("resumed"))
    #expect(daemon.stop() == 0)
    #expect(child.finish().status == 69)
    #expect(watched.contains("dtmd stops\n"))
    #expect(watched.contains("dtm: error: dtmd stopped"))
    for line in watched.split(separator: "\n") where !line.hasPrefix("dtm:") {
      if line.hasPrefix(" ") { continue }
      // hh:mm:ss and two blanks.
      #expect(line.count > 10 && line.utf8.dropFirst(2).first == UInt8(ascii: ":"), "\(line)")
    }
  }

  @Test func `watch prints one JSON object a line, or ids`() throws {
    let daemon = try Daemon(work)
    try work.good("wait", "--timeout", "30s")
    let child = try watch(["--json"], in: work.root)
    #expect(waitForWatched(#""kind":"state""#))
    let snapshot = try work.snapshot("-m", "for the watcher")
    #expect(waitForWatched(#""kind":"snapshot""#))
    child.send(SIGTERM)
    _ = child.finish()
    let events = try watched.split(separator: "\n").map { try JSONNode(parsing: Array($0.utf8)) }
    #expect(events.map { $0["kind"]?.string } == ["begin", "state", "snapshot"])
    #expect(events[1]["folder"]?.string == "lake")
    #expect(events[1]["path"]?.string == work.lake)
    #expect(events[1]["state"]?.string == "protected")
    #expect(events[2]["snapshot"]?["id"]?.string == snapshot["id"]?.string)
    #expect(events[2]["snapshot"]?["message"]?.string == "for the watcher")
    #expect(events[2]["trigger"]?["kind"]?.string == nil)
    #expect(events[2]["trigger"]?.string == "manual")
    for event in events { #expect(event["time"]?.string?.hasSuffix("Z") == true) }

    try work.shell("rm watched")
    let quiet = try watch(["-q"])
    // Nothing says that it has begun: the daemon counts who listens.
    let deadline = ContinuousClock.now + .seconds(20)
    while try !work.dtmd("metrics").text.contains("dtm_event_subscribers 1\n"),
      ContinuousClock.now < deadline
    {
      usleep(10_000)
    }
    let next = try work.snapshot()
    #expect(waitForWatched("\n"))
    #expect(try watched == next.id() + "\n")
    quiet.send(SIGTERM)
    _ = quiet.finish()
    #expect(daemon.process.isRunning)
  }

  @Test func `watch whose reader goes away ends with it`() throws {
    let daemon = try Daemon(work)
    try work.good("wait", "--timeout", "30s")
    let program = work.command("dtm", ["watch", "--json"]).joined(separator: " ")
    let pipe = try ChildProcess(
      ["sh", "-c", "\(program) | head -n 1; true"], in: work.lake,
      environment: work.environment)
    let deadline = ContinuousClock.now + .seconds(20)
    while !pipe.hasEnded, ContinuousClock.now < deadline { try work.snapshot() }
    #expect(pipe.finish().text.contains(#""kind":"begin""#))
    #expect(daemon.process.isRunning)
  }

  @Test func `watch, pause and resume need a daemon`() throws {
    for command in [["watch"], ["pause"], ["resume"]] {
      let outcome = try work.start("dtm", command).finish()
      #expect(outcome.status == 69, "\(command): \(outcome.errorText)")
      #expect(outcome.errorText.contains("hint: "))
    }
    #expect(try work.start("dtm", ["watch"], in: work.root).finish().status == 69)
    #expect(try work.dtm("pause", "soon").status == 64)
    #expect(try work.dtm("pause", "0s").status == 64)
    #expect(try work.dtm("pause", "5m", "--for", "6m").status == 64)
    #expect(try work.dtm("pause", "5m", "--until-resumed").status == 64)
    #expect(try work.dtm("resume", "now").status == 64)
    #expect(try work.dtm("-C", work.path("nothing"), "pause").status == 66)
  }

  @Test func `a paused folder is captured at its resume, and says so first`() throws {
    let daemon = try Daemon(work)
    try work.good("wait", "--timeout", "30s")
    let answer = try work.good("pause", "--for", "1h", "--json").json()
    #expect(answer["paused"]?.bool == true)
    #expect(answer["until"]?.string?.hasSuffix("Z") == true)
    #expect(try work.dtmd("status").status == 1)
    let folder = try daemon.folder()
    #expect(folder["state"]?.string == "paused")
    #expect(folder["reasons"]?.array?.first?.string?.contains("resume") == true)
    #expect(folder["pausedUntil"]?.string == answer["until"]?.string)
    #expect(try work.good("status").text.contains("automatic snapshots are held until"))
    let before = try work.log().count
    try work.write("orders.csv", "in the pause\n")
    #expect(try work.dtm("wait", "--timeout", "20s").status == 75)
    #expect(try work.log().count == before)
    // By hand it is captured all the same.
    try work.snapshot()
    try work.write("orders.csv", "later in the pause\n")
    #expect(try work.good("resume").text == "snapshots of lake go on\n")
    try work.good("wait", "--timeout", "30s")
    #expect(try work.good("cat", "HEAD", "orders.csv").text == "later in the pause\n")
    #expect(try work.log().count == before + 2)
    #expect(try work.dtmd("status").status == 0)
    #expect(try work.good("resume", "--json").json()["wasPaused"]?.bool == false)
    #expect(try work.good("resume").text == "lake was not paused\n")
  }

  @Test func `a pause ends by itself, and with the daemon`() throws {
    let daemon = try Daemon(work)
    try work.good("wait", "--timeout", "30s")
    try work.good("pause", "1s")
    try work.write("orders.csv", "soon\n")
    try daemon.waitForStatus(0)
    try work.good("wait", "--timeout", "30s")
    #expect(try work.good("cat", "HEAD", "orders.csv").text == "soon\n")

    try work.good("pause", "--until-resumed")
    #expect(try daemon.folder()["pausedUntil"]?.isNull == true)
    try work.write("orders.csv", "before the end\n")
    #expect(daemon.stop() == 0)
    #expect(try work.good("cat", "HEAD", "orders.csv").text == "soon\n", "held to the end")
    let next = try Daemon(configured: work)
    try work.good("wait", "--timeout", "30s")
    #expect(try work.good("cat", "HEAD", "orders.csv").text == "before the end\n")
    #expect(try next.folder()["state"]?.string == "protected")
  }

  @Test func `a restore that is killed no longer holds snapshots`() throws {
    try work.shell("cd lake; mkdir d; for i in $(seq 1 8000); do echo $i >d/$i; done")
    let daemon = try Daemon(work)
    try work.good("wait", "--timeout", "30s")
    let whole = try #require(try work.log().first).id()
    try work.shell("rm -r lake/d")
    try work.good("wait", "--timeout", "30s")
    let count = try work.log().count
    let listener = try watch(["--json"])
    defer { listener.send(SIGTERM) }
    #expect(waitForWatched(#""kind":"state""#))
    // Stopped in its midst, it holds snapshots as long as it lives.
    let restore = try work.start("dtm", ["restore", whole])
    #expect(waitForWatched(#""kind":"restoreBegan""#))
    restore.send(SIGSTOP)
    // The folder changes, and yet nothing is recorded by itself.
    try work.write("orders.csv", "meanwhile\n")
    #expect(try work.dtm("wait", "--timeout", "500ms").status == 75)
    #expect(!watched.contains(#""kind":"restoreEnded""#), "over before it was stopped")
    let kinds = try work.log().map { $0["trigger"]?["kind"]?.string }
    #expect(!kinds.prefix(max(0, kinds.count - count)).contains("quiet"))
    restore.send(SIGKILL)
    _ = restore.finish()
    #expect(waitForWatched(#""kind":"restoreEnded""#))
    try work.good("wait", "--timeout", "30s")
    // That so much was removed is what the guard says until it is back.
    let reasons = try daemon.folder()["reasons"]?.array?.compactMap(\.string) ?? []
    #expect(reasons.allSatisfy { $0.hasPrefix("the guard:") }, "\(reasons)")
    // What it left is finished or taken back by the next one, and nothing is lost.
    try work.good("restore", whole)
    #expect(try work.shell("ls lake/d | wc -l") == "8000\n")
    #expect(try work.good("verify", "--read-data", "--json").json()["ok"]?.bool == true)
  }
}
