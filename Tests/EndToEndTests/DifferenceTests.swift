import DTMSystem
import Testing

/// status and diff.
@Suite(.needsPrograms) struct `Differences` {
  let work: Workspace

  init() throws {
    work = try Workspace()
    try work.write("a.csv", "1234567890")
    try work.write("raw/b.csv", "b")
    try work.write("c.csv", "a content to be known again")
    try work.shell("ln -s a.csv lake/link")
    try work.good("init")
  }

  private func changes(_ arguments: String...) throws -> [String: JSONNode] {
    let node = try work.start("dtm", ["diff", "--json"] + arguments).finish().json()
    return Dictionary(
      try node.elements("changes").map { ($0["path"]?.string ?? "?", $0) },
      uniquingKeysWith: { first, _ in first })
  }

  @Test func `none are none`() throws {
    let node = try work.good("diff", "--json").json()
    #expect(node["from"]?.string == (try work.log()[0].id()))
    #expect(node["to"]?.string == "WORKING")
    for key in ["added", "modified", "removed", "renamed"] { #expect(node[key]?.int == 0) }
    #expect(try node.elements("changes").isEmpty)
    #expect(try work.dtm("diff", "--exit-code").status == 0)
    #expect(try work.good("status", "--json").json()["changes"]?.array?.isEmpty == true)
  }

  @Test func `are of every kind`() throws {
    try work.write("a.csv", "123456789012")
    try work.write("new.csv", "n")
    try work.shell("rm lake/raw/b.csv; mv lake/c.csv lake/d.csv; ln -sfn raw lake/link")
    let found = try changes()
    #expect(found["a.csv"]?["change"]?.string == "modified")
    #expect(found["a.csv"]?["oldSize"]?.int == 10)
    #expect(found["a.csv"]?["newSize"]?.int == 12)
    #expect(found["a.csv"]?["kind"]?.string == "file")
    #expect(found["a.csv"]?["oldPath"]?.isNull == true)
    #expect(found["new.csv"]?["change"]?.string == "added")
    #expect(found["raw/b.csv"]?["change"]?.string == "removed")
    #expect(found["d.csv"]?["change"]?.string == "renamed")
    #expect(found["d.csv"]?["oldPath"]?.string == "c.csv")
    #expect(found["link"]?["change"]?.string == "modified")
    #expect(found["link"]?["kind"]?.string == "symlink")
    #expect(found["c.csv"] == nil && found["raw"] == nil)
    let node = try work.good("diff", "--json").json()
    #expect(node["added"]?.int == 1)
    #expect(node["modified"]?.int == 2)
    #expect(node["removed"]?.int == 1)
    #expect(node["renamed"]?.int == 1)
    #expect(try work.dtm("diff", "--exit-code").status == 1)
    #expect(try work.dtm("diff").status == 0)
  }

  @Test func `status has the form of diff`() throws {
    try work.write("a.csv", "x")
    let status = try work.good("status", "--json").json()
    #expect(status["to"]?.string == "WORKING")
    #expect(try status.elements("changes").map { $0["path"]?.string } == ["a.csv"])
    #expect(try work.good("status").text.contains("a.csv"))
  }

  @Test func `in mode or time alone are metadata, in a directory's time none`() throws {
    try work.shell("chmod 600 lake/a.csv; touch -d 2001-01-01 lake/c.csv lake/raw")
    let found = try changes()
    #expect(found["a.csv"]?["change"]?.string == "metadata")
    #expect(found["c.csv"]?["change"]?.string == "metadata")
    #expect(found.count == 2)
  }

  @Test func `in kind are type`() throws {
    try work.shell("rm lake/a.csv; mkdir lake/a.csv; rm lake/c.csv; ln -s x lake/c.csv")
    let found = try changes()
    #expect(found["a.csv"]?["change"]?.string == "type")
    #expect(found["c.csv"]?["change"]?.string == "type")
  }

  @Test func `stand between any two snapshots, and beneath paths`() throws {
    let first = try work.log()[0].id()
    try work.write("a.csv", "x")
    try work.write("raw/e.csv", "e")
    let second = try work.snapshot().id()
    try work.write("a.csv", "later")
    #expect(Set(try changes(first, second).keys) == ["a.csv", "raw/e.csv"])
    #expect(try changes(second, first)["raw/e.csv"]?["change"]?.string == "removed")
    #expect(Set(try changes(first, second, "raw").keys) == ["raw/e.csv"])
    #expect(Set(try changes("HEAD").keys) == ["a.csv"])
    #expect(try work.dtm("diff", first, second, "--exit-code", "c.csv").status == 0)
  }

  @Test func `are read by people too`() throws {
    try work.write("a.csv", "x")
    try work.write("new.csv", "n")
    let text = try work.good("diff").text
    #expect(text.contains("a.csv") && text.contains("new.csv"))
    #expect(text.contains("1 modified"))
    #expect(!text.contains("\u{1B}"), "no colours where there is no terminal")
  }
}
