import DTMCommands
import DTMSystem
import DTMTestSupport
import Testing

/// `dtm prune` and `dtm forget`: what they take away is not listed, is there, and comes back.
@Suite struct PruneTests {
  private func withHistory(
    _ count: Int, _ body: (inout CommandFixture, [String]) throws -> Void
  ) throws {
    try withFixture { fixture in
      try fixture.good("init", "--no-first-snapshot")
      var ids: [String] = []
      for number in 0..<count {
        try fixture.write("f", "state \(number)")
        ids.append(try fixture.snapshot("-m", "number \(number)"))
      }
      try body(&fixture, ids)
    }
  }

  private func listed(_ fixture: CommandFixture, _ options: String...) throws -> [String] {
    let outcome = fixture.run(["log", "--json"] + options)
    return try #require(outcome.json().array).compactMap { $0["id"]?.string }
  }

  private func ids(_ node: JSONNode?) -> [String] {
    node?.array?.compactMap { $0["id"]?.string } ?? []
  }

  @Test func `what no rule keeps is not listed, can be restored, and comes back`() throws {
    try withHistory(5) { fixture, all in
      let answer = try fixture.good("prune", "--keep-last", "2", "--json").json()
      #expect(ids(answer["kept"]) == [all[4], all[3]])
      #expect(ids(answer["pruned"]) == [all[2], all[1], all[0]])
      #expect(answer["freedBytes"]?.int == 0)
      #expect(try listed(fixture) == [all[4], all[3]])
      #expect(try listed(fixture, "--all") == [all[4], all[3]])
      #expect(fixture.dtm("show", "HEAD~2").status == .notFound)
      try fixture.good("restore", "--at", all[1])
      #expect(try fixture.read("f") == "state 1")
      try fixture.good("undo")
      // Of all that is left nothing goes a second time.
      let again = try fixture.good("prune", "--keep-last", "50", "--json").json()
      #expect(ids(again["pruned"]).isEmpty)
      try fixture.good("verify", "--all", "--read-data")
      let operations = try fixture.good("operations", "--json").json().array
      let pruning = try #require(operations?.first { $0["kind"]?.string == "prune" }?["id"]?.int)
      try fixture.good("undo", String(pruning))
      #expect(Set(try listed(fixture)).isSuperset(of: all))
      try fixture.good("redo", String(pruning))
      #expect(Set(try listed(fixture)).isDisjoint(with: all[..<3]))
    }
  }

  @Test func `branches, tags and pins stay, and say so`() throws {
    try withHistory(6) { fixture, all in
      try fixture.good("tag", "good", all[0])
      try fixture.good("pin", all[2])
      try fixture.good("branch", "side", all[3])
      let answer = try fixture.good("prune", "--keep-last", "1", "--json").json()
      let reasons = Dictionary(
        uniqueKeysWithValues: (answer["kept"]?.array ?? []).map { node in
          (node["id"]?.string ?? "", node["reasons"]?.array?.compactMap(\.string) ?? [])
        })
      #expect(reasons[all[5]] == ["the newest of main", "last 1 of 1"])
      #expect(reasons[all[3]] == ["the newest of side", "last 1 of 1"])
      #expect(reasons[all[2]] == ["pinned"])
      #expect(reasons[all[0]] == ["tagged good"])
      #expect(ids(answer["pruned"]) == [all[4], all[1]])
      #expect(try listed(fixture) == [all[5], all[3], all[2], all[0]])
    }
  }

  @Test func `a dry run changes nothing, and explains`() throws {
    try withHistory(3) { fixture, all in
      let text = try fixture.good("prune", "--keep-last", "1", "--dry-run", "--explain").output
      let lines = text.split(separator: "\n")
      #expect(lines.count == 4)
      #expect(lines[0].hasPrefix(all[2].prefix(8)) && lines[0].contains("stays"))
      #expect(lines[1].contains("goes") && lines[1].contains("no rule keeps it"))
      #expect(lines[3] == "would take away 2 snapshots, 1 stay; nothing was changed")
      #expect(try listed(fixture).count == 3)
      #expect(try fixture.good("prune").output == "nothing to take away: all 3 stay\n")
      #expect(
        try fixture.good("prune", "--keep-last", "1", "-q").output == "\(all[1])\n\(all[0])\n")
    }
  }

  @Test func `rules that keep nothing are refused`() throws {
    try withHistory(2) { fixture, _ in
      for arguments in [
        ["--keep-last", "0"], ["--keep-daily", "-1"], ["--keep-within", "never"], ["--keep-all"],
      ] {
        #expect(fixture.run(["prune"] + arguments).status == .usage, "\(arguments)")
      }
      let left = try listed(fixture)
      #expect(left.count == 2)
    }
  }

  @Test func `single snapshots are forgotten, but none that is held`() throws {
    try withHistory(5) { fixture, all in
      try fixture.good("pin", all[1])
      try fixture.good("tag", "t", all[2])
      for (name, word) in [(all[4], "newest"), (all[1], "pinned"), (all[2], "tagged")] {
        let outcome = fixture.dtm("forget", all[0], name)
        #expect(outcome.status == .usage)
        #expect(outcome.errors.contains(word), "\(outcome.errors)")
      }
      #expect(fixture.dtm("forget", "nowhere").status == .notFound)
      #expect(try listed(fixture).count == 5)
      let text = try fixture.good("forget", all[0], all[3], all[0]).output
      #expect(text == "forgot 2 snapshots; dtm undo brings them back\n")
      #expect(try listed(fixture) == [all[4], all[2], all[1]])
      #expect(try fixture.good("forget", all[0]).output == "nothing to take away\n")
      try fixture.good("undo")
      #expect(try listed(fixture).count == 5)
    }
  }
}
