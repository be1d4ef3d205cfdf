import DTMSystem
import Glibc
import Testing

/// The guard under the daemon: damage, what it brings about, and the ways out.
@Suite(.needsPrograms) struct `The guard under the daemon` {
  let work: Workspace

  init() throws {
    work = try Workspace()
    try work.shell(
      """
      cd lake; mkdir a b
      for i in $(seq 200); do echo "order $i, of the part a" >a/$i.csv; done
      for i in $(seq 100); do echo "order $i, of the part b" >b/$i.csv; done
      """)
    try work.good("init", "--repository", work.path("repository"), "--no-first-snapshot")
  }

  private func configure(_ more: String = "") throws {
    try Daemon.configure(
      work, settle: #"{"quiet": "100ms", "atMost": "10s", "minInterval": "100ms"}"#,
      folders: """
        {"name": "lake", "path": "\(work.lake)", "repository": "\(work.path("repository"))",
          "alert": {"run": ["/bin/sh", "-c", "cat >>\(work.path("alerts"))"]}\(more)}
        """)
  }

  private func daemon(_ more: String = "") throws -> Daemon {
    try configure(more)
    let daemon = try Daemon(configured: work)
    try daemon.waitForStatus(0)
    return daemon
  }

  private func eventually(_ isReached: () throws -> Bool) throws -> Bool {
    let deadline = ContinuousClock.now + .seconds(20)
    while ContinuousClock.now < deadline {
      if try isReached() { return true }
      usleep(20_000)
    }
    return try isReached()
  }

  private var alarms: [JSONNode] {
    get throws { try work.dtm("guard", "--json").json().array ?? [] }
  }

  @Test func `pins, holds, tells, and says how to look and how to go back`() throws {
    let daemon = try daemon()
    let good = try work.snapshot().id()
    #expect(try work.dtm("guard").status == 0)
    try work.shell("rm -rf lake/a")
    try #require(try eventually { try !alarms.isEmpty })
    let alarm = try #require(try alarms.first)
    #expect(alarm["good"]?.string == good && alarm["pinned"]?.bool == true)
    #expect(alarm["holdsRetention"]?.bool == true)
    let damaged = try #require(alarm["snapshot"]?.string)
    #expect(try work.good("show", damaged, "--json").json()["guard"]?.string?.isEmpty == false)
    #expect(try work.good("log", "--flagged", "-q").text == "\(damaged)\n")

    // Status: degraded, this first.
    try daemon.waitForStatus(1)
    let reasons = try daemon.folder()["reasons"]?.array?.compactMap(\.string) ?? []
    let reason = try #require(reasons.first)
    for words in [
      "the guard: 66 % of the files (200 of 300) are gone or empty",
      "diff \(good.prefix(8)) \(damaged.prefix(8))", "restore \(good.prefix(8))", "guard release",
    ] { #expect(reason.contains(words), "\(reason)") }

    // The command got the event.
    try #require(try eventually { Files.exists(work.path("alerts")) })
    try #require(try eventually { try !Files.read(work.path("alerts")).isEmpty })
    let event = try JSONNode(parsing: Files.read(work.path("alerts")))
    #expect(event["kind"]?.string == "alert" && event["alert"]?.string == "guardAlarm")
    #expect(event["good"]?.string == good && event["folder"]?.string == "lake")
    #expect(event["snapshot"]?["id"]?.string == damaged)

    // Retention is held.
    let prune = try work.dtm("prune", "--keep-last", "1")
    #expect(prune.status == 75, "\(prune.text)\(prune.errorText)")
    #expect(
      prune.errorText.contains("the guard holds") && prune.errorText.contains("--ignore-hold"))
    let dry = try work.good("prune", "--keep-last", "1", "--dry-run")
    #expect(dry.errorText.contains("the guard holds"))
    try work.write("more", "x")
    try work.snapshot()
    #expect(try work.dtm("forget", damaged).status == 75)
    // Undo takes back what somebody did, not the guard's pin.
    #expect(try !work.good("operations").text.contains("guard"))

    // Who goes back has ended it.
    try work.good("restore", good)
    #expect(try Files.read(work.file("a/7.csv")) == Array("order 7, of the part a\n".utf8))
    try daemon.waitForStatus(0)
    #expect(try alarms.isEmpty)
    try work.good("prune", "--keep-last", "1")
    #expect(try work.good("show", good, "--json").json()["pinned"]?.bool == true)
    #expect(daemon.stop() == 0)
    #expect(daemon.log.contains("the guard saw many files removed"))
  }

