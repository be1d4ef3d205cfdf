import DTMCommands
import DTMRepository
import DTMSystem
import DTMTestSupport
import SystemPackage
import Testing

/// The commands on real folders, in this process.
@Suite struct `Commands` {
  /// Three snapshots with the times of three days, and what changed since.
  private func history(_ fixture: CommandFixture) throws -> [String] {
    try fixture.good("init", "--no-first-snapshot")
    var ids: [String] = []
    for day in 20...22 {
      try fixture.write("orders.csv", String(repeating: "\(day)\n", count: 100 * (day - 19)))
      if day == 21 { try fixture.write("raw.jsonl", "{}\n") }
      ids.append(
        try fixture.snapshot(
          "--time", "2026-11-\(day)T02:10:00Z", "-m", "day \(day)", "--label", "run=\(day)"))
    }
    return ids
  }

  private func golden(
    _ outcome: CommandOutcome, _ ids: [String], _ fixture: CommandFixture, _ name: String
  ) throws {
    let text = Anonymous.text(
      outcome.output + outcome.errors, ids: ids, replacing: [(fixture.root.string, "/scratch")])
    try GoldenFile.expect(text, is: name)
  }

  @Test func `log lists snapshots as lines`() throws {
    try withFixture { fixture in
      let ids = try history(fixture)
      try fixture.good("tag", "v1", ids[0])
      try golden(fixture.good("log"), ids, fixture, "log.txt")
      try golden(fixture.good("log", "--oneline"), ids, fixture, "log-oneline.txt")
      try golden(fixture.good("log", "--stat"), ids, fixture, "log-stat.txt")
      #expect(try fixture.good("log", "-q").output == ids.reversed().map { $0 + "\n" }.joined())
    }
  }

  @Test func `a restore does not say that what is damaged is as it was`() throws {
    try withFixture { fixture in
      try fixture.good("init", "--no-first-snapshot")
      try fixture.write("lost.csv", String(repeating: "lost\n", count: 100))
      try fixture.write("small", "kept\n")
      let id = try fixture.snapshot()
      let live = try SystemFileOperations(path: fixture.lake.appending(".dtm/live"))
      let pack = try #require(try live.list("").first { $0.hasSuffix(".data") })
      let file = try live.open(pack, writable: true)
      let last = try file.size() - 1
      try file.write([~(try file.read(at: last, count: 1)[0])], at: last)
      let files = try SystemFileOperations(path: fixture.lake)
      try files.remove("lost.csv")
      try files.remove("small")
      let outcome = fixture.dtm("restore", "--json")
      #expect(outcome.status == .damaged)
      #expect(try outcome.json()["written"]?.int == 1)
      #expect(try fixture.read("small") == "kept\n")
      let again = fixture.dtm("restore", id)
      #expect(again.output.contains("but for what follows"))
      #expect(again.output.contains("lost.csv") && !again.output.contains("lost.csv: lost.csv"))
      let one = fixture.dtm("restore", id, "lost.csv")
      #expect(one.status == .damaged)
      #expect(!one.output.contains("checked"), "\(one.output)")
    }
  }

  @Test func `log draws which snapshot comes from which`() throws {
    try withFixture { fixture in
      var ids = try history(fixture)
      try fixture.good("branch", "side", ids[0])
      try fixture.good("checkout", "side")
      ids.append(String(try fixture.good("log", "-q", "-n", "1").output.dropLast()))
      try golden(
        fixture.good("log", "--all", "--graph", "--oneline"), ids, fixture, "log-graph.txt")
    }
  }

  @Test func `log lists the snapshots whose every check passed`() throws {
    try withFixture { fixture in
      let ids = try history(fixture)
      let repository = try Repository(at: fixture.lake.appending(".dtm"))
      var draft = RecordDraft(kind: "check", summary: "checked")
      for (index, results) in [["pass"], ["pass", "fail"], ["pass", "pass"]].enumerated() {
        for (number, result) in results.enumerated() {
          let subject = try #require(ObjectID(hex: ids[index]))
          draft.facts.append(
            Fact(subject: subject, key: "check:\(number)", value: Array(result.utf8)))
        }
      }
      _ = try repository.beginSession().commit(draft, at: CommandFixture.now)
      #expect(try fixture.good("log", "--good", "-q").output == "\(ids[2])\n\(ids[0])\n")
      #expect(try fixture.good("show", "@good", "-q").output.hasPrefix(ids[2]))
    }
  }

