import DTMSystem
import Glibc
import Testing

/// A folder under the daemon.
@Suite(.needsPrograms) struct `A protected folder` {
  let work: Workspace

  init() throws {
    work = try Workspace()
    try work.write("orders.csv", "good\n")
    try work.write("raw/b.csv", "b\n")
    try work.good("init", "--repository", work.path("repository"), "--no-first-snapshot")
  }

  private static let onlyByHand = #"{"quiet": "1h", "atMost": "24h", "minInterval": "1h"}"#

  private func wait() throws {
    try work.good("wait", "--timeout", "30s")
  }

  @Test func `is captured by itself, first as it is found, then as it changes`() throws {
    let daemon = try Daemon(work)
    try wait()
    let first = try #require(try work.log().first)
    #expect(first["files"]?.int == 2)
    try work.write("orders.csv", "bad\n")
    try wait()
    let log = try work.log()
    #expect(log.count == 2)
    #expect(log[0]["basis"]?.string == "events")
    #expect(log[0]["trigger"]?["kind"]?.string == "quiet")
    #expect(log[0]["modified"]?.int == 1)
    #expect(try work.good("cat", "HEAD", "orders.csv").text == "bad\n")
    #expect(daemon.stop() == 0)
  }

  @Test func `a snapshot by hand looks at what changed only`() throws {
    let daemon = try Daemon(work, settle: Self.onlyByHand)
    try work.snapshot()
    try work.write("new/deep/c.csv", "c\n")
    let snapshot = try work.snapshot("-m", "by hand", "--label", "run=7", "--tag", "v1")
    #expect(snapshot["basis"]?.string == "events")
    #expect(snapshot["created"]?.bool == true)
    #expect(snapshot["added"]?.int == 3)
    #expect(snapshot["trigger"]?["kind"]?.string == "manual")
    #expect(snapshot["message"]?.string == "by hand")
    #expect(snapshot["labels"]?["run"]?.string == "7")
    #expect(try snapshot.elements("tags").map(\.string) == ["v1"])
    let again = try work.snapshot("--if-changed")
    #expect(again["created"]?.bool == false)
    #expect(again["id"]?.string == snapshot["id"]?.string)
    #expect(daemon.process.isRunning)
  }

  @Test func `nothing is looked at that did not change`() throws {
    try work.shell(
      "cd lake; for i in $(seq 1 3000); do mkdir -p d/$((i % 50)); echo $i >d/$((i % 50))/$i; done")
    let daemon = try Daemon(work, settle: Self.onlyByHand)
    try work.snapshot()
    let calls = work.path("calls")
    let tracer = try ChildProcess(
      [
        "strace", "-f", "-p", "\(daemon.process.pid)", "-o", calls, "-e",
        "trace=openat,openat2,statx,newfstatat,getdents64,readlinkat",
      ], in: work.root, environment: work.environment)
    guard tracer.waitForError("attached", within: .seconds(10)) else {
      print("SKIPPED: nothing is looked at that did not change: strace can't attach")
      return
    }
    for number in 1...10 { try work.write("d/\(number)/\(number)", "changed\n") }
    let snapshot = try work.snapshot()
    #expect(snapshot["basis"]?.string == "events")
    #expect(snapshot["modified"]?.int == 10)
    tracer.send(SIGINT)
    _ = tracer.finish()
    let trace = String(decoding: try Files.read(calls), as: UTF8.self).split(separator: "\n")
    // A dozen calls a file and the repository's own; a scan would make 3000 and more.
    #expect(trace.count > 10, "nothing was traced")
    #expect(trace.count < 500, "\(trace.count) calls for 10 changed files")
    // A few: `x` of `d/x/…`; the listing of a directory is no part of looking at a changed file.
    #expect(trace.filter { $0.contains("getdents64") }.count < 60)
  }

  @Test func `is found whole after a burst`() throws {
    let daemon = try Daemon(work)
    try work.shell(
      """
      cd lake; for i in $(seq 1 40); do mkdir -p burst/$i/a/b; done
      for i in $(seq 1 40); do for j in $(seq 1 25); do echo $j >burst/$i/a/b/$j; done; done
      mv burst/1 moved; rm -r burst/2; ln burst/3/a/b/1 hard; ln -s hard soft; mv moved burst/again
      """)
    try wait()
    #expect(try work.good("diff", "--json").json()["changes"]?.array?.isEmpty == true)
    let before = try Files.listing(work.lake)
    try work.good("restore", "HEAD", "--to", work.path("out"))
    #expect(try Files.listing(work.path("out")) == before)
    #expect(try work.good("verify", "--read-data", "--json").json()["ok"]?.bool == true)
    #expect(try daemon.folder()["missedChanges"]?.int == 0)
  }

