import Glibc
import Testing

/// Who wants to capture a folder that somebody captures.
@Suite(.needsPrograms) struct `A folder that another process captures` {
  /// Takes the capture lock, says so, and stops, as a process does that hangs or is debugged.
  private static let holder = """
    import fcntl, os, signal, struct, sys
    file = open(sys.argv[1], "r+")
    F_OFD_SETLK = 37
    fcntl.fcntl(file, F_OFD_SETLK, struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0, 0, 0))
    file.truncate(0)
    file.write(f"{os.getpid()}\\n")
    file.flush()
    print("held", file=sys.stderr, flush=True)
    os.kill(os.getpid(), signal.SIGSTOP)
    """

  @Test
  func `is waited for half a minute, then it is said by whom, and nobody waits for a dead one`()
    throws
  {
    let work = try Workspace()
    try work.write("x", "1\n")
    try work.good("init")
    let holder = try ChildProcess(
      ["/usr/bin/python3", "-c", Self.holder, work.file(".dtm/locks/capture")],
      in: work.lake, environment: [:])
    #expect(holder.waitForError("held", within: .seconds(30)))
    try work.write("x", "2\n")
    let refused = try work.dtm("snapshot")
    #expect(refused.status == 75, "\(refused.errorText)")
    #expect(refused.errorText.contains("\(holder.pid)"), "\(refused.errorText)")
    // Reading waits for nobody.
    #expect(try work.dtm("log").status == 0)
    #expect(try work.dtm("verify").status == 0)
    let waiting = try work.start("dtm", ["snapshot", "--quiet"])
    holder.send(SIGKILL)
    #expect(waiting.finish().status == 0)
    #expect(try work.good("cat", "HEAD", "x").text == "2\n")
  }
}
