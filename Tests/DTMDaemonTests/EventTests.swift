import DTMControl
import DTMDaemon
import DTMSystem
import Glibc
import SystemPackage
import Testing

/// Listens to a daemon's events on a thread of its own, until the stream ends.
final class EventListener: Sendable {
  private struct State: Sendable {
    var events: [ControlEvent] = []
    var end: String?
  }

  private let state = Monitor(State())
  private let thread: DedicatedThread

  /// Returns when the stream has begun.
  init(_ socket: FilePath, folder: String? = nil) throws {
    let state = state
    thread = try DedicatedThread(named: "listener") {
      do {
        let client = try ControlClient(socket: socket)
        try client.events(folder: folder, until: .after(.seconds(60))) { event in
          state.update { $0.events.append(event) }
          return true
        }
        state.update { $0.end = "ended" }
      } catch {
        state.update { $0.end = "\(error)" }
      }
    }
    _ = try wait { $0.kind == .begin }
  }

  /// The first event that is as asked.
  @discardableResult
  func wait(for isWanted: (ControlEvent) -> Bool) throws -> ControlEvent {
    let found: ControlEvent?? = state.wait(until: .after(.seconds(20))) { state in
      if let event = state.events.first(where: isWanted) { return .some(event) }
      return state.end == nil ? nil : .some(nil)
    }
    return try #require(found ?? nil, "no such event: \(kinds)")
  }

  /// How the stream ended.
  func end() throws -> String {
    let end: String? = state.wait(until: .after(.seconds(20))) { $0.end }
    thread.join()
    return try #require(end, "the stream did not end")
  }

  var events: [ControlEvent] { state.withLock { $0.events } }
  var kinds: [String] { events.map(\.kind.rawValue) }
}

@Suite struct EventTests {
  /// What a script of Python does with a connection.
  private static func subscribe(_ stream: UnixStream, _ folder: String? = nil) throws {
    let call = VarlinkCall.bytes(method: "io.dtm.Daemon.Events", more: true) { writer in
      if let folder { writer.field("folder", folder) }
    }
    try stream.writeAll(call, until: .after(.seconds(5)))
  }

  private static func subscribers(_ fixture: DaemonFixture) throws -> Int {
    let line = try fixture.client().metrics().split(separator: "\n")
      .first { $0.hasPrefix("dtm_event_subscribers ") }
    return try #require(line.flatMap { Int($0.drop { $0 != " " }.dropFirst()) })
  }

  @Test func `a stream begins with how the folders are, and tells what happens`() throws {
    let fixture = try DaemonFixture(folders: ["a", "b"])
    try fixture.waitUntilProtected()
    let listener = try EventListener(fixture.socket)
    for folder in ["a", "b"] {
      let event = try listener.wait { $0.kind == .state && $0.folder == folder }
      #expect(event.state == .protected)
      #expect(event.path == fixture.directory.path.appending(folder).string)
      #expect(event.reasons?.isEmpty == true)
    }
    #expect(listener.kinds.prefix(3) == ["begin", "state", "state"])
    #expect(listener.events.first?.version == ProgramVersion.current)

    let client = try fixture.client()
    let taken = try client.snapshot(SnapshotRequest(folder: "a", message: "by hand"))
    let snapshot = try listener.wait { $0.kind == .snapshot }
    #expect(snapshot.folder == "a")
    #expect(snapshot.snapshot == taken.snapshot)
    #expect(snapshot.trigger == "manual")
    #expect((snapshot.duration ?? .zero) > .zero)
    #expect(snapshot.changedEntries != nil && snapshot.storedBytes != nil)

    do {
      let writer = try fixture.client()
      try writer.announce(AnnounceRequest(folder: "b", operation: "checkout", paths: []))
      #expect(try listener.wait { $0.kind == .restoreBegan }.operation == "checkout")
      #expect(!listener.kinds.contains("restoreEnded"))
    }
    #expect(try listener.wait { $0.kind == .restoreEnded }.folder == "b")

    _ = try client.reload()
    let files = try listener.wait { $0.kind == .reloaded }.files
    #expect(files?.first?.hasSuffix("dtmd.json") == true)
    try fixture.directory.write("dtmd.json", "{")
    _ = try? client.reload()
    #expect(try listener.wait { $0.kind == .refused }.reason?.contains("dtmd.json:1:") == true)

    fixture.engines.state.update {
      $0.failures = [FolderEngineError(.failed, "the disk is full")]
    }
    _ = try? client.snapshot(SnapshotRequest(folder: "a"))
    let alert = try listener.wait { $0.kind == .alert }
    #expect(alert.alert == .snapshotFailed)
    #expect(alert.reason == "the disk is full")
    try listener.wait { $0.kind == .state && $0.folder == "a" && $0.state == .unprotected }

    fixture.daemon.stop()
    #expect(try listener.end() == "ended")
    #expect(listener.events.last?.kind == .end)
  }