  @Test func `verify reads as much of the data as it is asked to`() throws {
    try withFixture { fixture in
      _ = try history(fixture)
      func read(_ options: String...) throws -> Int {
        let outcome = fixture.run(["verify", "--all", "--json"] + options)
        try #require(outcome.status == .done, "\(outcome.errors)")
        return try #require(try outcome.json()["bytes"]?.int)
      }
      let all = try read("--read-data")
      #expect(all > 0)
      #expect(try read() == 0)
      #expect(try read("--sample", "100") == all)
      #expect(try read("--sample", "0.000001") < all)
      for options in [["--sample", "0"], ["--sample", "101"], ["--sample", "5", "--read-data"]] {
        #expect(fixture.run(["verify"] + options).status == .usage)
      }
    }
  }

  @Test func `log chooses by label, trigger, time, path and branch`() throws {
    try withFixture { fixture in
      let ids = try history(fixture)
      func listed(_ options: String...) throws -> [String] {
        let outcome = fixture.run(["log", "-q"] + options)
        try #require(outcome.status == .done, "\(outcome.errors)")
        return outcome.output.split(separator: "\n").map(String.init)
      }
      #expect(try listed("--label", "run=21") == [ids[1]])
      #expect(try listed("--label", "run=21", "--label", "run=22").isEmpty)
      #expect(try listed("--trigger", "manual").count == 3)
      #expect(try listed("--trigger", "quiet").isEmpty)
      #expect(try listed("--since", "2026-11-21") == [ids[2], ids[1]])
      #expect(try listed("--until", "yesterday") == [ids[0]])
      #expect(try listed("--path", "raw.jsonl") == [ids[1]])
      #expect(try listed("--path", "orders.csv") == ids.reversed())
      #expect(try listed("--path", "nosuch").isEmpty)
      #expect(try listed("-n", "0").isEmpty)
      try fixture.good("branch", "side", ids[0])
      #expect(try listed("--branch", "side") == [ids[0]])
      #expect(try listed("--all") == ids.reversed())
      #expect(fixture.dtm("log", "--branch", "nosuch").status == .notFound)
      #expect(fixture.dtm("log", "--since", "soon").status == .usage)
    }
  }

