import DTMSystem
import Testing

@Suite(.needsPrograms) struct `dtm snapshot` {
  let work: Workspace

  init() throws {
    work = try Workspace()
    try work.write("a.csv", "1\n")
    try work.write("raw/b.csv", "22\n")
    try work.good("init", "--no-first-snapshot")
  }

  @Test func `prints a snapshot with every key of the contract`() throws {
    let snapshot = try work.snapshot("-m", "first", "--label", "stage=clean", "--tag", "v1")
    _ = try snapshot.id()
    _ = try snapshot.id("tree")
    #expect(snapshot["parent"]?.isNull == true)
    #expect(snapshot["branch"]?.string == "main")
    let time = try #require(snapshot["time"]?.string)
    #expect(time.hasSuffix("Z") && Timestamp(rfc3339: time) != nil)
    #expect(snapshot["basis"]?.string == "scan" || snapshot["basis"]?.string == "full")
    #expect(snapshot["message"]?.string == "first")
    #expect(snapshot["trigger"]?["kind"]?.string == "manual")
    #expect(snapshot["trigger"]?["rules"]?.array?.isEmpty == true)
    #expect(snapshot["labels"]?["stage"]?.string == "clean")
    #expect(try snapshot.elements("tags").map(\.string) == ["v1"])
    #expect(snapshot["pinned"]?.bool == false)
    #expect(snapshot["checks"]?.members?.isEmpty == true)
    #expect(snapshot["host"]?.string?.isEmpty == false)
    #expect(snapshot["user"]?.string?.isEmpty == false)
    #expect(snapshot["files"]?.int == 2)
    #expect(snapshot["bytes"]?.int == 5)
    #expect(snapshot["added"]?.int == 3)  // two files and a directory
    #expect(snapshot["modified"]?.int == 0)
    #expect(snapshot["removed"]?.int == 0)
    #expect(snapshot["storedBytes"]?.int != nil)
    #expect(snapshot["durationSeconds"]?.double != nil)
    #expect(snapshot["complete"]?.bool == true)
    for key in ["hot", "uncovered", "problems"] {
      #expect(try snapshot.elements(key).isEmpty, "\(key)")
    }
    #expect(snapshot["created"]?.bool == true)
  }

  @Test func `counts what changed since its parent`() throws {
    let first = try work.snapshot()
    try work.write("a.csv", "333\n")
    try work.write("new/c.csv", "")
    try work.shell("rm lake/raw/b.csv")
    let second = try work.snapshot()
    #expect(second["parent"]?.string == first["id"]?.string)
    #expect(second["added"]?.int == 2)
    #expect(second["modified"]?.int == 1)
    #expect(second["removed"]?.int == 1)
    #expect(second["files"]?.int == 2)
    #expect(second["bytes"]?.int == 4)
  }

  @Test func `the same tree has the same tree id`() throws {
    let first = try work.snapshot()
    // The folder's own time is part of the tree.
    try work.shell(
      "touch -r lake mark && mv lake/a.csv lake/x && mv lake/x lake/a.csv && touch -r mark lake")
    let second = try work.snapshot()
    #expect(second["id"]?.string != first["id"]?.string)
    #expect(try second.id("tree") == first.id("tree"))
  }

  @Test func `with --if-changed gives the snapshot that is there when nothing changed`() throws {
    let first = try work.snapshot()
    try work.shell("touch -d '2001-01-01' lake/raw")  // a directory's time alone is nothing
    let second = try work.snapshot("--if-changed")
    #expect(second["created"]?.bool == false)
    #expect(second["id"]?.string == first["id"]?.string)
    try work.write("a.csv", "2\n")
    let third = try work.snapshot("--if-changed")
    #expect(third["created"]?.bool == true)
    #expect(try work.log().count == 2)
  }

  @Test func `says what it is based on`() throws {
    try work.snapshot()
    #expect(try work.snapshot("--rescan")["basis"]?.string == "scan")
    #expect(try work.snapshot("--full")["basis"]?.string == "full")
    #expect(try work.snapshot()["basis"]?.string == "scan")
  }

  @Test func `records another time`() throws {
    let snapshot = try work.snapshot("--time", "2026-01-02T03:04:05Z")
    #expect(snapshot["time"]?.string == "2026-01-02T03:04:05.000000Z")
  }

