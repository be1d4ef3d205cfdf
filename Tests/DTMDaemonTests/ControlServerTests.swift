import DTMControl
import DTMDaemon
import DTMSystem
import Glibc
import SystemPackage
import Testing

/// Answers `GetInfo` and `Status(folder)` by a script.
final class ScriptedHandler: ControlHandler {
  struct State: Sendable {
    var calls: [DaemonCall] = []
    /// Calls that wait for an answer.
    var waiting: [ControlReply] = []
    var abandoned = 0
    var ended = 0
  }

  /// More than a socket takes.
  static let large = VarlinkReply.bytes {
    $0.field("text", String(repeating: "x", count: 1 << 20))
  }

  let state = Monitor(State())
  /// Whose repositories are used.
  let owners = Monitor<Set<UInt32>>([])
  /// Calls wait until it is open, and the server's thread with them.
  let gate = Monitor(true)

  func isOwner(_ user: UInt32) -> Bool { owners.withLock { $0.contains(user) } }

  func handle(_ call: DaemonCall, reply: ControlReply) {
    state.update { $0.calls.append(call) }
    let _: Bool? = gate.wait { $0 ? true : nil }
    switch call {
    case .status(folder: "wait"):
      reply.whenAbandoned { [state] in state.update { $0.abandoned += 1 } }
      state.update { $0.waiting.append(reply) }
    case .status(folder: "hold"):
      reply.whenConnectionEnds { [state] in state.update { $0.ended += 1 } }
      reply.send(VarlinkReply.bytes())
    case .status(folder: "large"):
      reply.send(Self.large)
    case .status(let folder): reply.send(VarlinkReply.bytes { $0.field("folder", folder) })
    default: reply.send(ServiceReply.info(version: "1"))
    }
  }
}

@Suite struct ControlServerTests {
  private let directory: TestDirectory
  let path: FilePath
  let handler = ScriptedHandler()

  init() throws {
    directory = try TestDirectory()
    path = directory.path.appending("s")
  }

  func serve(_ limits: ControlLimits = ControlLimits()) throws -> ControlServer {
    try ControlServer(
      listener: UnixListener(path: path, mode: 0o666), handler: handler, daemonUser: geteuid(),
      limits: limits)
  }

  func call(_ folder: String?, oneway: Bool = false) -> [UInt8] {
    VarlinkCall.bytes(method: "io.dtm.Daemon.Status", oneway: oneway) { writer in
      if let folder { writer.field("folder", folder) }
    }
  }

  /// The next messages on a raw connection.
  private func messages(
    _ count: Int, from stream: UnixStream, within limit: Duration = .seconds(20)
  ) throws -> [VarlinkReply] {
    let deadline = Deadline.after(limit)
    var decoder = MessageDecoder()
    var replies: [VarlinkReply] = []
    while replies.count < count {
      try #require(try stream.wait(for: .readable, until: deadline), "no answer came")
      guard let bytes = try stream.read(limit: 65536) else { continue }
      try #require(!bytes.isEmpty, "the server ended the connection")
      decoder.append(bytes)
      while let message = try decoder.next() {
        replies.append(try VarlinkReply(parsing: message))
      }
    }
    return replies
  }

  /// Whether the server ends the connection, whatever it still sends.
  private func isEnded(_ stream: UnixStream, within limit: Duration = .seconds(20)) -> Bool {
    let deadline = Deadline.after(limit)
    while !deadline.isPast {
      do throws(Errno) {
        guard try stream.wait(for: .readable, until: deadline) else { return false }
        if try stream.read(limit: 1 << 20)?.isEmpty == true { return true }
      } catch {
        return true
      }
    }
    return false
  }

  @Test func `a call is answered, and a bad one with its fault`() throws {
    let server = try serve()
    defer { server.stop() }
    let client = try ControlClient(socket: path)
    let reply = try client.call("io.dtm.Daemon.Status") { $0.field("folder", "lake") }
    #expect(reply["folder"]?.string == "lake")
    let error = #expect(throws: ControlError.self) { try client.call("io.dtm.Daemon.Nothing") }
    #expect(error?.fault == .methodNotFound("io.dtm.Daemon.Nothing"))
    #expect(try client.call("org.varlink.service.GetInfo")["product"]?.string == "dtmd")
  }

