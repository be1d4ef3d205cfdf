import DTMSystem
import DTMTestSupport
import Glibc
import Testing

/// Rules under the daemon.
@Suite(.needsPrograms) struct `Rules of a folder` {
  let work: Workspace

  init() throws {
    work = try Workspace()
    try work.write("orders.csv", "good\n")
    try work.good("init", "--repository", work.path("repository"), "--no-first-snapshot")
  }

  private static let marker =
    #"{"name": "done", "on": {"marker": "**/_SUCCESS"}, "labels": {"stage": "{dir.name}"}}"#

  /// A snapshot by hand: whatever fired before is recorded before it.
  private func settle() throws { try work.snapshot() }

  @Test func `a marker makes one snapshot, which holds everything closed before it`() throws {
    let daemon = try work.daemon(rules: Self.marker)
    try work.shell(
      """
      cd lake; mkdir -p out/clean
      for i in $(seq 1 200); do echo part $i >out/clean/part-$i.csv; done
      : >out/clean/_SUCCESS
      """)
    let found = try work.fired(1)
    #expect(found.count == 1)
    let snapshot = try #require(found.first)
    #expect(snapshot["trigger"]?["kind"]?.string == "rule")
    #expect(snapshot["labels"]?["stage"]?.string == "clean")
    #expect(snapshot["basis"]?.string == "events")
    #expect(snapshot["complete"]?.bool == true)
    let listing = try work.good("ls", snapshot.id(), "out/clean", "--json").json()
    #expect(listing.array?.count == 201)
    #expect(try work.good("show", "stage=clean", "--json").json().id() == snapshot.id())
    try settle()
    #expect(try work.fired(2, within: .milliseconds(1)).count == 1)
    // Another version of it is another boundary.
    try work.shell(": >lake/out/clean/_SUCCESS")
    #expect(try work.fired(2).count == 2)
    #expect(daemon.stop() == 0)
  }

  @Test func `what came in a directory that was renamed is seen`() throws {
    let daemon = try work.daemon(rules: Self.marker)
    try work.shell(
      "mkdir -p job/out; echo x >job/out/x; : >job/out/_SUCCESS; mv job lake/; mkdir lake/tmp")
    #expect(try work.fired(1).first?["labels"]?["stage"]?.string == "out")
    try work.shell("cd lake; mkdir tmp/b; echo y >tmp/b/y; : >tmp/b/_SUCCESS; mv tmp/b c")
    let found = try work.fired(2)
    let first = found.compactMap { $0["labels"]?["stage"]?.string }
    #expect(first.contains("out"))
    try settle()
    let stages = try work.fired(2).map { $0["labels"]?["stage"]?.string }
    #expect(stages.contains("c"), "\(stages)")
    #expect(daemon.stop() == 0)
  }

