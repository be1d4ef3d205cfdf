import DTMSystem
import Testing

/// Finding the good version.
@Suite(.needsPrograms) struct `Looking for a version` {
  let work: Workspace

  init() throws {
    work = try Workspace()
    try work.write("orders.csv", "1\n")
    try work.good("init", "--no-first-snapshot")
  }

  /// Twelve snapshots; from `firstBad` on the number in the file is negative.
  private func history(firstBad: Int) throws -> [String] {
    try (1...12).map { number in
      try work.write("orders.csv", "\(number >= firstBad ? -number : number)\n")
      return try work.snapshot("-m", "\(number)").id()
    }
  }

  @Test(arguments: [2, 3, 7, 12])
  func `bisect finds the first bad snapshot, and leaves the folder alone`(_ firstBad: Int) throws {
    let ids = try history(firstBad: firstBad)
    try work.write("orders.csv", "now\n")
    let outcome = try work.dtm(
      "bisect", "--good", ids[0], "--bad", ids[11], "--json", "--", "sh", "-c",
      "pwd >>\(work.path("places")); echo noise; touch new; ! grep -q - orders.csv")
    #expect(outcome.status == 0, "\(outcome.errorText)")
    let found = try outcome.json()
    #expect(found["firstBad"]?.string == ids[firstBad - 1])
    #expect(found["lastGood"]?.string == ids[firstBad - 2])
    #expect(try found.elements("tested").count <= 4)
    #expect(outcome.errorText.contains("noise"))
    #expect(try work.read("orders.csv") == "now\n")
    #expect(!work.exists("new"))
    let places = try work.shell("sort -u places").split(separator: "\n")
    for place in places { #expect(!Files.exists(String(place)), "\(place) is left") }
  }

  @Test func `bisect says what could not be told, and refuses what makes no sense`() throws {
    let ids = try history(firstBad: 5)
    let skips =
      "n=$(tr -d - <orders.csv); case $n in 4|5|6) exit 125;; esac; ! grep -q - orders.csv"
    let outcome = try work.dtm(
      "bisect", "--good", ids[0], "--bad", ids[11], "--json", "--", "sh", "-c", skips)
    #expect(outcome.status == 1)
    let found = try outcome.json()
    #expect(found["firstBad"]?.isNull == true)
    #expect(try found.elements("suspects").map(\.string) == [ids[3], ids[4], ids[5], ids[6]])
    let arguments = ["--", "true"]
    #expect(
      try work.start("dtm", ["bisect", "--good", ids[11], "--bad", ids[0]] + arguments).finish()
        .status == 64)
    #expect(
      try work.start("dtm", ["bisect", "--good", ids[0], "--bad", ids[0]] + arguments).finish()
        .status == 64)
    #expect(try work.dtm("bisect", "--good", ids[0], "--bad", ids[1]).status == 64)
    let dead = try work.dtm(
      "bisect", "--good", ids[0], "--bad", ids[11], "--", "sh", "-c", "kill -9 $$")
    #expect(dead.status == 74)
  }

  @Test func `find lists the versions of what fits`() throws {
    try work.write("raw/a.csv", "a1\n")
    let first = try work.snapshot().id()
    try work.write("raw/a.csv", "a22\n")
    try work.write("b.txt", "b\n")
    let second = try work.snapshot().id()
    // Times alone make no version.
    try work.shell("touch -d 2020-01-01 lake/raw/a.csv; chmod 600 lake/raw/a.csv")
    try work.snapshot()
    try work.shell("rm lake/raw/a.csv")
    let last = try work.snapshot()
    let found = try #require(try work.good("find", "*.csv", "--json").json().array)
    #expect(found.map { $0["path"]?.string } == ["orders.csv", "raw/a.csv"])
    #expect(try found[0].elements("versions").count == 1)
    #expect(try found[0].elements("versions")[0]["to"]?.isNull == true)
    let versions = try found[1].elements("versions")
    #expect(versions.map { $0["id"]?.string } == [first, second])
    #expect(versions.map { $0["size"]?.int } == [3, 4])
    #expect(versions[0]["to"]?.string == versions[1]["from"]?.string)
    #expect(versions[1]["to"]?.string == last["time"]?.string)
    #expect(try work.good("find", "raw/a.csv", "-q").text == "raw/a.csv\n")
    #expect(try work.dtm("find", "nothing").status == 1)
    #expect(try work.dtm("find", "!x").status == 64)
    #expect(try work.dtm("find").status == 64)
  }

  @Test func `find looks at other branches where it is to`() throws {
    try work.snapshot()
    try work.good("checkout", "-b", "side")
    try work.write("side.csv", "s\n")
    let side = try work.snapshot().id()
    try work.good("checkout", "main")
    #expect(try work.dtm("find", "side.csv").status == 1)
    let found = try #require(try work.good("find", "side.csv", "--all", "--json").json().array)
    #expect(try found[0].elements("versions").map { $0["id"]?.string } == [side])
  }

  @Test func `runs have a line each, with their stages and snapshots`() throws {
    try work.good("stage", "begin", "load", "--run-id", "7")
    try work.good("stage", "fail", "load", "--run-id", "7")
    try work.good("stage", "begin", "load", "--run-id", "7")
    try work.good("stage", "end", "load", "--run-id", "7")
    try work.good("stage", "begin", "clean", "--run-id", "7")
    #expect(try work.dtm("run", "--label", "run_id=8", "--", "false").status == 1)
    let runs = try #require(try work.good("runs", "--json").json().array)
    #expect(runs.map { $0["runId"]?.string } == ["8", "7"])
    #expect(runs.map { $0["outcome"]?.string } == ["failed", "running"])
    let stages = try runs[1].elements("stages")
    #expect(stages.map { $0["stage"]?.string } == ["load", "load", "clean"])
    #expect(stages.map { $0["attempt"]?.int } == [1, 2, 1])
    #expect(stages.map { $0["outcome"]?.string } == ["failed", "ok", "running"])
    let log = try work.log()
    #expect(runs[0]["before"]?.string == (try log[1].id()))
    #expect(runs[0]["after"]?.string == (try log[0].id()))
    try work.good("stage", "end", "clean")
    #expect(try work.good("runs", "-n", "2").text.contains("load failed, load (2) ok, clean ok"))
    #expect(try work.good("runs", "-q").text == "8\n7\n")
    #expect(try work.good("log", "--stage", "load", "-q").text.split(separator: "\n").count == 4)
    #expect(try work.good("log", "--run", "8", "-q").text.split(separator: "\n").count == 2)
    #expect(try work.good("log", "--flagged", "-q").text.split(separator: "\n").count == 2)
  }
}
