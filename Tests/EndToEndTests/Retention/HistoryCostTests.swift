import DTMSystem
import Testing

/// What a long history costs to look at: system calls, which no other work on the machine changes.
@Suite(.needsPrograms) struct `A long history` {
  private func calls(_ work: Workspace, _ arguments: [String]) throws -> Int? {
    let command =
      [
        "strace", "-f", "-q", "-c", "-o", work.path("calls"),
      ] + work.command("dtm", arguments)
    let outcome = try ChildProcess(command, in: work.lake, environment: work.environment).finish()
    #expect(outcome.status == 0, "\(outcome.errorText)")
    let text = String(decoding: try Files.read(work.path("calls")), as: UTF8.self)
    let total = text.split(separator: "\n").last { $0.hasSuffix("total") }
    // The errors' column is empty where there are none.
    return total.flatMap { line in
      let words = line.split(separator: " ", omittingEmptySubsequences: true)
      return words.count > 3 ? Int(words[3]) : nil
    }
  }

  @Test func `a snapshot more in the history is one read more`() throws {
    let work = try Workspace()
    try work.write("a", "first\n")
    try work.good("init", "--no-first-snapshot")
    let commands = [
      ["log", "--oneline"], ["prune", "--dry-run", "--explain", "--keep-last", "5"],
    ]
    func take(_ numbers: Range<Int>) throws {
      for number in numbers {
        try work.write("a", "number \(number)\n")
        try work.good("snapshot", "-q")
      }
    }
    try take(0..<10)
    let few = try commands.map { try calls(work, $0) }
    try take(10..<60)
    let many = try commands.map { try calls(work, $0) }
    for (command, (few, many)) in zip(commands, zip(few, many)) {
      guard let few, let many else {
        print("SKIPPED: what a long history costs: strace can't run a program here")
        return
      }
      print("dtm \(command[0]): \(few) system calls with 10 snapshots, \(many) with 60")
      // Fifty reads, and some for a longer log and more memory.
      #expect(many - few <= 80, "\(command)")
    }
  }
}
