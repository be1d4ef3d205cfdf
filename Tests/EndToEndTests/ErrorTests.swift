import DTMSystem
import Glibc
import Testing

/// What the programs say when something is wrong, and what they never do.
@Suite(.needsPrograms) struct `Errors` {
  let work: Workspace

  init() throws { work = try Workspace() }

  @Test func `have up to three lines: what, why, what to do`() throws {
    try work.good("init")
    for arguments in [["show", "nosuch"], ["cat", "HEAD", "nosuch"], ["checkout", "nosuch"]] {
      let outcome = try work.start("dtm", arguments).finish()
      let lines = outcome.errorText.split(separator: "\n")
      #expect((1...3).contains(lines.count), "\(outcome.errorText)")
      #expect(lines.first?.hasPrefix("dtm: error: ") == true)
      #expect(lines.first?.contains("nosuch") == true)
      for line in lines.dropFirst() { #expect(line.hasPrefix("  ")) }
      #expect(outcome.output.isEmpty)
    }
  }

  @Test func `are an object on standard error with --json`() throws {
    try work.good("init")
    let outcome = try work.dtm("show", "nosuch", "--json")
    #expect(outcome.status == 66)
    #expect(outcome.output.isEmpty)
    let error = try outcome.jsonError()
    #expect(error["code"]?.string?.isEmpty == false)
    #expect(error["message"]?.string?.contains("nosuch") == true)
    #expect(error.keys.contains("hint"))
  }

  @Test func `of a word or an option in the wrong place say what is right`() throws {
    #expect(try work.dtm("snapshto").errorText.contains("did you mean dtm snapshot?"))
    let outcome = try work.dtm("-v", "--json", "status")
    #expect(outcome.status == 64)
    #expect(
      try outcome.jsonError()["hint"]?.string == "only -C does: dtm status -v --json")
  }

  @Test func `of a folder that is named behind the command are no work on another one`() throws {
    try work.good("init")
    for option in [["-C", "other"], ["--folder", "other"], ["--folder=other"]] {
      for verb in [["snapshot"], ["tag", "create", "a"], ["restore", "HEAD"]] {
        let outcome = try work.start("dtm", verb + option).finish()
        #expect(outcome.status == 64)
        #expect(
          outcome.errorText.contains("it stands before the command: dtm -C other COMMAND"),
          "\(outcome.errorText)")
      }
    }
  }

  @Test func `of a restore into what dtm keeps leave it alone`() throws {
    try work.write("a", "1\n")
    try work.good("init")
    try work.shell("ln -s lake/.dtm/packs packs")
    let before = try Files.listing(work.file(".dtm"))
    for place in [
      ".dtm/out", ".dtm", "b/../.dtm/packs/out", work.file(".dtm") + "/out", "../packs",
      "../packs/out",
    ] {
      let outcome = try work.dtm("restore", "HEAD", "--to", place)
      #expect(outcome.status == 64, "\(place): \(outcome.errorText)")
      #expect(outcome.errorText.contains("is in a repository"), "\(outcome.errorText)")
    }
    #expect(try Files.listing(work.file(".dtm")) == before)
    try work.good("restore", "HEAD", "--to", "b")
    // One that lies elsewhere, named by a link.
    try work.shell("mkdir other real; ln -s real link; echo 1 >other/a")
    let repository = work.path("link") + "/store"
    try work.good("init", work.path("other"), "--repository", repository)
    let outcome = try work.dtm(
      "restore", "HEAD", "--to", work.path("real") + "/store/out", in: work.path("other"))
    #expect(outcome.status == 64, "\(outcome.errorText)")
  }

  @Test(arguments: [
    ["restore", ""], ["restore", "HEAD", ""], ["cat", "HEAD", ""], ["show", ""], ["checkout", ""],
    ["log", "--path", ""], ["log", "--trigger", "quite"],
  ])
  func `of an empty word, or of one that can't be, say what it is`(_ arguments: [String]) throws {
    try work.write("a", "1\n")
    try work.good("init")
    try work.write("a", "2\n")
    let outcome = try work.start("dtm", arguments).finish()
    #expect(outcome.status == 64)
    #expect(outcome.errorText.contains("is empty") || outcome.errorText.contains("quiet?"))
    #expect(try Files.read(work.file("a")) == Array("2\n".utf8))
  }

  @Test func `outside of any folder are status 66 and say what to do`() throws {
    let outcome = try work.dtm("log", in: work.path("home"))
    #expect(outcome.status == 66)
    #expect(outcome.errorText.contains("  hint: "))
    #expect(try work.dtm("-C", work.path("nosuch"), "log").status == 66)
  }

  @Test(arguments: [
    ["nosuchverb"], ["log", "--nosuch"], ["cat"], ["checkout"], ["log", "-n", "many"],
  ])
  func `of usage are status 64`(_ arguments: [String]) throws {
    try work.good("init")
    let outcome = try work.start("dtm", arguments).finish()
    #expect(outcome.status == 64)
    #expect(outcome.output.isEmpty)
    #expect(!outcome.errors.isEmpty)
  }

  @Test func `of a repository that belongs to neither the caller nor root are refused`() throws {
    try work.good("init")
    try work.becomeOrdinaryUser()
    try work.shell("chown -R 12345 lake/.dtm 2>/dev/null || true; chmod -R a+rX lake/.dtm")
    let owner = try Files.status(work.file(".dtm")).st_uid
    guard owner == 12345 else {
      print("SKIPPED: a repository of somebody else is refused: only root can make one")
      return
    }
    #expect(try work.dtm("log").status == 77)
  }

  @Test func `versions and help are on standard output`() throws {
    for program in ["dtm", "dtmd"] {
      let version = try work.start(program, ["--version"]).finish()
      #expect(version.status == 0)
      #expect(version.text.contains { $0.isNumber })
      #expect(version.errors.isEmpty)
      let help = try work.start(program, ["--help"]).finish()
      #expect(help.status == 0)
      #expect(help.text.contains("USAGE"))
    }
  }

  @Test func `colours and progress are for terminals`() throws {
    try work.write("a.csv", "1\n")
    try work.good("init")
    try work.write("a.csv", "2\n")
    for arguments in [["snapshot"], ["log"], ["status"], ["diff", "HEAD~1", "HEAD"], ["ls"]] {
      let outcome = try work.start("dtm", arguments).finish()
      #expect(outcome.status == 0)
      #expect(!outcome.output.contains(0x1B))
      #expect(outcome.errors.isEmpty, "\(arguments): \(outcome.errorText)")
    }
  }
}
