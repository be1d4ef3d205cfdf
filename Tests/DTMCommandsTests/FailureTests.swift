import DTMCommands
import DTMConfiguration
import DTMControl
import DTMFolder
import DTMRepository
import DTMSystem
import SystemPackage
import Testing

@Suite struct `Failures` {
  @Test(arguments: [
    (FolderError.Code.notFound, CommandStatus.notFound, "notFound"), (.exists, .exists, "exists"),
    (.corrupt, .damaged, "corrupt"), (.busy, .busy, "busy"), (.noSpace, .inputOutput, "noSpace"),
    (.permissionDenied, .permissionDenied, "permissionDenied"),
    (.unsupportedVersion, .configuration, "unsupportedVersion"),
    (.ambiguous, .usage, "ambiguous"), (.conflict, .busy, "conflict"),
    (.invalidInput, .usage, "invalidInput"), (.inputOutput, .inputOutput, "inputOutput"),
    (.needsRecovery, .busy, "needsRecovery"), (.held, .notFound, "held"),
  ])
  func `of a folder have a status and a word`(
    _ code: FolderError.Code, _ status: CommandStatus, _ word: String
  ) {
    let failure = CommandFailure(
      FolderError(code, "what", details: ["why"], hint: "do this"))
    #expect(failure.status == status)
    #expect(failure.code.rawValue == word)
    #expect(failure.message == "what")
    #expect(failure.details == ["why"])
    #expect(failure.hint == "do this")
  }

  @Test(arguments: [
    (RepositoryError.Code.notFound, CommandStatus.notFound), (.exists, .exists),
    (.corrupt, .damaged), (.locked, .busy), (.noSpace, .inputOutput),
    (.permissionDenied, .permissionDenied), (.conflict, .busy), (.invalidInput, .usage),
    (.inputOutput, .inputOutput),
  ])
  func `of a repository have a status`(_ code: RepositoryError.Code, _ status: CommandStatus) {
    #expect(CommandFailure(RepositoryError(code, "what")).status == status)
  }

  @Test(arguments: [
    (ControlError.Code.unavailable, CommandStatus.unavailable), (.timedOut, .busy), (.busy, .busy),
    (.permissionDenied, .permissionDenied), (.notFound, .notFound), (.failed, .inputOutput),
    (.configuration, .configuration), (.invalidInput, .usage),
    (.unsupported, .configuration), (.malformed, .inputOutput),
  ])
  func `of a daemon have a status`(_ code: ControlError.Code, _ status: CommandStatus) {
    #expect(CommandFailure(ControlError(code: code, message: "what")).status == status)
  }

  @Test func `of a configuration name every place`() throws {
    let text = Array("{\"foldres\": [], \"daemon\": 7}".utf8)
    do {
      _ = try Configuration.parse(text, file: "/c.json")
      Issue.record("it was taken")
    } catch {
      let failure = CommandFailure(error)
      #expect(failure.status == .configuration)
      #expect(failure.message.hasPrefix("/c.json:1:"))
      #expect(failure.details.count == 1)
    }
  }

  @Test func `of system calls are told apart`() {
    #expect(CommandFailure(Errno.noSpace, "write x").status == .inputOutput)
    #expect(CommandFailure(Errno.noSpace, "write x").code == .noSpace)
    #expect(CommandFailure(Errno.permissionDenied, "open x").status == .permissionDenied)
    #expect(CommandFailure(Errno.noSuchFileOrDirectory, "open x").status == .notFound)
    #expect(CommandFailure(Errno.ioError, "read x").message.hasPrefix("read x: "))
  }

  @Test func `are lines on standard error, or one JSON object`() throws {
    try withFixture { fixture in
      let outcome = fixture.dtm("log")
      #expect(outcome.status == .notFound)
      #expect(outcome.output.isEmpty)
      let lines = outcome.errors.split(separator: "\n")
      #expect(lines.count == 2)
      #expect(lines.first?.hasPrefix("dtm: error: there is no repository in ") == true)
      #expect(lines.last?.hasPrefix("  hint: dtm init ") == true)
      let json = fixture.dtm("log", "--json")
      #expect(json.status == .notFound)
      let error = try json.error()
      #expect(error["code"]?.string == "notFound")
      #expect(error["hint"]?.string?.hasPrefix("dtm init") == true)
    }
  }

  @Test(arguments: [
    ["nosuchverb"], ["log", "--nosuch"], ["cat"], ["checkout"], ["log", "-n", "many"],
    ["log", "-n", "-1"], ["log", "--all", "--branch", "x"], ["diff", "--stat", "--name-status"],
    ["snapshot", "--rescan", "--full"], ["snapshot", "--label", "novalue"],
    ["restore", "--overwrite"], ["branch", "-d"], ["branch", "-m", "one"],
    ["branch", "a", "b", "c"],
    ["tag", "-d"], ["label", "HEAD"], ["pin"], ["completions", "csh"],
    ["wait", "--timeout", "soon"],
    ["undo", "x"], ["--nosuch"], ["show", "a", "b"], ["protect"], ["unprotect"],
    ["config", "nosuch"], ["log", "--best"], ["diff", "--text"],
    ["restore", "--in-the-place"], ["find"], ["mount", "x"],
  ])
  func `of usage are status 64 and say where help is`(_ arguments: [String]) throws {
    try withFixture { fixture in
      let outcome = fixture.run(arguments)
      #expect(outcome.status == .usage, "\(arguments): \(outcome.output)\(outcome.errors)")
      #expect(outcome.output.isEmpty)
      #expect(outcome.errors.hasPrefix("dtm: error: "))
      #expect(outcome.errors.contains("  hint: "))
      let error = try fixture.run(arguments + ["--json"]).error()
      #expect(error["code"]?.string == "usage")
    }
  }

  @Test func `of an option without its value, or without meaning, are usage too`() throws {
    try withFixture { fixture in
      #expect(fixture.dtm("-C").status == .usage)
      #expect(fixture.dtm("cat", "HEAD", "x", "--json").status == .usage)
      #expect(fixture.dtm("completions", "bash", "--json").status == .usage)
    }
  }

  @Test func `of a command's name suggest the nearest`() throws {
    try withFixture { fixture in
      #expect(fixture.dtm("stauts").errors.contains("dtm status"))
      #expect(fixture.dtm("resore").errors.contains("dtm restore"))
    }
  }

  @Test func `of who reads the output are silent`() throws {
    try withFixture { fixture in
      try fixture.good("init", "--no-first-snapshot")
      let output = MemorySink()
      output.limit = 0
      let errors = MemorySink()
      let lake = fixture.lake
      let invocation = Invocation(
        arguments: ["branch", "--json"], environment: fixture.environment, output: output,
        errors: errors, time: fixture.time, user: ThreadIdentity.processUser
      ) { lake }
      #expect(CommandLineProgram.run(invocation) == .brokenPipe)
      #expect(errors.bytes.isEmpty)
    }
  }
}
