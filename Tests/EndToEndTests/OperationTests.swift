import DTMSystem
import Testing

/// checkout, undo, redo, operations.
@Suite(.needsPrograms) struct `Operations` {
  let work: Workspace
  /// Oldest first: a.csv is 1, then 2, then 3.
  let ids: [String]

  init() throws {
    work = try Workspace()
    try work.good("init", "--no-first-snapshot")
    var ids: [String] = []
    for number in 1...3 {
      try work.write("a.csv", "\(number)\n")
      try work.write("only-\(number)", "x")
      ids.append(try work.snapshot().id())
    }
    self.ids = ids
  }

  @Test func `checkout makes the folder exactly that state, and history goes on`() throws {
    try work.write("a.csv", "unsaved\n")
    let result = try work.good("checkout", ids[0], "--json").json()
    #expect(result["snapshot"]?.string == ids[0])
    _ = try result.id("safetySnapshot")
    #expect(try work.read("a.csv") == "1\n")
    #expect(!work.exists("only-2") && !work.exists("only-3"))
    let log = try work.log()
    #expect(log.count == 5)
    #expect(log[0]["trigger"]?["kind"]?.string == "checkout")
    #expect(log[0]["parent"]?.string == log[1]["id"]?.string)
    #expect(try work.good("cat", "HEAD~1", "a.csv").text == "unsaved\n")
    #expect(try work.good("diff", "--json").json()["changes"]?.array?.isEmpty == true)
  }

  @Test func `checkout leaves ignored paths alone`() throws {
    try work.write(".dtmignore", "*.tmp\n")
    let first = try work.snapshot().id()
    try work.write("a.csv", "4\n")
    let second = try work.snapshot().id()
    try work.write("keep.tmp", "x")
    try work.good("checkout", first)
    #expect(work.exists("keep.tmp"))
    try work.good("checkout", second)
    #expect(try work.read("keep.tmp") == "x")
    #expect(try work.read("a.csv") == "4\n")
  }

  @Test func `checkout of a branch switches to it`() throws {
    try work.good("checkout", "-b", "fix", ids[1])
    #expect(try work.read("a.csv") == "2\n")
    try work.write("a.csv", "fixed\n")
    let onFix = try work.snapshot()
    #expect(onFix["branch"]?.string == "fix")
    try work.good("checkout", "main")
    #expect(try work.read("a.csv") == "3\n")
    #expect(try work.snapshot()["branch"]?.string == "main")
    try work.good("checkout", "fix")
    #expect(try work.read("a.csv") == "fixed\n")
    let current = try work.good("branch", "--json").json().array?.filter {
      $0["current"]?.bool == true
    }
    #expect(current?.map { $0["name"]?.string } == ["fix"])
  }

  @Test func `checkout of nothing is status 66 and changes nothing`() throws {
    #expect(try work.dtm("checkout", "nosuch").status == 66)
    #expect(try work.read("a.csv") == "3\n")
    #expect(try work.log().count == 3)
  }

  @Test func `a restore is undone and redone`() throws {
    try work.write("a.csv", "bad\n")
    let bad = try Files.listing(work.lake)
    try work.good("restore", "a.csv")
    let good = try Files.listing(work.lake)
    try work.good("undo")
    #expect(try Files.listing(work.lake) == bad)
    try work.good("redo")
    #expect(try Files.listing(work.lake) == good)
    try work.good("undo")
    #expect(try work.read("a.csv") == "bad\n")
  }

  @Test func `undo twice goes two operations back`() throws {
    try work.good("restore", ids[0], "a.csv")
    try work.good("restore", ids[1], "a.csv")
    try work.good("undo")
    #expect(try work.read("a.csv") == "1\n")
    try work.good("undo")
    #expect(try work.read("a.csv") == "3\n")
    try work.good("redo")
    #expect(try work.read("a.csv") == "1\n")
    try work.good("redo")
    #expect(try work.read("a.csv") == "2\n")
  }

  @Test func `undo keeps what was written since`() throws {
    try work.good("restore", ids[0], "a.csv")
    try work.write("a.csv", "work of an hour\n")
    _ = try work.dtm("undo")
    let versions = try work.log().map { try work.dtm("cat", $0.id(), "a.csv").text }
    let now = try work.read("a.csv")
    #expect(now == "work of an hour\n" || versions.contains("work of an hour\n"))
  }

  @Test func `a checkout, a tag and a branch are undone`() throws {
    try work.good("checkout", ids[0])
    try work.good("undo")
    #expect(try work.read("a.csv") == "3\n")
    #expect(work.exists("only-3"))
    try work.good("tag", "v1", ids[0])
    try work.good("undo")
    #expect(try work.dtm("show", "v1").status == 66)
    try work.good("redo")
    #expect(try work.good("show", "v1", "--json").json().id() == ids[0])
    try work.good("branch", "side", ids[1])
    try work.good("undo")
    #expect(try work.dtm("show", "side").status == 66)
  }

  @Test func `with nothing to undo or redo says so`() throws {
    let fresh = try Workspace()
    try fresh.good("init")
    for verb in ["undo", "redo"] {
      let outcome = try fresh.dtm(verb)
      #expect(outcome.status != 0)
      #expect(outcome.errorText.hasPrefix("dtm: error: "))
    }
  }

  @Test func `are listed with who, when and what`() throws {
    try work.good("restore", ids[0], "a.csv")
    try work.good("tag", "v1")
    try work.good("undo")
    let operations = try #require(try work.good("operations", "--json").json().array)
    #expect(operations.count >= 2)
    for operation in operations {
      let time = try #require(operation["time"]?.string)
      #expect(Timestamp(rfc3339: time) != nil)
      #expect(operation["id"]?.isNull == false)
      #expect(operation["summary"]?.string?.isEmpty == false)
      #expect(operation["user"]?.string?.isEmpty == false)
      #expect(operation["undone"]?.bool != nil)
    }
    #expect(operations.contains { $0["kind"]?.string == "restore" && $0["undone"]?.bool == false })
    #expect(operations.contains { $0["kind"]?.string == "tag" && $0["undone"]?.bool == true })
    let lines = try work.good("operations").text
    #expect(lines.contains("restore"))
  }

  @Test func `a named one is undone`() throws {
    try work.good("tag", "v1")
    let operations = try #require(try work.good("operations", "--json").json().array)
    let tag = try #require(operations.first { $0["kind"]?.string == "tag" })
    try work.good("tag", "v2")
    let id = tag["id"]?.string ?? tag["id"]?.int.map(String.init)
    try work.good("undo", try #require(id))
    #expect(try work.dtm("show", "v1").status == 66)
    #expect(try work.dtm("show", "v2").status == 0)
  }
}