  @Test func `an alarm outlives the daemon, and ends by a command`() throws {
    let first = try daemon()
    try work.snapshot()
    first.kill()
    // While nobody watches.
    try work.shell("for f in lake/a/*; do : >$f; done")
    try configure()
    let second = try Daemon(configured: work)
    try #require(try eventually { try !alarms.isEmpty }, "\(second.log)")
    second.kill()
    // What it was about to run may have the socket open for a moment.
    try #require(try eventually { try work.dtmd("status").status == 3 })
    let third = try Daemon(configured: work)
    try third.waitForStatus(1)
    #expect(try alarms.count == 1)
    // It is told once.
    try #require(try eventually { Files.exists(work.path("alerts")) })
    let text = String(decoding: try Files.read(work.path("alerts")), as: UTF8.self)
    #expect(text.split(separator: "\n").count == 1)
    let answer = try work.good("guard", "release").text
    #expect(answer.contains("ended the alarm") && answer.contains("dtm unpin"))
    try third.waitForStatus(0)
    #expect(try work.dtm("guard").text == "no alarm\n")
    #expect(try work.good("guard", "release").text == "no alarm\n")
    #expect(third.stop() == 0)
  }

  @Test func `does only what it is told`() throws {
    let daemon = try daemon(
      #", "guard": {"removed": "50%", "atLeast": 10, "do": ["alert"], "hold": "1h"}"#)
    let good = try work.snapshot().id()
    try work.shell("rm -rf lake/a")
    try #require(try eventually { try !alarms.isEmpty })
    let alarm = try #require(try alarms.first)
    #expect(alarm["pinned"]?.bool == false && alarm["holdsRetention"]?.bool == false)
    #expect(try work.good("show", good, "--json").json()["pinned"]?.bool == false)
    try work.good("prune", "--keep-last", "1")
    #expect(daemon.stop() == 0)
  }

  @Test func `guards nothing where an empty object says so`() throws {
    let daemon = try daemon(#", "guard": {}"#)
    try work.snapshot()
    try work.shell("rm -rf lake/a lake/b")
    try work.snapshot()
    #expect(try alarms.isEmpty)
    try daemon.waitForStatus(0)
    #expect(daemon.stop() == 0)
  }

  @Test func `an alert command that hangs holds up no snapshot, and ends with the daemon`() throws {
    try Daemon.configure(
      work, settle: #"{"quiet": "100ms", "atMost": "10s", "minInterval": "100ms"}"#,
      folders: """
        {"name": "lake", "path": "\(work.lake)", "repository": "\(work.path("repository"))",
          "alert": {"run": ["/bin/sh", "-c", "echo $$ >\(work.path("pid")); exec sleep 1000"],
            "timeout": "1h"}}
        """)
    let daemon = try Daemon(configured: work)
    try work.snapshot()
    try work.shell("rm -rf lake/a")
    try #require(try eventually { Files.exists(work.path("pid")) })
    for number in 0..<5 {
      try work.write("n", "\(number)\n")
      try work.snapshot()
    }
    #expect(daemon.stop() == 0)
    #expect(try work.shell("kill -0 $(cat pid) 2>/dev/null && echo lives || true").isEmpty)
  }

  @Test(arguments: [
    (#"{"removd": "30%"}"#, "did you mean \"removed\"?"),
    (#"{"removed": "30"}"#, "a share in a string"), (#"{"removed": 30}"#, "a share in a string"),
    (#"{"removed": "0%"}"#, "a share in a string"),
    (#"{"removed": "101%"}"#, "a share in a string"),
    (#"{"removed": "30%", "do": ["pin"]}"#, "has no word \"pin\""),
    (#"{"removed": "30%", "do": ["alerts"]}"#, "did you mean \"alert\"?"),
    (#"{"removed": "30%", "do": ["alert", "alert"]}"#, "twice"),
    (#"{"atLeast": 5}"#, "neither \"removed\" nor \"rewritten\""),
    (#"{"removed": "1%", "within": "0s"}"#, "\"within\" is from 1s"),
  ]) func `that can't be understood is refused`(_ text: String, _ words: String) throws {
    try configure(#", "guard": \#(text)"#)
    let outcome = try work.dtm("config", "check", work.path("dtmd.json"))
    #expect(outcome.status == 78)
    #expect(outcome.errorText.contains(words), "\(outcome.errorText)")
  }
}