  @Test func `a last snapshot is taken at SIGTERM`() throws {
    let daemon = try Daemon(work, settle: Self.onlyByHand)
    try work.snapshot()
    let before = try work.log().count
    try work.write("orders.csv", "last words\n")
    #expect(daemon.stop() == 0)
    let newest = try #require(try work.log().first)
    #expect(newest["trigger"]?["kind"]?.string == "stop")
    #expect(try work.good("cat", "HEAD", "orders.csv").text == "last words\n")
    #expect(try work.log().count == before + 1)
  }

  @Test func `no last snapshot is taken where nothing changed`() throws {
    let daemon = try Daemon(work, settle: Self.onlyByHand)
    try work.snapshot()
    let before = try work.log().count
    #expect(daemon.stop() == 0)
    #expect(try work.log().count == before)
  }

  @Test func `a restore is one snapshot of its own kind, and nothing follows`() throws {
    let daemon = try Daemon(work)
    try wait()
    try work.write("orders.csv", "bad\n")
    try wait()
    try work.good("restore", "orders.csv")
    #expect(try work.read("orders.csv") == "good\n")
    try wait()
    let kinds = try work.log().map { $0["trigger"]?["kind"]?.string }
    #expect(kinds.count == 3)
    #expect(kinds.first == "restore")
    try work.good("undo")
    #expect(try work.read("orders.csv") == "bad\n")
    try work.good("redo")
    #expect(try work.read("orders.csv") == "good\n")
    try work.write("orders.csv", "next\n")
    try wait()
    #expect(try work.good("cat", "HEAD", "orders.csv").text == "next\n")
    #expect(try work.log()[0]["basis"]?.string == "events")
    #expect(daemon.process.isRunning)
  }

  @Test func `wait is status 75 when the time is over and 69 without a daemon`() throws {
    #expect(try work.dtm("wait", "--timeout", "1s").status == 69)
    let daemon = try Daemon(work, settle: Self.onlyByHand)
    try work.snapshot()
    try wait()  // everything is in a snapshot: at once
    try work.write("orders.csv", "new\n")
    #expect(try work.dtm("wait", "--timeout", "300ms").status == 75)
    try work.snapshot()
    try wait()
    #expect(daemon.process.isRunning)
  }