  @Test func `prints the beginning of the id for people`() throws {
    let outcome = try work.good("snapshot")
    let id = try #require(try work.log().first).id()
    #expect(outcome.text.contains(id.prefix(8)))
    #expect(outcome.errors.isEmpty)
  }

  @Test func `captures an empty folder`() throws {
    try work.shell("rm -r lake/a.csv lake/raw")
    let snapshot = try work.snapshot()
    #expect(snapshot["files"]?.int == 0)
    #expect(snapshot["complete"]?.bool == true)
  }

  @Test func `a change that keeps size and time is found`() throws {
    try work.snapshot()
    // The same length, the same mtime: only the change time tells.
    try work.shell("touch -r lake/a.csv t && echo 2 >lake/a.csv && touch -r t lake/a.csv")
    try work.snapshot()
    #expect(try work.good("cat", "HEAD", "a.csv").text == "2\n")
  }

  @Test func `a special file is never silently dropped`() throws {
    try work.shell("mkfifo lake/pipe")
    let outcome = try work.dtm("snapshot", "--json")
    let snapshot = try outcome.json()
    let problems = try snapshot.elements("problems")
    if problems.isEmpty {
      #expect(outcome.status == 0)
      let listed = try work.good("ls", "HEAD", "--json").json().array ?? []
      #expect(listed.contains { $0["path"]?.string == "pipe" && $0["kind"]?.string == "other" })
    } else {
      #expect(outcome.status == 3)
      #expect(problems.first?["path"]?.string == "pipe")
      #expect(problems.first?["kind"]?.string == "unsupported")
      #expect(problems.first?["detail"]?.string?.isEmpty == false)
    }
  }

  @Test func `a file that may not be read is a problem and keeps its last content`() throws {
    let own = try Workspace()
    try own.becomeOrdinaryUser()
    try own.shell("echo secret >lake/a.csv && chown --reference=lake lake/a.csv")
    try own.good("init")
    try own.shell("chmod 0 lake/a.csv")
    let outcome = try own.dtm("snapshot", "--full", "--json")
    #expect(outcome.status == 3)
    let snapshot = try outcome.json()
    #expect(snapshot["complete"]?.bool == false)
    #expect(snapshot["removed"]?.int == 0)
    let problem = try #require(try snapshot.elements("problems").first)
    #expect(problem["path"]?.string == "a.csv")
    #expect(problem["kind"]?.string == "unreadable")
    #expect(try own.good("cat", "HEAD", "a.csv").text == "secret\n")
  }

  @Test func `ignored paths are left out`() throws {
    try work.write(".dtmignore", "*.tmp\nscratch/\n!keep.tmp\n")
    try work.write("a.tmp", "x")
    try work.write("keep.tmp", "x")
    try work.write("scratch/b", "x")
    try work.snapshot()
    let paths = try work.good("ls", "HEAD", "-R", "--json").json().array?.map { $0["path"]?.string }
    #expect(paths?.contains("a.tmp") == false)
    #expect(paths?.contains("scratch") == false)
    #expect(paths?.contains("keep.tmp") == true)
    #expect(paths?.contains(".dtmignore") == true)
    #expect(paths?.contains(".dtm") == false)
  }

  @Test func `names that are not UTF-8 are kept, shown escaped, and base64 in JSON`() throws {
    try Files.write(Array((work.lake + "/n").utf8) + [0xFF, 0x0A], Array("x".utf8))
    try work.snapshot()
    let listed = try work.good("ls", "HEAD", "--json").json().array ?? []
    let bytes = listed.compactMap { $0["path"]?["base64"]?.string }
    #expect(bytes == ["bv8K"])
    #expect(try work.good("ls", "HEAD").text.contains(#"n\xff\n"#))
    try work.shell("rm lake/n*")
    try work.good("restore")
    #expect(try work.shell("ls -b lake | grep '^n'").contains(#"n\377\n"#))
  }

  @Test func `wrong usage is status 64 and makes no snapshot`() throws {
    #expect(try work.dtm("snapshot", "--label", "novalue").status == 64)
    #expect(try work.dtm("snapshot", "--no-such-option").status == 64)
    #expect(try work.dtm("snapshot", "--time", "soon").status == 64)
    #expect(try work.log().isEmpty)
  }
}
