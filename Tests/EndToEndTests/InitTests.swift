import DTMSystem
import Testing

@Suite(.needsPrograms) struct `dtm init` {
  let work: Workspace

  init() throws { work = try Workspace() }

  @Test func `makes a private repository inside and takes the first snapshot`() throws {
    try work.write("a.csv", "1\n")
    let made = try work.good("init", "--json").json()
    #expect(made["folder"]?.string == work.lake)
    #expect(made["repository"]?.string == work.file(".dtm"))
    #expect(made["id"]?.string?.isEmpty == false)
    #expect(made["created"]?.bool == true)
    #expect(try Files.mode(work.file(".dtm")) == 0o700)
    let log = try work.log()
    #expect(log.count == 1)
    #expect(log.first?["files"]?.int == 1)
  }

  @Test func `takes no first snapshot when told so`() throws {
    try work.good("init", "--no-first-snapshot")
    #expect(try work.log().isEmpty)
    #expect(try work.dtm("show", "HEAD").status == 66)
  }

  @Test func `makes nothing where the daemon's configuration is wrong`() throws {
    try work.write("a.csv", "1\n")
    work.environment["DTM_CONFIG"] = work.path("dtmd.json")
    try Files.write(work.path("dtmd.json"), Array(#"{"folder": []}"#.utf8))
    let outcome = try work.dtm("init", "--repository", work.path("repository"))
    #expect(outcome.status == 78)
    #expect(!Files.exists(work.path("repository")) && !Files.exists(work.lake + "/.dtm"))
    try work.good("init", "--repository", work.path("repository"), "--no-first-snapshot")
  }

  @Test func `says in a folder that has a repository that it is there`() throws {
    let first = try work.good("init", "--json").json()
    let second = try work.good("init", "--json").json()
    #expect(second["created"]?.bool == false)
    #expect(second["id"]?.string == first["id"]?.string)
    #expect(try work.log().count == 1)
  }

  @Test func `refuses other options than the repository has`() throws {
    try work.good("init")
    #expect(try work.dtm("init", "--repository", work.path("other")).status == 73)
    #expect(!Files.exists(work.path("other/format.json")))
  }

  @Test func `puts the repository elsewhere and leaves a file that names it`() throws {
    try work.write("a.csv", "1\n")
    let made = try work.good("init", "--repository", work.path("elsewhere"), "--json").json()
    #expect(made["repository"]?.string == work.path("elsewhere"))
    let mark = try JSONNode(parsing: try Files.read(work.file(".dtm")))
    #expect(mark["repository"]?.string == work.path("elsewhere"))
    #expect(mark["folder"]?.string?.isEmpty == false)
    #expect(Files.exists(work.path("elsewhere/format.json")))
    #expect(try work.log().count == 1)
    #expect(try work.good("ls", "--json").json().array?.count == 1)
  }

  @Test func `a copy of a folder whose repository lies elsewhere is refused`() throws {
    try work.write("a.csv", "1\n")
    try work.good("init", "--repository", work.path("elsewhere"))
    try work.shell("cp -a lake copy")
    let outcome = try work.dtm("snapshot", in: work.path("copy"))
    #expect(outcome.status != 0)
    #expect(outcome.errorText.hasPrefix("dtm: error: "))
    #expect(try work.log().count == 1)
  }

  @Test func `the repository of the nearest ancestor is found`() throws {
    try work.write("raw/2026/a.csv", "1\n")
    try work.good("init")
    let inside = try work.good("log", "--json", in: work.file("raw/2026")).json()
    #expect(inside.array?.count == 1)
    let nested = try work.good("-C", work.lake, "log", "--json", in: work.root).json()
    #expect(nested.array?.count == 1)
    let long = try work.good("--folder", work.lake, "log", "--json", in: work.root).json()
    #expect(long.array?.count == 1)
    work.environment["DTM_FOLDER"] = work.lake
    #expect(try work.good("log", "--json", in: work.root).json().array?.count == 1)
  }

  @Test func `paths are relative to the working directory, printed ones to the folder`() throws {
    try work.write("raw/a.csv", "one\n")
    try work.write("a.csv", "two\n")
    try work.good("init")
    #expect(try work.good("cat", "HEAD", "a.csv", in: work.file("raw")).text == "one\n")
    #expect(try work.good("cat", "HEAD", "../a.csv", in: work.file("raw")).text == "two\n")
    #expect(try work.good("-C", "lake", "cat", "HEAD", "raw/a.csv", in: work.root).text == "one\n")
    let listed = try work.good("ls", "HEAD", "a.csv", "--json", in: work.file("raw")).json()
    #expect(listed.array?.first?["path"]?.string == "raw/a.csv")
  }
}
