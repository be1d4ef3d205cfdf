import Glibc
import Testing

/// The runner itself: what the other tests rest on.
@Suite struct `A child process` {
  private func start(_ script: String, _ environment: [String: String] = [:]) throws -> ChildProcess
  {
    let variables = environment.merging(["PATH": "/usr/bin:/bin"]) { first, _ in first }
    return try ChildProcess(["sh", "-c", script], in: "/usr", environment: variables)
  }

  @Test func `gives its status and both outputs, byte by byte`() throws {
    let outcome = try start(#"printf 'a\377'; printf 'b\000' >&2; exit 3"#).finish()
    #expect(outcome.status == 3)
    #expect(outcome.output == [0x61, 0xFF])
    #expect(outcome.errors == [0x62, 0])
  }

  @Test func `has its directory and its environment and no other`() throws {
    let outcome = try start("pwd; env | cut -d = -f 1 | sort | tr '\\n' ' '", ["A": "1"]).finish()
    #expect(outcome.text == "/usr\nA PATH PWD ")
  }

  @Test func `may write more than a pipe holds to both`() throws {
    let outcome = try start("seq 1 200000; seq 1 200000 >&2").finish()
    #expect(outcome.output.count == 1_288_895)
    #expect(outcome.errors == outcome.output)
  }

  @Test func `that a signal ended has 128 and the signal`() throws {
    #expect(try start("kill -TERM $$").finish().status == 128 + 15)
    let child = try start("exec sleep 60")
    child.send(SIGKILL)
    #expect(child.finish().status == 128 + 9)
    #expect(!child.isRunning)
  }

  @Test func `that does not end is killed and a failure`() throws {
    let child = try start("exec sleep 60")
    withKnownIssue {
      #expect(child.finish(within: .milliseconds(50)).status == 128 + 9)
    } matching: {
      $0.comments.contains { $0.rawValue.contains("did not end") }
    }
  }

  @Test func `is killed after a delay or has ended before it`() throws {
    #expect(try start("exec sleep 60").finishOrKill(after: .milliseconds(30)).wasKilled)
    let ended = try start("echo x").finishOrKill(after: .seconds(20))
    #expect(!ended.wasKilled)
    #expect(ended.outcome.text == "x\n")
  }

  @Test func `is waited for by a line on its standard error`() throws {
    let child = try start("echo ready >&2; exec sleep 60")
    #expect(child.waitForError("ready", within: .seconds(20)))
    #expect(child.isRunning)
    #expect(!(try start("echo other >&2").waitForError("ready", within: .seconds(20))))
  }
}