  @Test func `what is ignored is no boundary, however it comes`() throws {
    try work.write(".dtmignore", "scratch/\n*.part\n")
    let daemon = try work.daemon(
      rules: Self.marker + #", {"name": "full", "on": {"directory": "d", "has": {"files": 2}}}"#)
    try work.shell(
      """
      mkdir -p job/scratch; : >job/scratch/_SUCCESS; mv job lake/
      mkdir -p lake/scratch/deep; : >lake/scratch/deep/_SUCCESS
      mkdir lake/d; : >lake/d/1; : >lake/d/2.part
      """)
    try settle()
    #expect(try work.fired(1, within: .milliseconds(1)).isEmpty)
    #expect(try work.fired(1, of: "full", within: .milliseconds(1)).isEmpty)
    try work.shell(": >lake/d/3; : >lake/_SUCCESS")
    #expect(try work.fired(1).count == 1)
    #expect(try work.fired(1, of: "full").count == 1)
    #expect(daemon.stop() == 0)
  }

  @Test func `each version of a table has its boundary, though they come at once`() throws {
    let daemon = try work.daemon(
      rules:
        #"""
        {"name": "delta", "on": {"marker": "**/_delta_log/*.json"},
          "labels": {"table": "{dir.dir.name}", "version": "{stem}"}}
        """#)
    // As Delta Lake writes them: a temporary file and a link.
    try work.shell(
      """
      cd lake; mkdir -p t/_delta_log; cd t/_delta_log
      for i in 0 1 2 3 4 5; do echo $i >.tmp; ln .tmp 0000$i.json; rm .tmp; done
      """)
    let found = try work.fired(6, of: "delta")
    #expect(
      found.reversed().map { $0["labels"]?["version"]?.string }
        == (0..<6).map { "0000\($0)" })
    for snapshot in found { #expect(snapshot["labels"]?["table"]?.string == "t") }
    for (number, snapshot) in found.reversed().enumerated() {
      #expect(
        try work.good("cat", snapshot.id(), "t/_delta_log/0000\(number).json").text
          == "\(number)\n")
    }
    #expect(daemon.stop() == 0)
  }

  @Test func `a marker that came while no daemon lived fires once after the restart`() throws {
    let first = try work.daemon(rules: Self.marker)
    try work.shell("mkdir lake/a; : >lake/a/_SUCCESS")
    #expect(try work.fired(1).count == 1)
    // The daemon stands still, so that it can't have seen it, and dies.
    first.process.send(SIGSTOP)
    try work.shell("mkdir lake/b; : >lake/b/_SUCCESS")
    first.kill()
    for _ in 0..<3 {
      let next = try work.daemon(rules: Self.marker)
      let found = try work.fired(2)
      #expect(found.count == 2)
      #expect(found[0]["labels"]?["stage"]?.string == "b")
      try work.write("orders.csv", "\(found)")
      try settle()
      #expect(try work.fired(3, within: .milliseconds(1)).count == 2)
      next.kill()
    }
  }

  @Test func `whenever the daemon is killed, each marker has fired once in the end`() throws {
    var random = SplitMix.fresh("markers and kills")
    let rule = #"{"name": "done", "on": {"marker": "**/_SUCCESS"}, "tag": "m-{dir.name}"}"#
    var daemon = try work.daemon(rules: rule)
    let rounds = Programs.isLong ? 100 : 12
    for round in 0..<rounds {
      try work.shell("mkdir lake/\(round); echo x >lake/\(round)/x; : >lake/\(round)/_SUCCESS")
      // Before it is seen, while the snapshot is taken, and after.
      usleep(UInt32(random.below(60_000)))
      daemon.kill()
      daemon = try work.daemon(rules: rule)
    }
    let deadline = ContinuousClock.now + .seconds(20)
    var tags: Set<String> = []
    while tags.count < rounds, ContinuousClock.now < deadline {
      tags = Set(try work.good("tag", "-q").text.split(separator: "\n").map(String.init))
    }
    try settle()
    let all = try work.good("tag", "-q").text.split(separator: "\n").map(String.init)
    // One that fired again would have the next free tag.
    #expect(all.sorted() == (0..<rounds).map { "m-\($0)" }.sorted())
    for round in 0..<rounds {
      #expect(try work.good("cat", "m-\(round)", "\(round)/x").text == "x\n")
    }
    #expect(daemon.stop() == 0)
  }

  @Test func `markers whose events the kernel dropped fire once each`() throws {
    let daemon = try work.daemon(rules: Self.marker)
    let limit = try Files.read("/proc/sys/fs/inotify/max_queued_events")
    // Each file that is made tells twice at least: that it came, and that it was closed.
    let files = try #require(Int(String(decoding: limit, as: UTF8.self).dropLast())) * 3 / 4
    try work.shell("mkdir lake/a lake/b")
    // Now the directories are watched.
    try settle()
    for round in 1...2 {
      daemon.process.send(SIGSTOP)
      try work.shell(
        """
        cd lake
        seq -f 'a/\(round)-%.0f' \(files) | xargs touch
        : >a/_SUCCESS; echo \(round) >b/x; : >b/_SUCCESS
        """)
      daemon.process.send(SIGCONT)
      let found = try work.fired(2 * round)
      try #require(found.count == 2 * round)
      #expect(try daemon.folder()["overflows"]?.int == round)
      #expect(found.prefix(2).map { $0["labels"]?["stage"]?.string ?? "" }.sorted() == ["a", "b"])
      for snapshot in found.prefix(2) { #expect(snapshot["complete"]?.bool == true) }
      // Which one is first is nobody's business: both hold everything that was closed before them.
      #expect(found[1]["basis"]?.string == "scan")
      #expect(try work.good("cat", found[1].id(), "b/x").text == "\(round)\n")
      let listing = try work.good("ls", found[1].id(), "a", "--json").json()
      #expect(listing.array?.count == files * round + 1)
      try settle()
      #expect(try work.fired(2 * round + 1, within: .milliseconds(1)).count == 2 * round)
    }
    #expect(daemon.stop() == 0)
  }

  @Test func `what a restore brings back fires nothing, nor after a restart`() throws {
    let rules =
      #"{"name": "done", "on": {"marker": "**/_SUCCESS"}, "tag": "m-{dir.name}"}, "#
      + #"{"name": "in", "on": {"movedIn": "released/*"}, "tag": "r-{name}"}"#
    let first = try work.daemon(rules: rules)
    try work.shell("mkdir -p lake/out lake/released v1; echo a >lake/out/part; echo x >v1/x")
    try settle()
    try work.shell(": >lake/out/_SUCCESS")
    try #require(try work.fired(1).count == 1)
    try work.shell("mv v1 lake/released/")
    try #require(try work.fired(1, of: "in").count == 1)
    try work.shell("cd lake; rm -r out released/v1; mkdir out; echo b >out/part")
    try settle()
    try work.good("restore", "r-v1")
    #expect(try work.dtm("diff", "r-v1", "--exit-code").status == 0)
    try work.good("undo")
    try work.good("redo")
    try settle()
    func tags() throws -> [String] {
      try work.good("tag", "-q").text.split(separator: "\n").map(String.init).sorted()
    }
    #expect(try tags() == ["m-out", "r-v1"])
    first.kill()
    let next = try work.daemon(rules: rules)
    try work.write("orders.csv", "more\n")
    try settle()
    #expect(try tags() == ["m-out", "r-v1"])
    // Another version of it is a boundary as before.
    try work.shell(": >lake/out/_SUCCESS")
    #expect(try work.fired(2).count == 2)
    #expect(try tags() == ["m-out", "m-out-2", "r-v1"])
    // Nor what is brought back while no daemon is there; what comes meanwhile is one.
    #expect(next.stop() == 0)
    try work.shell("cd lake; rm -r out released")
    try work.good("restore", "r-v1")
    try work.shell("mkdir lake/other; : >lake/other/_SUCCESS")
    let last = try work.daemon(rules: rules)
    #expect(try work.fired(3).count == 3)
    try settle()
    let found = try tags()
    #expect(found == ["m-other", "m-out", "m-out-2", "r-v1"])
    #expect(last.stop() == 0)
  }

  @Test func `what was there when the rule was new fires nothing`() throws {
    try work.write("old/_SUCCESS", "")
    let first = try work.daemon(rules: Self.marker)
    try settle()
    #expect(try work.fired(1, within: .milliseconds(1)).isEmpty)
    try work.write("new/_SUCCESS", "")
    #expect(try work.fired(1).count == 1)
    #expect(first.stop() == 0)
    let next = try work.daemon(rules: Self.marker)
    try settle()
    #expect(try work.fired(2, within: .milliseconds(1)).count == 1)
    #expect(next.stop() == 0)
  }

  @Test func `rules that fire together make one snapshot that names them all`() throws {
    let daemon = try work.daemon(
      rules:
        Self.marker
        + #", {"name": "any", "on": {"marker": "_*"}, "pin": true, "tag": "t-{dir.name}"}"#)
    try work.write("out/_SUCCESS", "")
    let snapshot = try #require(try work.fired(1).first)
    #expect(
      snapshot["trigger"]?["rules"]?.array?.compactMap(\.string).sorted() == ["any", "done"])
    #expect(snapshot["pinned"]?.bool == true)
    #expect(try snapshot.elements("tags").map(\.string) == ["t-out"])
    #expect(snapshot["labels"]?["stage"]?.string == "out")
    #expect(daemon.stop() == 0)
  }

  @Test func `what is renamed into a place is tagged and pinned, each time`() throws {
    let daemon = try work.daemon(
      rules:
        #"{"name": "out", "on": {"movedIn": "released/*"}, "tag": "r-{name}", "pin": true}"#)
    try work.shell("cd lake; mkdir released; mkdir v1; echo x >v1/x")
    try settle()
    try work.shell("cd lake; mv v1 released/")
    #expect(try work.fired(1, of: "out").count == 1)
    #expect(try work.good("cat", "r-v1", "released/v1/x").text == "x\n")
    try work.shell("cd lake; rm -r released/v1; mkdir v1; echo y >v1/x")
    try settle()
    try work.shell("cd lake; mv v1 'released/'; echo made >released/made")
    #expect(try work.fired(2, of: "out").count == 2)
    #expect(try work.good("cat", "r-v1-2", "released/v1/x").text == "y\n")
    try settle()
    #expect(try work.dtm("show", "r-made").status == 66)
    #expect(daemon.stop() == 0)
  }

  @Test func `thresholds, directories and stages fire`() throws {
    let daemon = try work.daemon(
      rules:
        #"""
        {"name": "bulk", "on": {"filesChanged": 50}}, {"name": "big", "on": {"bytesChanged": "4MiB"}},
        {"name": "full", "on": {"directory": "runs/*/", "has": {"files": 3, "matching": "p*"}},
          "labels": {"run": "{name}"}},
        {"name": "stage", "on": {"stage": "cl*"}, "tag": "s-{name}"}
        """#)
    try work.shell("cd lake; for i in $(seq 1 60); do echo $i >f$i; done")
    #expect(try work.fired(1, of: "bulk").count == 1)
    try work.shell("cd lake; head -c 5000000 /dev/zero >big")
    #expect(try work.fired(1, of: "big").count == 1)
    try work.shell(
      "cd lake; mkdir -p runs/7; echo 1 >runs/7/p1; echo 2 >runs/7/p2; echo x >runs/7/x")
    try settle()
    #expect(try work.fired(1, of: "full", within: .milliseconds(1)).isEmpty)
    try work.shell("cd lake; echo 3 >runs/7/p3")
    #expect(try work.fired(1, of: "full").first?["labels"]?["run"]?.string == "7")
    try work.good("stage", "begin", "load")
    try work.good("stage", "begin", "clean")
    let staged = try work.fired(1, of: "stage")
    #expect(staged.count == 1)
    #expect(try staged.first?.elements("tags").map(\.string) == ["s-clean"])
    #expect(staged.first?["labels"]?["stage"]?.string == "clean")
    #expect(daemon.stop() == 0)
  }

  @Test func `a period fires, and says nothing where nothing changed`() throws {
    let daemon = try work.daemon(rules: #"{"name": "often", "on": {"every": "1s"}}"#)
    let before = try work.log().count
    try work.write("orders.csv", "new\n")
    let found = try work.fired(1, of: "often")
    #expect(found.first?["trigger"]?["kind"]?.string == "schedule")
    #expect(try work.good("cat", "HEAD", "orders.csv").text == "new\n")
    #expect(try work.log().count == before + 1)
    #expect(daemon.stop() == 0)
  }

  @Test func `of another configuration count from the reload on, a wrong one is refused`() throws {
    let daemon = try work.daemon(rules: Self.marker)
    try work.shell(
      "sed -i 's/_SUCCESS/_DONE/' dtmd.json; cp dtmd.json good.json; sed -i 's/marker/makrer/' dtmd.json"
    )
    let refused = try work.dtmd("reload")
    #expect(refused.status == 78)
    #expect(refused.errorText.contains("did you mean \"marker\"?"), "\(refused.errorText)")
    try work.write("a/_SUCCESS", "")
    #expect(try work.fired(1).count == 1)
    try work.shell("cp good.json dtmd.json")
    #expect(try work.dtmd("reload").status == 0)
    try daemon.waitForStatus(0)
    try work.write("b/_SUCCESS", "")
    try work.write("c/_DONE", "")
    let found = try work.fired(2)
    #expect(found.map { $0["labels"]?["stage"]?.string } == ["c", "a"])
    #expect(daemon.stop() == 0)
  }
}
