import DTMSystem
import Testing

/// branch and tag.
@Suite(.needsPrograms) struct `References` {
  let work: Workspace
  let ids: [String]

  init() throws {
    work = try Workspace()
    try work.good("init", "--no-first-snapshot")
    var ids: [String] = []
    for number in 1...2 {
      try work.write("a.csv", "\(number)\n")
      ids.append(try work.snapshot().id())
    }
    self.ids = ids
  }

  private func list(_ verb: String) throws -> [String: JSONNode] {
    let nodes = try #require(try work.good(verb, "--json").json().array)
    return Dictionary(
      nodes.map { ($0["name"]?.string ?? "?", $0) }, uniquingKeysWith: { first, _ in first })
  }

  @Test func `branches are made, listed, renamed and deleted`() throws {
    try work.good("branch", "side", ids[0])
    try work.good("branch", "here")
    let branches = try list("branch")
    #expect(branches.keys.sorted() == ["here", "main", "side"])
    #expect(branches["main"]?["current"]?.bool == true)
    #expect(branches["side"]?["current"]?.bool == false)
    #expect(branches["side"]?["snapshot"]?.string == ids[0])
    #expect(branches["here"]?["snapshot"]?.string == ids[1])
    #expect(try work.good("branch").text.contains("side"))
    #expect(try work.read("a.csv") == "2\n", "making a branch touches no file")
    try work.good("branch", "-m", "side", "left")
    try work.good("branch", "-d", "here")
    #expect(try list("branch").keys.sorted() == ["left", "main"])
    #expect(try work.good("show", "left", "--json").json().id() == ids[0])
  }

  @Test func `a branch that is there or is not, and the current one, are refused`() throws {
    #expect(try work.dtm("branch", "main").status == 73)
    #expect(try work.dtm("branch", "new", "nosuch").status == 66)
    #expect(try work.dtm("branch", "-d", "nosuch").status == 66)
    #expect(try work.dtm("branch", "-d", "main").status != 0)
    #expect(try list("branch").keys.sorted() == ["main"])
  }

  @Test func `tags are made, listed, shown and deleted`() throws {
    try work.good("tag", "v1", ids[0])
    try work.good("tag", "v2")
    let tags = try list("tag")
    #expect(tags.keys.sorted() == ["v1", "v2"])
    #expect(tags["v1"]?["snapshot"]?.string == ids[0])
    #expect(tags["v2"]?["snapshot"]?.string == ids[1])
    #expect(try work.log()[1]["tags"]?.array?.map { $0.string } == ["v1"])
    #expect(try work.good("tag").text.contains("v2"))
    try work.good("tag", "-d", "v1")
    #expect(try list("tag").keys.sorted() == ["v2"])
    #expect(try work.dtm("show", "v1").status == 66)
  }

  @Test func `a tag that is there or is not is refused`() throws {
    try work.good("tag", "v1", ids[0])
    #expect(try work.dtm("tag", "v1").status == 73)
    #expect(try work.dtm("snapshot", "--tag", "v1").status == 73)
    #expect(try work.dtm("tag", "-d", "nosuch").status == 66)
    #expect(try work.good("show", "v1", "--json").json().id() == ids[0])
    #expect(try work.log().count == 2, "a refused tag makes no snapshot")
  }

  @Test(arguments: ["HEAD", "WORKING", "@", "a~1", "a^", "with space", "-x", ""])
  func `names that would mean something else are refused`(_ name: String) throws {
    #expect(try work.dtm("tag", "--", name).status == 64)
    #expect(try list("tag").isEmpty)
  }
}