  @Test func `differences are lines with a summary`() throws {
    try withFixture { fixture in
      let ids = try history(fixture)
      try golden(fixture.good("diff", ids[0], ids[2]), ids, fixture, "diff.txt")
      try golden(fixture.good("diff", "--stat", ids[0], ids[2]), ids, fixture, "diff-stat.txt")
      #expect(
        try fixture.good("diff", "--name-status", ids[0], ids[2]).output
          == "M\torders.csv\nA\traw.jsonl\n")
      #expect(try fixture.good("diff", "-q", ids[0], ids[1], "raw.jsonl").output == "raw.jsonl\n")
      #expect(try fixture.good("diff").output == "nothing differs\n")
      #expect(fixture.dtm("diff", "nosuch").status == .notFound)
      #expect(fixture.dtm("diff", "WORKING", "HEAD").status == .usage)
    }
  }

  @Test func `a word that is a snapshot and a path is refused`() throws {
    try withFixture { fixture in
      _ = try history(fixture)
      try fixture.good("tag", "raw.jsonl")
      let outcome = fixture.dtm("ls", "raw.jsonl")
      #expect(outcome.status == .usage)
      #expect(outcome.errors.contains("-- raw.jsonl"))
      #expect(try fixture.good("ls", "--", "raw.jsonl").output == "raw.jsonl\n")
    }
  }

  @Test func `status says what changed, and that no daemon runs`() throws {
    try withFixture { fixture in
      let ids = try history(fixture)
      try golden(fixture.good("status"), ids, fixture, "status-clean.txt")
      try fixture.write("orders.csv", "bad\n")
      try fixture.write("new.csv", "x")
      try golden(fixture.good("status"), ids, fixture, "status.txt")
      let json = try fixture.good("status", "--json").json()
      #expect(json["daemon"]?.isNull == true)
      #expect(json["branch"]?.string == "main")
      #expect(json["to"]?.string == "WORKING")
    }
  }

  @Test func `status before the first snapshot says what to do`() throws {
    try withFixture { fixture in
      try fixture.good("init", "--no-first-snapshot")
      let outcome = try fixture.good("status")
      #expect(outcome.output.contains("dtm snapshot takes one"))
      #expect(try fixture.good("log").output.isEmpty)
      #expect(fixture.dtm("show").status == .notFound)
      #expect(fixture.dtm("diff").status == .notFound)
      #expect(try fixture.good("log", "--json").json().array?.isEmpty == true)
    }
  }

  @Test func `ls lists names, and long lines`() throws {
    try withFixture { fixture in
      _ = try history(fixture)
      #expect(try fixture.good("ls").output == "orders.csv\nraw.jsonl\n")
      let long = try fixture.good("ls", "-l").output.split(separator: "\n")
      #expect(long.count == 2)
      #expect(long.first?.hasPrefix("-rw-r--r--  ") == true)
      #expect(long.first?.hasSuffix("  orders.csv") == true)
      #expect(fixture.dtm("ls", "HEAD", "nosuch").status == .notFound)
      #expect(fixture.dtm("ls", "nosuch").status == .notFound)
    }
  }

  @Test func `cat writes a file and nothing else`() throws {
    try withFixture { fixture in
      let ids = try history(fixture)
      #expect(
        try fixture.good("cat", ids[0], "orders.csv").output
          == String(repeating: "20\n", count: 100))
      #expect(try fixture.good("cat", "WORKING", "raw.jsonl").output == "{}\n")
      #expect(fixture.dtm("cat", "HEAD", "../outside").status == .usage)
      #expect(fixture.dtm("cat", "HEAD", "nosuch").status == .notFound)
    }
  }

  @Test func `branches and tags are answered in words`() throws {
    try withFixture { fixture in
      let ids = try history(fixture)
      var text = ""
      for arguments in [
        ["branch", "side", ids[0]], ["branch"], ["branch", "-m", "side", "left"],
        ["branch", "main"], ["branch", "-d", "main"], ["branch", "-d", "left"], ["tag", "v1"],
        ["tag", "v1"], ["tag", "a b"], ["tag"], ["tag", "-d", "v1"], ["tag", "-d", "v1"],
        ["pin", "HEAD"], ["pin", "HEAD"], ["unpin", "HEAD"], ["unpin", "HEAD"],
        ["label", "HEAD", "stage=clean", "ok=yes"], ["show", "stage=clean", "-q"],
      ] {
        let outcome = fixture.run(arguments)
        text += "$ dtm \(arguments.joined(separator: " "))\n\(outcome.output)\(outcome.errors)"
        if outcome.status != .done { text += "= \(outcome.status.rawValue)\n" }
      }
      text = Anonymous.text(text, ids: ids, replacing: [(fixture.root.string, "/scratch")])
      try GoldenFile.expect(text, is: "names.txt")
    }
  }

  @Test func `operations are listed, newest first`() throws {
    try withFixture { fixture in
      let ids = try history(fixture)
      try fixture.good("tag", "v1", ids[0])
      try fixture.good("branch", "side")
      let json = try #require(try fixture.good("operations", "--json").json().array)
      #expect(json.map { $0["kind"]?.string } == ["branch", "tag"])
      #expect(json.allSatisfy { $0["undone"]?.bool == false })
      let lines = try fixture.good("operations").output.split(separator: "\n")
      #expect(lines.count == 2)
      #expect(lines.first?.contains("made the branch side") == true)
      #expect(try fixture.good("operations", "-n", "1", "-q").output.count == 2)
    }
  }

  @Test func `verify says that it is sound, or what is not`() throws {
    try withFixture { fixture in
      _ = try history(fixture)
      #expect(try fixture.good("verify", "--all", "--read-data").output.contains("3 snapshots"))
      #expect(try fixture.good("verify").output.contains("sound"))
      #expect(fixture.dtm("verify", "nosuch").status == .notFound)
    }
  }

  @Test func `init says where the history is`() throws {
    try withFixture { fixture in
      try fixture.write("a.csv", "1\n")
      let made = try fixture.good("init")
      #expect(made.output.contains("dtm protect"))
      #expect(made.output.contains("first snapshot: 1 file, 2 B"))
      #expect(try fixture.good("init").output.contains("already"))
      #expect(fixture.dtm("init", "--branch", "other").status == .exists)
      #expect(fixture.dtm("init", "--repository", "elsewhere").status == .exists)
      #expect(fixture.dtm("init", "nosuch").status == .notFound)
      #expect(fixture.dtm("init", "--branch", "a b", in: "home").status == .usage)
      #expect(fixture.dtm("init", "--repository", "inside/of/it", in: "home").status == .usage)
    }
  }

  @Test func `a folder that was copied away from its repository is refused until it is adopted`()
    throws
  {
    try withFixture { fixture in
      let elsewhere = fixture.root.appending("elsewhere").string
      try fixture.good("init", "--repository", elsewhere)
      try fixture.makeDirectory("copy")
      let pointer = try fixture.read(".dtm")
      let file = try Descriptor.open(
        fixture.root.appending("copy/.dtm"), [.writeOnly, .create], mode: 0o644)
      try file.write(Array(pointer.utf8), at: 0)
      let outcome = fixture.dtm("snapshot", in: "copy")
      #expect(outcome.status == .busy)
      #expect(outcome.errors.contains("dtm init --adopt"))
      try fixture.good("init", "--adopt", in: "copy")
      try fixture.good("snapshot", in: "copy")
      #expect(fixture.dtm("snapshot").status == .busy)
    }
  }

  @Test func `snapshot says what it holds, or that nothing changed`() throws {
    try withFixture { fixture in
      try fixture.write("a.csv", "1\n")
      try fixture.good("init", "--no-first-snapshot")
      #expect(try fixture.good("snapshot").output.contains("first snapshot: 1 file, 2 B"))
      try fixture.write("b.csv", "1\n")
      #expect(try fixture.good("snapshot").output.contains("  A1  "))
      #expect(try fixture.good("snapshot", "--if-changed").output.contains("nothing changed since"))
      #expect(try fixture.good("snapshot", "-q").output.count == 65)
      #expect(fixture.dtm("snapshot", "--tag", "a~1").status == .usage)
      #expect(try fixture.good("snapshot", "--tag", "v1").output.contains("tag v1"))
      #expect(fixture.dtm("snapshot", "--tag", "v1").status == .exists)
    }
  }

  @Test func `config shows the whole with its defaults, and the schema`() throws {
    try withFixture { fixture in
      let config = try Descriptor.open(
        fixture.root.appending("dtmd.json"), [.writeOnly, .create], mode: 0o644)
      try config.write(Array("{\"folders\": [{\"path\": \"/srv/lake\"}]}".utf8), at: 0)
      let shown = try fixture.good("config", "show").json()
      let folder = try #require(shown["folders"]?.array?.first)
      #expect(folder["name"]?.string == "lake")
      #expect(folder["settle"]?["atMost"]?.string == "5m")
      #expect(shown["daemon"]?["logLevel"]?.string == "info")
      #expect(try fixture.good("config", "schema").json()["$defs"]?["folder"] != nil)
      try config.write(Array("{\"fodlers\": 1}             ".utf8), at: 0)
      let outcome = fixture.dtm("config", "show")
      #expect(outcome.status == .configuration)
      #expect(outcome.output.isEmpty)
    }
  }

  @Test func `a command that needs the daemon says so`() throws {
    try withFixture { fixture in
      _ = try history(fixture)
      let outcome = fixture.dtm("wait", "--timeout", "1s")
      #expect(outcome.status == .unavailable)
      #expect(outcome.errors.contains("  hint: "))
    }
  }

  @Test func `protect and unprotect write the configuration, without a daemon too`() throws {
    try withFixture { fixture in
      let config = try Descriptor.open(
        fixture.root.appending("dtmd.json"), [.writeOnly, .create], mode: 0o644)
      try config.write(Array("{\"folders\": []}".utf8), at: 0)
      try fixture.write("a.csv", "1\n")
      let lake = fixture.lake.string
      let repository = fixture.root.appending("repository").string
      let made = try fixture.good("protect", lake, "--repository", repository, in: "")
      #expect(made.output.contains("dtmd is not running"))
      #expect(try fixture.good("log", "-q").output.count == 65)
      #expect(try fixture.good("protect", lake, in: "").output.contains("already"))
      #expect(try fixture.good("config", "check").output.contains("1 folder"))
      let json = try fixture.good("config", "check", "--json").json()
      #expect(json["folders"]?.array?.map { $0.string } == ["lake"])
      #expect(fixture.dtm("protect", "nosuch", in: "").status == .notFound)
      try fixture.good("unprotect", lake, in: "")
      #expect(fixture.dtm("unprotect", lake, in: "").status == .notFound)
      #expect(try fixture.good("log", "-q").output.count == 65)
    }
  }

  @Test func `a wrong configuration is status 78 with its place`() throws {
    try withFixture { fixture in
      let config = try Descriptor.open(
        fixture.root.appending("dtmd.json"), [.writeOnly, .create], mode: 0o644)
      try config.write(Array("{\"foldres\": []}".utf8), at: 0)
      let outcome = fixture.dtm("config", "check")
      #expect(outcome.status == .configuration)
      #expect(outcome.errors.contains("dtmd.json:1:2: "))
      #expect(fixture.dtm("config", "check", "nosuch.json").status == .notFound)
    }
  }

  @Test(arguments: ["bash", "zsh", "fish"]) func `completions are a script`(_ shell: String) throws
  {
    try withFixture { fixture in
      let outcome = try fixture.good("completions", shell, in: "")
      #expect(outcome.output.contains("restore"))
      #expect(outcome.output.contains("snapshot"))
    }
  }
}
