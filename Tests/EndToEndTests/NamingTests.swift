import DTMSystem
import Testing

/// log, show, and how snapshots are named.
@Suite(.needsPrograms) struct `Snapshots` {
  let work: Workspace
  /// Oldest first; taken at 10:00 on 1, 2 and 3 January 2026.
  let ids: [String]

  init() throws {
    work = try Workspace()
    try work.good("init", "--no-first-snapshot")
    var ids: [String] = []
    for day in 1...3 {
      try work.write("a.csv", "\(day)\n")
      let time = "2026-01-0\(day)T10:00:00Z"
      ids.append(try work.snapshot("--time", time, "-m", "day \(day)").id())
    }
    self.ids = ids
  }

  private func shown(_ name: String) throws -> String {
    try work.good("show", name, "--json").json().id()
  }

  @Test func `log lists them, newest first`() throws {
    let log = try work.log()
    #expect(try log.map { try $0.id() } == ids.reversed())
    #expect(log.map { $0["message"]?.string } == ["day 3", "day 2", "day 1"])
    let parents = log.map { $0["parent"]?.string }
    #expect(parents == [ids[1], ids[0], nil])
  }

  @Test func `log stops after so many`() throws {
    #expect(try work.good("log", "-n", "2", "--json").json().array?.count == 2)
    #expect(try work.good("log", "-n", "1").text.contains(ids[2].prefix(8)))
    #expect(try !work.good("log", "-n", "1").text.contains(ids[1].prefix(8)))
  }

  @Test func `log --oneline has one line each`() throws {
    let lines = try work.good("log", "--oneline").text.split(separator: "\n")
    #expect(lines.count == 3)
    for (line, id) in zip(lines, ids.reversed()) { #expect(line.contains(id.prefix(8))) }
  }

  @Test func `log takes a period`() throws {
    let since = try work.good("log", "--since", "2026-01-02T00:00:00Z", "--json").json()
    #expect(since.array?.count == 2)
    let until = try work.good("log", "--until", "2026-01-02T00:00:00Z", "--json").json()
    #expect(until.array?.count == 1)
  }

  @Test func `show has the keys that log has, and takes HEAD by default`() throws {
    let shown = try work.good("show", "--json").json()
    #expect(try shown.id() == ids[2])
    #expect(shown.keys == (try #require(try work.log().first)).keys)
    #expect(try work.good("show").text.contains("day 3"))
  }

  @Test(arguments: [
    ("HEAD", 2), ("@", 2), ("HEAD^", 1), ("HEAD~1", 1), ("@~1", 1), ("@^", 1), ("HEAD~2", 0),
    ("HEAD^^", 0), ("main", 2), ("main~1", 1), ("@{2026-01-01T10:00:00Z}", 0),
    ("@{2026-01-01T23:59:59Z}", 0), ("@{2026-01-02T09:59:59Z}", 0), ("@{2026-01-02T10:00}", 1),
    ("@{2026-01-02T12:00:00+01:00}", 1), ("@{2026-01-02T10:30:00+01:00}", 0),
    ("@{1h}", 2), ("@{1h ago}", 2), ("@{yesterday}", 2),
  ])
  func `are named in every form of the contract`(_ name: String, _ index: Int) throws {
    #expect(try shown(name) == ids[index])
  }

  @Test func `are named by their id, by a prefix of it, and by a tag`() throws {
    #expect(try shown(ids[1]) == ids[1])
    #expect(try shown(String(ids[1].prefix(16))) == ids[1])
    #expect(try shown(String(ids[0].prefix(8))) == ids[0])
    try work.good("tag", "good-one", ids[0])
    #expect(try shown("good-one") == ids[0])
    #expect(try shown("good-one") == shown("HEAD~2"))
  }

  @Test func `the state of two hours ago is the newest snapshot no later than that`() throws {
    let fresh = try Workspace()
    try fresh.good("init", "--no-first-snapshot")
    let now = SystemTimeSource().now()
    var ids: [String] = []
    for hours in [5, 3, 1] {
      try fresh.write("a", "\(hours)")
      let time = now.advanced(by: .seconds(-hours * 3600)).rfc3339
      ids.append(try fresh.snapshot("--time", time).id())
    }
    #expect(try fresh.good("show", "@{2h}", "--json").json().id() == ids[1])
    #expect(try fresh.good("show", "@{4h ago}", "--json").json().id() == ids[0])
    #expect(try fresh.dtm("show", "@{7h}").status == 66)
  }

  @Test(arguments: [
    "nosuch", "HEAD~3", "ffffffffffffffff", "@{2025-12-31T10:00:00Z}", "main~99",
  ])
  func `that do not exist are status 66`(_ name: String) throws {
    let outcome = try work.dtm("show", name)
    #expect(outcome.status == 66)
    #expect(outcome.errorText.contains(name))
    #expect(outcome.output.isEmpty)
  }

  @Test func `that a prefix names twice are status 64, with the candidates`() throws {
    // Among 700 ids two begin with the same 4 digits in all but 1 of 40 cases.
    var seen: [Substring: String] = Dictionary(
      ids.map { ($0.prefix(4), $0) }, uniquingKeysWith: { first, _ in first })
    for number in 0..<700 {
      try work.write("a.csv", "\(number)\n")
      let id = try work.snapshot().id()
      if let other = seen[id.prefix(4)] {
        let outcome = try work.dtm("show", String(id.prefix(4)))
        #expect(outcome.status == 64)
        #expect(outcome.errorText.contains(id.prefix(8)))
        #expect(outcome.errorText.contains(other.prefix(8)))
        #expect(try shown(String(id.prefix(16))) == id)
        return
      }
      seen[id.prefix(4)] = id
    }
    print("no two ids began alike")
  }
}
