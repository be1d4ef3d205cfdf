import DTMSystem
import Glibc
import Testing

/// Checks: by the daemon after each snapshot, and by `dtm check`.
@Suite(.needsPrograms) struct `Checks of snapshots` {
  let work: Workspace

  init() throws {
    work = try Workspace()
    try work.write("orders.csv", "good\n")
    try work.good("init", "--repository", work.path("repository"), "--no-first-snapshot")
    work.environment["TMPDIR"] = work.root
  }

  private func configure(_ checks: String) throws {
    try Daemon.configure(
      work, settle: #"{"quiet": "50ms", "atMost": "10s", "minInterval": "50ms"}"#,
      folders: """
        {"name": "lake", "path": "\(work.lake)", "repository": "\(work.path("repository"))",
          "checks": [\(checks)]}
        """)
  }

  private func check(
    _ name: String, _ script: String, _ more: String = ""
  ) -> String {
    let text = script.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
    return #"{"name": "\#(name)", "run": ["/bin/sh", "-c", "\#(text)"]\#(more)}"#
  }

  private func result(_ id: String, _ name: String) throws -> String? {
    try work.good("show", id, "--json").json()["checks"]?[name]?.string
  }

  private func wait(for wanted: String, of name: String, on id: String) throws {
    let deadline = ContinuousClock.now + .seconds(20)
    while try result(id, name) != wanted, ContinuousClock.now < deadline { usleep(10_000) }
    #expect(try result(id, name) == wanted)
  }

  @Test func `tell good from bad, and @good goes back`() throws {
    try configure(check("rows", "grep -q good orders.csv"))
    let daemon = try Daemon(configured: work)
    let good = try work.snapshot().id()
    try wait(for: "pass", of: "rows", on: good)
    try work.write("orders.csv", "bad\n")
    let bad = try work.snapshot().id()
    try wait(for: "fail", of: "rows", on: bad)
    try daemon.waitForStatus(1)
    #expect(try work.dtmd("status").text.contains("the check rows says fail"))
    #expect(try work.good("show", "@good", "--json").json().id() == good)
    #expect(try work.good("log", "--good", "-q").text.split(separator: "\n").last?.count == 64)
    try work.good("restore", "@good")
    #expect(try work.read("orders.csv") == "good\n")
    try daemon.waitForStatus(0)
    #expect(daemon.stop() == 0)
  }

  @Test func `see the snapshot laid out, not the folder, and what changed`() throws {
    try work.snapshot()
    try work.write("new.csv", "n\n")
    let id = try work.snapshot().id()
    try work.write("orders.csv", "later\n")
    let script = "echo $DTM_SNAPSHOT; pwd; cat orders.csv; tr '\\0' '\\n' <$DTM_CHANGED; exit 7"
    try configure(
      check("view", script) + "," + check("folder", script, #", "on": "folder""#))
    let outcome = try work.dtm("check", id, "--json")
    #expect(outcome.status == 1)
    let reports = try outcome.json().array?.first?.elements("reports") ?? []
    #expect(reports.map { $0["result"]?.string } == ["fail", "fail"])
    let outputs = reports.compactMap {
      $0["output"]?.string?.split(separator: "\n").map(String.init)
    }
    try #require(outputs.count == 2)
    #expect(outputs.map { $0[0] } == [id, id])
    #expect(outputs[0][1] != work.lake && outputs[1][1] == work.lake)
    #expect(outputs.map { $0[2] } == ["good", "later"])
    #expect(outputs.allSatisfy { $0.contains("new.csv") && !$0.contains("orders.csv") })
    #expect(!Files.exists(outputs[0][1]))
    #expect(try work.shell("ls -d dtm-* 2>/dev/null || true").isEmpty)
  }

  @Test(arguments: [
    ("exit 100", "error"), ("exit 99", "fail"), ("kill -9 $$", "error"), ("exit 0", "pass"),
    ("sleep 60", "error"), ("sleep 60 & exit 0", "pass"), ("yes", "error"), ("exec /no", "error"),
  ])
  func `have three results, and end in time`(_ script: String, _ wanted: String) throws {
    let id = try work.snapshot().id()
    try configure(check("c", script, #", "timeout": "300ms""#))
    let start = ContinuousClock.now
    let outcome = try work.dtm("check")
    #expect(ContinuousClock.now - start < .seconds(20))
    #expect(outcome.status == (wanted == "pass" ? 0 : 1), "\(outcome.text)")
    #expect(try result(id, "c") == wanted)
  }

  @Test func `that hang hold up no snapshot, and end with the daemon`() throws {
    try configure(
      check("hangs", "echo $$ >\(work.path("pid")); exec sleep 1000", #", "timeout": "1h""#))
    let daemon = try Daemon(configured: work)
    for number in 0..<5 {
      try work.write("orders.csv", "\(number)\n")
      let id = try work.snapshot().id()
      #expect(try result(id, "hangs") == nil)
    }
    #expect(daemon.stop() == 0)
    #expect(try work.shell("kill -0 $(cat pid) 2>/dev/null && echo lives || true").isEmpty)
  }

  @Test func `run after the snapshots that their "after" selects`() throws {
    try configure(
      check("stage", "exit 0", #", "after": {"labels": {"stage": "cl*"}}"#) + ","
        + check("manual", "exit 0", #", "after": {"triggers": ["manual"]}"#))
    let daemon = try Daemon(configured: work)
    let manual = try work.snapshot().id()
    try wait(for: "pass", of: "manual", on: manual)
    #expect(try result(manual, "stage") == nil)
    let stage = try work.good("stage", "begin", "clean", "--json").json()
    let id = try #require(stage["snapshot"]?["id"]?.string ?? stage["id"]?.string)
    try wait(for: "pass", of: "stage", on: id)
    #expect(try result(id, "manual") == nil)
    #expect(daemon.stop() == 0)
    // By hand the same are chosen, unless all are wanted.
    try work.write("orders.csv", "more\n")
    let second = try work.snapshot().id()
    try work.good("check")
    #expect(try result(second, "manual") == "pass" && result(second, "stage") == nil)
    try work.good("check", "--all")
    #expect(try result(second, "stage") == "pass")
  }

  @Test func `need a configuration`() throws {
    try work.snapshot()
    #expect(try work.dtm("check").status == 66)
    try configure(#"{"name": "x", "run": ["relative"]}"#)
    let outcome = try work.dtm("config", "check", work.path("dtmd.json"))
    #expect(outcome.status == 78)
    #expect(outcome.errorText.contains("absolute path"))
  }
}