  @Test func `a stream of one folder is of no other`() throws {
    let fixture = try DaemonFixture(folders: ["a", "b"])
    try fixture.waitUntilProtected()
    let listener = try EventListener(
      fixture.socket, folder: fixture.directory.path.appending("b").string)
    let client = try fixture.client()
    for folder in ["a", "b", "a", "b"] {
      _ = try client.snapshot(SnapshotRequest(folder: folder))
    }
    fixture.daemon.stop()
    #expect(try listener.end() == "ended")
    #expect(Set(listener.events.compactMap(\.folder)) == ["b"])
    #expect(listener.kinds.count { $0 == "snapshot" } == 2)
  }

  @Test func `one reply is not enough, and a folder that is not there is none`() throws {
    let fixture = try DaemonFixture()
    let client = try fixture.client()
    let error = #expect(throws: ControlError.self) { try client.call("io.dtm.Daemon.Events") }
    #expect(error?.fault == .expectedMore)
    let other = #expect(throws: ControlError.self) {
      try client.events(folder: "nothing") { _ in true }
    }
    #expect(other?.fault == .noSuchFolder("nothing"))
  }

  @Test func `hundreds who never read hold nobody up, and learn what they missed`() throws {
    let fixture = try DaemonFixture()
    try fixture.waitUntilProtected()
    var idle: [UnixStream] = []
    for _ in 0..<300 {
      let stream = try UnixStream.connect(to: fixture.socket, limit: .seconds(5))
      try Self.subscribe(stream)
      idle.append(stream)
    }
    #expect(try eventually { try Self.subscribers(fixture) == 300 })
    let listener = try EventListener(fixture.socket)
    let client = try fixture.client()
    // Two events each (began, ended): more than a socket and a queue take.
    let rounds = 1500
    let operation = "restore"
    for _ in 0..<rounds {
      let writer = try fixture.client()
      try writer.announce(AnnounceRequest(folder: "lake", operation: operation, paths: []))
    }
    #expect(try client.status().folders[0].name == "lake")
    #expect(
      eventually { listener.kinds.count { $0 == "restoreEnded" } == rounds },
      "one who reads misses nothing")
    #expect(!listener.kinds.contains("dropped"))

    // One of them begins to read: what it got, then how many it did not.
    let late = try #require(idle.first)
    var decoder = MessageDecoder()
    var events: [JSONNode] = []
    var dropped = 0
    let deadline = Deadline.after(.seconds(20))
    while dropped == 0 {
      try #require(try late.wait(for: .readable, until: deadline), "nothing was dropped")
      decoder.append(try late.read(limit: 65536) ?? [])
      while let message = try decoder.next() {
        let event = try #require(try VarlinkReply(parsing: message).parameters["event"])
        if event["kind"]?.string == "dropped" { dropped = try #require(event["count"]?.int) }
        events.append(event)
      }
    }
    #expect(dropped > 0)
    // begin and state before, the message itself after.
    #expect(events.count - 3 + dropped == 2 * rounds)
    // And it goes on.
    _ = try client.snapshot(SnapshotRequest(folder: "lake"))
    var kinds: [String?] = []
    while !kinds.contains("snapshot") {
      try #require(try late.wait(for: .readable, until: deadline), "the stream does not go on")
      decoder.append(try late.read(limit: 65536) ?? [])
      while let message = try decoder.next() {
        kinds.append(try VarlinkReply(parsing: message).parameters["event"]?["kind"]?.string)
      }
    }
    withExtendedLifetime(idle) {}
  }

  @Test func `who goes is forgotten`() throws {
    let fixture = try DaemonFixture()
    do {
      var streams: [UnixStream] = []
      for _ in 0..<20 {
        let stream = try UnixStream.connect(to: fixture.socket, limit: .seconds(5))
        try Self.subscribe(stream, "lake")
        streams.append(stream)
      }
      #expect(try eventually { try Self.subscribers(fixture) == 20 })
      withExtendedLifetime(streams) {}
    }
    #expect(try eventually { try Self.subscribers(fixture) == 0 })
  }

  @Test(.enabled(if: geteuid() == 0, "root asks as others"))
  func `others hear nothing, the owner of a folder of that folder alone`() throws {
    let fixture = try DaemonFixture(folders: ["a"])
    try fixture.waitUntilProtected()
    try Descriptor.open(fixture.directory.path, .readOnly).setMode(0o755)
    let script = """
      import json, socket, sys
      s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); s.settimeout(30)
      s.sendall(json.dumps({"method": "io.dtm.Daemon." + sys.argv[2], "more": True,
                            "parameters": json.loads(sys.argv[3])}).encode() + b'\\0')
      data, seen = b'', []
      while True:
          part = s.recv(65536)
          if not part: break
          data += part
          while b'\\0' in data:
              message, data = data.split(b'\\0', 1)
              message = json.loads(message)
              event = message.get("parameters", {}).get("event", {})
              seen.append(message.get("error") or event["kind"] + ":" + str(event.get("folder")))
              if not message.get("continues"): data = None; break
          if data is None or seen[-1].startswith("snapshot"): break
      print(" ".join(seen))
      """
    func ask(_ method: String, _ parameters: String) throws -> String {
      try Command.run([
        "/usr/bin/setpriv", "--reuid=65534", "--clear-groups", "/usr/bin/python3", "-c", script,
        fixture.socket.string, method, parameters,
      ])
    }
    let refusal = "io.dtm.Daemon.PermissionDenied\n"
    for (method, parameters) in [
      ("Events", "{}"), ("Events", #"{"folder":"a"}"#), ("Pause", #"{"folder":"a"}"#),
      ("Resume", #"{"folder":"a"}"#), ("Metrics", "{}"),
    ] {
      #expect(try ask(method, parameters) == refusal, "\(method) \(parameters)")
    }

    fixture.engines.state.update { $0.owner = FolderOwner(uid: 65534, gid: 65534) }
    try fixture.directory.makeDirectory("c")
    try fixture.directory.write("c/first", "1")
    try Descriptor.open(fixture.directory.path.appending("c"), .readOnly).setMode(0o755)
    try fixture.configure(["a", "c"])
    _ = try fixture.client().reload()
    try fixture.waitUntilProtected()
    let socket = fixture.socket
    let acting = try DedicatedThread(named: "acting") {
      // What the other may not see comes first.
      guard let client = try? ControlClient(socket: socket) else { return }
      let isThere = eventually {
        (try? client.metrics().contains("dtm_event_subscribers 1\n")) ?? false
      }
      guard isThere else { return }
      _ = try? client.snapshot(SnapshotRequest(folder: "a"))
      _ = try? client.snapshot(SnapshotRequest(folder: "c"))
    }
    #expect(try ask("Events", "{}") == "begin:None state:c snapshot:c\n")
    acting.join()
    #expect(try ask("Events", #"{"folder":"a"}"#) == refusal)
  }
}