  @Test func `its status has every key of the contract`() throws {
    #expect(try work.dtmd("status").status == 3)
    #expect(try work.dtmd("status", "--json").json()["running"]?.bool == false)
    let daemon = try Daemon(work)
    try wait()
    let outcome = try work.dtmd("status", "--json")
    #expect(outcome.status == 0)
    let status = try outcome.json()
    #expect(status["running"]?.bool == true)
    #expect(status["version"]?.string?.isEmpty == false)
    #expect(status["pid"]?.int == Int(daemon.process.pid))
    #expect(status["configuration"]?["error"]?.isNull == true)
    #expect(status["configuration"]?["files"]?.array?.first?.string == work.path("dtmd.json"))
    #expect(status["configuration"]?["loaded"]?.string?.hasSuffix("Z") == true)
    #expect((status["uptimeSeconds"]?.double ?? -1) >= 0)
    #expect(status["state"]?.string == "protected")
    let folder = try daemon.folder()
    #expect(folder["path"]?.string == work.lake)
    #expect(folder["state"]?.string == "protected")
    #expect(folder["reasons"]?.array?.isEmpty == true)
    #expect(folder["phase"]?.string == "idle")
    #expect(try folder["lastSnapshot"]?["id"]?.string == work.log()[0].id())
    #expect(folder["lastSnapshot"]?["time"]?.string?.hasSuffix("Z") == true)
    #expect(folder["dirty"]?.int == 0)
    #expect((folder["watchedDirectories"]?.int ?? 0) >= 2)
    #expect(folder["overflows"]?.int == 0)
    #expect(folder["missedChanges"]?.int == 0)
    for key in ["hot", "uncovered"] { #expect(folder[key]?.array?.isEmpty == true) }
    #expect(folder["basis"]?.string?.isEmpty == false)
    #expect(try work.dtmd("status").text.contains("lake"))
    #expect(try work.good("status").text.contains("protected"))
  }

  @Test func `a vanished folder is held, never a snapshot of deletions, and comes back`() throws {
    let daemon = try Daemon(work)
    try wait()
    let before = try Files.listing(work.lake)
    let ids = try work.log().map { try $0.id() }
    try work.shell("rm -rf lake")
    try daemon.waitForStatus(2)
    let folder = try daemon.folder()
    #expect(folder["state"]?.string == "unprotected")
    #expect(folder["reasons"]?.array?.isEmpty == false)
    try work.good("-C", work.lake, "restore", in: work.root)
    #expect(try Files.listing(work.lake) == before)
    try daemon.waitForStatus(0)
    try work.write("orders.csv", "goes on\n")
    try wait()
    #expect(try work.good("cat", "HEAD", "orders.csv").text == "goes on\n")
    let log = try work.log()
    #expect(try log.map { try $0.id() }.suffix(ids.count) == ids[...])
    for snapshot in log { #expect((snapshot["files"]?.int ?? 0) >= 2, "a snapshot of deletions") }
  }

  @Test func `what changed while no daemon ran is found at its start`() throws {
    let first = try Daemon(work)
    try wait()
    #expect(first.stop() == 0)
    try work.write("orders.csv", "in between\n")
    let second = try Daemon(configured: work)
    try wait()
    #expect(try work.good("cat", "HEAD", "orders.csv").text == "in between\n")
    #expect(try work.log()[0]["basis"]?.string == "scan")
    #expect(second.stop() == 0)
  }

  @Test func `a bad configuration is refused whole and the running one goes on`() throws {
    let daemon = try Daemon(work)
    try wait()
    let good = try Files.read(work.path("dtmd.json"))
    try Files.write(work.path("dtmd.json"), Array("{\"foldres\": []}".utf8))
    #expect(try work.dtmd("reload").status == 78)
    let status = try work.dtmd("status", "--json").json()
    #expect(status["configuration"]?["error"]?.string?.contains("dtmd.json:1:") == true)
    try work.write("orders.csv", "still watched\n")
    try wait()
    #expect(try work.good("cat", "HEAD", "orders.csv").text == "still watched\n")
    try Files.write(work.path("dtmd.json"), good)
    #expect(try work.dtmd("reload").status == 0)
    #expect(
      try work.dtmd("status", "--json").json()["configuration"]?["error"]?.isNull == true)
    #expect(daemon.process.isRunning)
  }

  @Test func `a second daemon is refused`() throws {
    let daemon = try Daemon(work)
    let second = try work.dtmd(
      "run", "--config", work.path("dtmd.json"), "--socket", work.path("s"))
    #expect(second.status != 0)
    try wait()
    #expect(daemon.process.isRunning)
  }

  @Test func `a write that the daemon can't take is not done beside it`() throws {
    let daemon = try Daemon(work)
    try wait()
    work.environment["DTM_SOCKET"] = work.path("elsewhere")
    try work.write("orders.csv", "x\n")
    let outcome = try work.dtm("snapshot")
    #expect(outcome.status == 75 || outcome.status == 69)
    #expect(outcome.errorText.contains("\(daemon.process.pid)"))
  }
}

/// `dtm protect` and `unprotect`, for a user's own daemon.
@Suite(.needsPrograms) struct `dtm protect` {
  @Test func `adds a folder to the running daemon, its history outside of it`() throws {
    let work = try Workspace()
    try work.becomeOrdinaryUser()
    work.environment["DTM_CONFIG"] = work.path("dtmd.json")
    try Files.write(work.path("dtmd.json"), Array("{\"folders\": []}".utf8))
    try work.shell("echo 1 >lake/a.csv; chown --reference=lake lake/a.csv dtmd.json")
    let daemon = try Daemon(configured: work)
    try work.good("protect", work.lake, in: work.root)
    try work.good("wait", "--timeout", "30s")
    let repository = work.path("state/dtm/lake")
    #expect(Files.exists(repository + "/format.json"))
    #expect(try Files.mode(repository) == 0o700)
    #expect(try Files.status(repository).st_uid == Files.status(work.lake).st_uid)
    let status = try work.dtmd("status", "--json").json()
    #expect(try status.elements("folders").map { $0["path"]?.string } == [work.lake])
    #expect(try work.log().count == 1)
    #expect(try work.good("config", "check").status == 0)

    try work.good("unprotect", work.lake, in: work.root)
    #expect(try work.dtmd("status", "--json").json().elements("folders").isEmpty)
    #expect(Files.exists(repository + "/format.json"), "the history stays")
    #expect(try work.log().count == 1)
    #expect(try work.dtm("unprotect", work.lake, in: work.root).status == 66)
    #expect(daemon.stop() == 0)
  }

  @Test func `of a folder that is not there fails and changes nothing`() throws {
    let work = try Workspace()
    try work.becomeOrdinaryUser()
    work.environment["DTM_CONFIG"] = work.path("dtmd.json")
    #expect(try work.dtm("protect", work.path("nosuch"), in: work.root).status == 66)
    #expect(!Files.exists(work.path("dtmd.json.d")))
  }
}
