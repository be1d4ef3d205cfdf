import DTMSystem
import DTMTestSupport
import Glibc
import Testing

/// Random operations beneath a daemon that stands still, loses events and dies, held against a whole
/// reading of the folder.
@Suite(.needsPrograms, .serialized) struct `Whatever happens in a protected folder` {
  @Test func `is in the next snapshot`() throws {
    var seeds = SplitMix.fresh("fuzz")
    let runs = Programs.isLong ? 200 : 6
    for _ in 0..<runs {
      var operations = FuzzOperations(SplitMix(seed: seeds.next()))
      let lines = operations.lines(Programs.isLong ? 300 : 150)
      guard let failure = try FuzzRun.failure(of: lines) else { continue }
      let (shortest, words) = try shortened(lines, failure)
      Issue.record("\(words)\n\(shortest.count) lines:\n\(shortest.joined(separator: "\n"))")
      return
    }
  }

  @Test func `and the comparison would notice if it were not`() throws {
    let work = try Workspace()
    try work.write("kept", "a")
    try work.initialise()
    let daemon = try Daemon(work)
    try work.expectCaptured(daemon)
    daemon.process.send(SIGSTOP)
    defer { daemon.process.send(SIGCONT) }
    for change in [
      "echo b >lake/kept", "rm lake/kept; mkdir lake/kept", "rmdir lake/kept; echo a >lake/kept",
      "chmod 600 lake/kept", "touch -d @7 lake/kept", "setfattr -n user.fuzz -v 1 lake/kept",
    ] {
      try work.shell(change)
      #expect(try work.differences() != "", "\(change)")
    }
  }

  /// Leaves out what is not needed to fail, as far as some minutes allow.
  private func shortened(_ lines: [String], _ failure: String) throws -> ([String], String) {
    let deadline = ContinuousClock.now + .seconds(Programs.isLong ? 600 : 120)
    var lines = lines
    var failure = failure
    var piece = lines.count / 2
    while piece >= 1 {
      var start = 0
      while start < lines.count {
        if ContinuousClock.now > deadline { return (lines, failure) }
        var fewer = lines
        fewer.removeSubrange(start..<min(start + piece, lines.count))
        if let again = try FuzzRun.failure(of: fewer) {
          lines = fewer
          failure = again
        } else {
          start += piece
        }
      }
      piece /= 2
    }
    return (lines, failure)
  }
}

/// One folder, one daemon after the other, one list of lines.
private final class FuzzRun {
  private static let settle = #"{"quiet": "60ms", "atMost": "500ms", "minInterval": "20ms"}"#
  private let work: Workspace
  private var daemon: Daemon?
  private var batch: [String] = []

  /// What is wrong at the end of the lines; nil when nothing is.
  static func failure(of lines: [String]) throws -> String? {
    let run = try FuzzRun()
    do {
      for line in lines { if let failure = try run.perform(line) { return failure } }
      return try run.check("at the end")
    } catch {
      return "\(error)"
    }
  }

  private init() throws {
    work = try Workspace()
    try work.shell(FuzzOperations.preparation)
    try work.initialise()
    daemon = try Daemon(work, settle: Self.settle)
  }

  deinit { daemon?.process.send(SIGCONT) }

  private func perform(_ line: String) throws -> String? {
    switch line {
    case "wait":
      return try check("after a wait")
    case "stop":
      try operate()
      daemon?.process.send(SIGSTOP)
    case "cont":
      try operate()
      daemon?.process.send(SIGCONT)
    case "flood":
      try operate()
      daemon?.process.send(SIGSTOP)
      // Events of two files in turn are not merged; the queue holds 16,384.
      try work.shell(
        """
        cd lake; /usr/bin/python3 -c '
        import os
        for i in range(9000):
            for name in ("flood0", "flood1"):
                fd = os.open(name, os.O_WRONLY | os.O_CREAT, 0o644); os.write(fd, b"x"); os.close(fd)
        '
        """)
      daemon?.process.send(SIGCONT)
    case "kill":
      try operate()
      daemon?.kill()
      daemon = nil
    case "start":
      try operate()
      if daemon == nil { daemon = try Daemon(configured: work) }
    case "snapshot":
      try operate()
      let outcome = try work.dtm("snapshot")
      if outcome.status != 0 { return "dtm snapshot: \(outcome.errorText)" }
    default:
      batch.append(line)
    }
    return nil
  }

  /// Does the operations that have gathered.
  private func operate() throws {
    if batch.isEmpty { return }
    try Files.write(work.path("lines"), Array((batch.joined(separator: "\n") + "\n").utf8))
    batch = []
    try Files.write(work.path("fuzz.py"), Array(FuzzOperations.program.utf8))
    let outcome = try work.shellOutcome("cd lake; /usr/bin/python3 ../fuzz.py <../lines")
    try #require(outcome.status == 0, "the operations failed: \(outcome.errorText)")
  }

  private func check(_ moment: String) throws -> String? {
    try operate()
    if daemon == nil { daemon = try Daemon(configured: work) }
    guard let daemon else { return nil }
    daemon.process.send(SIGCONT)
    let waited = try work.dtm("wait", "--timeout", "60s")
    if waited.status != 0 { return "dtm wait \(moment): \(waited.errorText) \(daemon.log)" }
    let difference = try work.differences()
    if difference != "" { return "\(moment):\n\(difference)" }
    let missed = try daemon.folder()["missedChanges"]?.int
    return missed == 0 ? nil : "\(missed ?? -1) missed changes"
  }
}