  @Test func `calls that are sent ahead are answered one after the other, in order`() throws {
    let server = try serve()
    defer { server.stop() }
    let stream = try UnixStream.connect(to: path, limit: .seconds(5))
    let names = (0..<500).map { "f\($0)" }
    // Two at a time in one write, the last one split.
    let bytes = names.reduce(into: [UInt8]()) { $0 += call($1) }
    try stream.writeAll(Array(bytes.dropLast(5)), until: .after(.seconds(5)))
    try stream.writeAll(Array(bytes.suffix(5)), until: .after(.seconds(5)))
    let replies = try messages(500, from: stream)
    #expect(replies.map { $0.parameters["folder"]?.string } == names)
  }

  @Test func `a oneway call has no answer`() throws {
    let server = try serve()
    defer { server.stop() }
    let stream = try UnixStream.connect(to: path, limit: .seconds(5))
    try stream.writeAll(call("first", oneway: true) + call("second"), until: .after(.seconds(5)))
    #expect(try messages(1, from: stream)[0].parameters["folder"]?.string == "second")
    #expect(handler.state.withLock { $0.calls.count } == 2)
  }

  @Test func `hundreds who are silent, stop half-way or do not read hold nobody up`() throws {
    let server = try serve()
    defer { server.stop() }
    var others: [UnixStream] = []
    for number in 0..<300 {
      let stream = try UnixStream.connect(to: path, limit: .seconds(5))
      switch number % 3 {
      case 0: break
      case 1: try stream.writeAll(Array("{\"method\":".utf8), until: .after(.seconds(5)))
      default: try stream.writeAll(call("large"), until: .after(.seconds(5)))
      }
      others.append(stream)
    }
    let client = try ControlClient(socket: path)
    for number in 0..<50 {
      let reply = try client.call("io.dtm.Daemon.Status") { $0.field("folder", "n\(number)") }
      #expect(reply["folder"]?.string == "n\(number)")
    }
    withExtendedLifetime(others) {}
  }

  @Test func `who begins a message and does not end it is given up, who is silent is not`() throws {
    var limits = ControlLimits()
    limits.stall = .milliseconds(50)
    let server = try serve(limits)
    defer { server.stop() }
    let silent = try UnixStream.connect(to: path, limit: .seconds(5))
    let half = try UnixStream.connect(to: path, limit: .seconds(5))
    try half.writeAll(Array("{\"method\":".utf8), until: .after(.seconds(5)))
    let unread = try UnixStream.connect(to: path, limit: .seconds(5))
    try unread.writeAll(call("large"), until: .after(.seconds(5)))
    #expect(isEnded(half))
    // Its answer is 1 MiB, more than the socket takes: it is hung up on before it is whole.
    #expect(try unread.wait(for: [], until: .after(.seconds(20))))
    try silent.writeAll(call("still here"), until: .after(.seconds(5)))
    #expect(try messages(1, from: silent)[0].parameters["folder"]?.string == "still here")
  }

  @Test(arguments: [
    Array("no JSON\u{0}".utf8), [0], Array("[]\u{0}".utf8),
    [UInt8](repeating: 0x20, count: MessageDecoder.limitInBytes + 2),
    [0xff, 0xfe, 0x00],
  ])
  func `who speaks no Varlink is sent away, alone`(bytes: [UInt8]) throws {
    let server = try serve()
    defer { server.stop() }
    let other = try ControlClient(socket: path)
    let stream = try UnixStream.connect(to: path, limit: .seconds(5))
    do throws(Errno) {
      try stream.writeAll(bytes, until: .after(.seconds(5)))
    } catch {
      #expect(error == .brokenPipe || error == .connectionReset)
    }
    #expect(isEnded(stream))
    #expect(try other.call("io.dtm.Daemon.Status") { $0.field("folder", "x") }["folder"] != nil)
  }

