import DTMCommands
import DTMSystem
import Testing

@Suite struct `Help` {
  static let verbs = [
    "init", "snapshot", "protect", "unprotect", "wait", "pause", "resume", "watch", "status", "log",
    "show", "diff", "ls",
    "cat",
    "restore", "checkout", "undo", "redo", "operations", "export", "import", "branch", "tag",
    "label", "pin", "unpin",
    "run", "stage", "runs", "bisect", "find", "check", "guard", "doctor", "verify", "repair",
    "prune",
    "forget", "config", "completions",
  ]

  @Test func `of the program lists the commands by what they are for`() throws {
    try withFixture { fixture in
      let outcome = try fixture.good("--help", in: "")
      #expect(outcome.errors.isEmpty)
      try GoldenFile.expect(outcome.output, is: "help.txt")
      for verb in Self.verbs { #expect(outcome.output.contains("  \(verb) "), "\(verb)") }
      #expect(try fixture.good(in: "").output == outcome.output, "dtm alone shows it too")
    }
  }

  @Test(arguments: verbs) func `of each command is as it was agreed`(_ verb: String) throws {
    try withFixture { fixture in
      let outcome = try fixture.good(verb, "--help", in: "")
      #expect(outcome.errors.isEmpty)
      try GoldenFile.expect(outcome.output, is: "help-\(verb).txt")
      // The house style has no full stop; two lines are the parser's own.
      for line in outcome.output.split(separator: "\n") where line.hasPrefix("  -") {
        let isOurs = !line.hasPrefix("  --version") && !line.hasPrefix("  -h, --help")
        #expect(!isOurs || !line.hasSuffix("."), "\(line)")
      }
    }
  }

  @Test func `and the version need no folder`() throws {
    try withFixture { fixture in
      #expect(try fixture.good("--version", in: "").output.hasPrefix("dtm 0."))
      let help = try fixture.good("help", "log", in: "")
      #expect(try fixture.good("log", "--help", in: "").output == help.output)
    }
  }
}
