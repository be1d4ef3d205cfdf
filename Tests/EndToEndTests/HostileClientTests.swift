import DTMSystem
import Glibc
import Testing

/// A daemon among clients that mean no good.
@Suite(.needsPrograms) struct `Hostile clients` {
  /// Opens hundreds of connections, each of which does something wrong, and holds them until it is
  /// killed.
  private static let script = """
    import json, os, random, signal, socket, sys
    seed = int(sys.argv[2]); random.seed(seed)
    held = []
    def connect():
        s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); s.settimeout(5); held.append(s)
        return s
    def send(s, data):
        try: s.sendall(data)
        except OSError: pass
    call = lambda method, **p: json.dumps({"method": method, "parameters": p}).encode() + b"\\0"
    events = json.dumps({"method": "io.dtm.Daemon.Events", "more": True}).encode() + b"\\0"
    for number in range(420):
        s = connect(); kind = number % 14
        if kind == 0: pass                                     # silent
        elif kind == 1: send(s, b'{"method":"io.dtm')          # half a message
        elif kind == 2: send(s, b"x" * (1 << 20) + b"y\\0")      # oversized
        elif kind == 3: send(s, os.urandom(2000) + b"\\0")       # noise
        elif kind == 4: send(s, call("io.dtm.Daemon.Status") * 50)  # asks ahead, never reads
        elif kind == 5: send(s, events)                        # subscribes, never reads
        elif kind == 6: send(s, call("io.dtm.Daemon.Wait", folder="lake", timeoutSeconds=3600))
        elif kind == 7: send(s, call("io.dtm.Daemon.Explode", folder=["\\\\u0000" * 500]))
        elif kind == 8: send(s, b"[" * 100000 + b"\\0")          # deep
        elif kind == 9: send(s, b"\\0" * 10000)                  # nothing, often
        elif kind == 10: send(s, call("io.dtm.Daemon.Snapshot", folder="../../etc/passwd"))
        elif kind == 11: send(s, call("io.dtm.Daemon.Announce", folder="lake", operation="rm"))
        elif kind == 12: send(s, events + call("io.dtm.Daemon.Status")); s.shutdown(socket.SHUT_WR)
        else: send(s, call("io.dtm.Daemon.Metrics") * 20); s.close(); held.remove(s)
    print("ready", file=sys.stderr, flush=True)
    signal.pause()
    """

  @Test func `cost the others nothing, and leave nothing`() throws {
    let seed = Int.random(in: 0...Int(Int32.max))
    print("seed \(seed)")
    let work = try Workspace()
    try work.write("orders.csv", "good\n")
    try work.good("init", "--repository", work.path("repository"), "--no-first-snapshot")
    let daemon = try Daemon(work)
    try work.good("wait", "--timeout", "30s")
    func descriptors() throws -> Int {
      let text = try work.shell("ls /proc/\(daemon.process.pid)/fd | wc -l")
      return try #require(Int(text.dropLast()))
    }
    func resident() throws -> Int {
      let status = String(
        decoding: try Files.read("/proc/\(daemon.process.pid)/status"), as: UTF8.self)
      let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") })
      let words = line.split { $0 == " " || $0 == "\t" }
      return try #require(Int(words[1]))
    }
    let (before, memory) = (try descriptors(), try resident())
    try Files.write(work.path("hostile.py"), Array(Self.script.utf8))
    let hostile = try ChildProcess(
      ["/usr/bin/python3", work.path("hostile.py"), work.path("s"), "\(seed)"], in: work.root,
      environment: work.environment)
    try #require(hostile.waitForError("ready", within: .seconds(60)))
    #expect(try descriptors() > before + 100)
    // Everybody else goes on as if nobody were there.
    for round in 1...5 {
      try work.write("orders.csv", "round \(round)\n")
      try work.good("wait", "--timeout", "30s")
      #expect(try work.good("cat", "HEAD", "orders.csv").text == "round \(round)\n")
    }
    #expect(try work.dtmd("status").status == 0)
    // A message of 1 MiB is held whole while it comes; nothing else is large.
    #expect(try resident() < memory + 64 * 1024, "in KiB; \(memory) before")
    hostile.send(SIGKILL)
    _ = hostile.finish()
    let deadline = ContinuousClock.now + .seconds(20)
    while try descriptors() > before, ContinuousClock.now < deadline { usleep(20_000) }
    #expect(try descriptors() <= before)
    try work.snapshot()
    #expect(daemon.stop() == 0)
  }
}