  @Test func `an answer may come later and from another thread`() throws {
    let server = try serve()
    defer { server.stop() }
    let stream = try UnixStream.connect(to: path, limit: .seconds(5))
    try stream.writeAll(call("wait"), until: .after(.seconds(5)))
    let waiting: ControlReply? = handler.state.wait(until: .after(.seconds(20))) {
      $0.waiting.first
    }
    let reply = try #require(waiting)
    #expect(reply.peer.uid == geteuid())
    let other = try ControlClient(socket: path)
    _ = try other.call("io.dtm.Daemon.Status")
    reply.send(VarlinkReply.bytes { $0.field("folder", "later") })
    reply.send(VarlinkReply.bytes { $0.field("folder", "again") })
    #expect(try messages(1, from: stream)[0].parameters["folder"]?.string == "later")
    #expect(handler.state.withLock { $0.abandoned } == 0)
  }

  @Test func `a caller who goes before the answer is noticed`() throws {
    let server = try serve()
    defer { server.stop() }
    do {
      let stream = try UnixStream.connect(to: path, limit: .seconds(5))
      try stream.writeAll(call("wait"), until: .after(.seconds(5)))
      let waiting: ControlReply? = handler.state.wait(until: .after(.seconds(20))) {
        $0.waiting.first
      }
      #expect(waiting != nil)
    }
    let abandoned: Bool? = handler.state.wait(until: .after(.seconds(20))) {
      $0.abandoned == 1 ? true : nil
    }
    #expect(abandoned == true)
  }

  @Test func `the end of a connection is noticed once it comes, and not before`() throws {
    let server = try serve()
    defer { server.stop() }
    do {
      let client = try ControlClient(socket: path)
      _ = try client.call("io.dtm.Daemon.Status") { $0.field("folder", "hold") }
      _ = try client.call("io.dtm.Daemon.Status")
      #expect(handler.state.withLock { $0.ended } == 0)
    }
    let ended: Bool? = handler.state.wait(until: .after(.seconds(20))) {
      $0.ended == 1 ? true : nil
    }
    #expect(ended == true)
  }

  @Test func `one who sends and closes its half still has its answer`() throws {
    let server = try serve()
    defer { server.stop() }
    let stream = try UnixStream.connect(to: path, limit: .seconds(5))
    try stream.writeAll(call("half"), until: .after(.seconds(5)))
    shutdown(stream.descriptor, Int32(SHUT_WR))
    #expect(try messages(1, from: stream)[0].parameters["folder"]?.string == "half")
    #expect(isEnded(stream))
  }

  @Test func `stopping ends all connections and takes the name away`() throws {
    let server = try serve()
    let stream = try UnixStream.connect(to: path, limit: .seconds(5))
    try stream.writeAll(call("x"), until: .after(.seconds(5)))
    _ = try messages(1, from: stream)
    server.stop()
    #expect(isEnded(stream))
  }

  @Test(.enabled(if: geteuid() == 0, "root connects as others"))
  func `a user has so many connections and no more, and root is let in all the same`() throws {
    var limits = ControlLimits()
    limits.connectionsOfAUser = 5
    let server = try serve(limits)
    defer { server.stop() }
    try openToOthers()
    // Opens eight connections, one after the other, and says how many answer.
    let script = """
      import socket
      alive = []
      for _ in range(8):
          s = socket.socket(socket.AF_UNIX); s.connect(\"\(path.string)\"); s.settimeout(20)
          try:
              s.sendall(b'{"method":"io.dtm.Daemon.Status"}\\0')
              if s.recv(1000): alive.append(s)
          except OSError: pass
      print(len(alive))
      """
    let output = try Command.run(
      ["/usr/bin/setpriv", "--reuid=65534", "--clear-groups", "/usr/bin/python3", "-c", script])
    #expect(output == "5\n")
    _ = try ControlClient(socket: path).call("io.dtm.Daemon.Status")
    // One whose repository the daemon uses has more: the eight run beside what is left of the five.
    handler.owners.update { $0 = [65534] }
    let more = try Command.run(
      ["/usr/bin/setpriv", "--reuid=65534", "--clear-groups", "/usr/bin/python3", "-c", script])
    #expect(more == "8\n")
  }

  private func openToOthers() throws {
    try Descriptor.open(directory.path, .readOnly).setMode(0o755)
  }
}
