import DTMControl
import DTMSystem
import Synchronization
import SystemPackage
import Testing

@Suite struct ControlClientTests {
  private static let snapshot = SnapshotSummary(
    id: String(repeating: "ab", count: 32), time: Timestamp(seconds: 1_800_000_000), message: "m",
    files: 3, bytes: 4096, basis: .events, isComplete: true)

  @Test func `a snapshot is asked for and its answer read`() throws {
    let daemon = try ScriptedDaemon { _ in
      VarlinkReply.bytes { writer in
        writer.key("snapshot")
        writer.object(Self.snapshot.write)
        writer.field("created", true)
      }
    }
    let client = try ControlClient(socket: daemon.path)
    let request = SnapshotRequest(
      folder: "lake", message: "before the run", labels: ["b": "2", "a": "1"], tag: "t", pin: true,
      kind: "stage", ifChanged: true, look: .full, time: Timestamp(seconds: 1_700_000_000))
    let outcome = try client.snapshot(request)
    #expect(outcome == SnapshotOutcome(snapshot: Self.snapshot, isCreated: true))
    let sent = try #require(daemon.received.first)
    #expect(try DaemonCall(VarlinkCall(parsing: sent)) == .snapshot(request))
  }

  @Test func `several calls go over one connection`() throws {
    let daemon = try ScriptedDaemon { message in
      let isWait = (try? VarlinkCall(parsing: message))?.method == "io.dtm.Daemon.Wait"
      return VarlinkReply.bytes { if isWait { $0.field("snapshot", String?.none) } }
    }
    let client = try ControlClient(socket: daemon.path)
    let keys = [[0x61, 0x2f, 0xff], Array("a/b".utf8)].compactMap { PathKey(path: $0) }
    try client.announce(AnnounceRequest(folder: "l", operation: "restore", paths: keys))
    #expect(try client.wait(WaitRequest(folder: "l", timeout: .seconds(1))) == nil)
    let calls = try daemon.received.map { try DaemonCall(VarlinkCall(parsing: $0)) }
    #expect(
      calls == [
        // The path that is no UTF-8 is announced by its directory.
        .announce(
          AnnounceRequest(
            folder: "l", operation: "restore",
            paths: ["a", "a/b"].compactMap { PathKey($0) })),
        .wait(WaitRequest(folder: "l", timeout: .seconds(1))),
      ])
  }

  @Test func `of very many paths some are told, and how many there are`() throws {
    let paths = (0..<100_000).map { PathKey(bytes: Array("a directory with a name \($0)".utf8)) }
    let folder = FolderStatus(
      name: "f", path: "/f", state: .degraded, phase: .idle, hot: paths, uncovered: paths,
      basis: .scan)
    let status = DaemonStatus(
      version: "1", pid: 7, uptimeInSeconds: 1,
      configuration: ConfigurationStatus(files: [], loaded: Timestamp(seconds: 0)),
      folders: [folder])
    let reply = VarlinkReply.bytes(parameters: status.writeMessage)
    #expect(reply.count < 64 * 1024)
    let daemon = try ScriptedDaemon { _ in reply }
    let told = try ControlClient(socket: daemon.path).status().folders[0]
    #expect(told.uncovered == Array(paths.prefix(100)) && told.hot == told.uncovered)
    #expect(told.hotCount == 100_000 && told.uncoveredCount == 100_000)
    let lines = StatusText(now: Timestamp(seconds: 0), isColoured: false).lines(told)
    #expect(lines.contains { $0.hasSuffix("and 99995 more") })
  }

  @Test func `what the daemon tells of very many folders comes through`() throws {
    // Some 2.5 KB a folder, of which there are thousands.
    let text = String(repeating: "dtm_dirty_paths{folder=\"lake\"} 0\n", count: 300_000)
    let daemon = try ScriptedDaemon { _ in VarlinkReply.bytes { $0.field("text", text) } }
    #expect(try ControlClient(socket: daemon.path).metrics() == text)
  }

  @Test func `a status comes through whole, names that are no text too`() throws {
    let paths = [Array("plain/ä".utf8), [0x61, 0xff], Array(#"a\xff"#.utf8), Array("line\n".utf8)]
      .compactMap { PathKey(path: $0) }
    var folder = FolderStatus(
      name: "lake", path: "/srv/lake", state: .degraded, reasons: ["one", "two"], phase: .settling,
      lastSnapshot: Self.snapshot, dirty: 7, hot: paths, uncovered: paths.reversed(),
      watchedDirectories: 12, overflows: 1, missedChanges: 2, lateChanges: 3, basis: .scan)
    let other = FolderStatus(
      name: "b", path: "/b", state: .protected, phase: .idle, basis: .events)
    let status = DaemonStatus(
      version: "1", pid: 7, uptimeInSeconds: 1.5,
      configuration: ConfigurationStatus(
        files: ["/etc/dtm/dtmd.json"], loaded: Timestamp(seconds: 5), error: "bad"),
      folders: [folder, other])
    let daemon = try ScriptedDaemon { [status] _ in
      VarlinkReply.bytes(parameters: status.writeMessage)
    }
    #expect(try ControlClient(socket: daemon.path).status() == status)

    folder.lastSnapshot = nil
    var writer = JSONWriter()
    writer.object(folder.writeJSON)
    let node = try JSONNode(parsing: writer.bytes)
    #expect(node["hot"]?.array?.compactMap(\.pathKey) == paths)
    #expect(node["hot"]?.array?[1]["base64"]?.string != nil)
    #expect(node["lastSnapshot"]?.isNull == true)
  }

  @Test(arguments: [
    (DaemonFault.noSuchFolder("x"), ControlError.Code.notFound),
    (.permissionDenied(reason: "no"), .permissionDenied),
    (.busy(reason: "later"), .busy),
    (.snapshotFailed(reason: "disk full", path: nil), .failed),
    (.configurationError(file: "f", line: 1, column: 2, message: "m"), .configuration),
    (.methodNotFound("m"), .unsupported),
    (.invalidParameter("p"), .invalidInput),
  ])
  func `a fault becomes an error with its meaning`(fault: DaemonFault, code: ControlError.Code)
    throws
  {
    let daemon = try ScriptedDaemon { _ in VarlinkReply.bytes(fault: fault) }
    let client = try ControlClient(socket: daemon.path)
    let error = #expect(throws: ControlError.self) { try client.reload() }
    #expect(error?.code == code)
    #expect(error?.fault == fault)
    #expect(error?.message == fault.explanation)
    // The connection can be used on.
    #expect(throws: ControlError.self) { try client.reload() }
    #expect(daemon.received.count == 2)
  }

  @Test func `no daemon is unavailable`() {
    let error = #expect(throws: ControlError.self) {
      _ = try ControlClient(socket: "/tmp/dtm-no-such-directory/s")
    }
    #expect(error?.code == .unavailable)
    #expect(error?.message == "no daemon listens at /tmp/dtm-no-such-directory/s")
  }

  @Test func `a daemon that ends the connection is unavailable`() throws {
    let daemon = try ScriptedDaemon { _ in nil }
    let client = try ControlClient(socket: daemon.path)
    let error = #expect(throws: ControlError.self) { try client.status() }
    #expect(error?.code == .unavailable)
    // What changes nothing is asked once more; anything else may have been done.
    #expect(daemon.received.count == 2)
    #expect(throws: ControlError.self) {
      try ControlClient(socket: daemon.path).resume(folder: "lake")
    }
    #expect(daemon.received.count == 3)
  }

  @Test func `what a daemon that goes leaves unanswered is asked again`() throws {
    let isFirst = Atomic<Bool>(true)
    let daemon = try ScriptedDaemon { _ in
      isFirst.exchange(false, ordering: .relaxed)
        ? nil : VarlinkReply.bytes { $0.field("text", "dtm_up 1") }
    }
    #expect(try ControlClient(socket: daemon.path).metrics() == "dtm_up 1")
  }

  @Test func `a daemon that says nothing, or half a message, is timed out`() throws {
    for half in [[UInt8](), Array("{".utf8)] {
      let daemon = try ScriptedDaemon { _ in half }
      let client = try ControlClient(socket: daemon.path)
      let error = #expect(throws: ControlError.self) {
        _ = try client.call("io.dtm.Daemon.Status", limit: .milliseconds(20))
      }
      #expect(error?.code == .timedOut)
    }
  }

  @Test(arguments: [
    "no JSON\u{0}", "{}\u{0}", #"{"parameters":[]}"# + "\u{0}",
    #"{"parameters":{},"continues":true}"# + "\u{0}",
  ])
  func `a daemon that speaks no Varlink is malformed`(answer: String) throws {
    let daemon = try ScriptedDaemon { _ in Array(answer.utf8) }
    let client = try ControlClient(socket: daemon.path)
    let error = #expect(throws: ControlError.self) { try client.status() }
    #expect(error?.code == .malformed)
  }

  @Test func `a daemon whose answer does not end is given up`() throws {
    let answer = [UInt8](repeating: 7, count: MessageDecoder.replyLimitInBytes + 1)
    let daemon = try ScriptedDaemon { _ in answer }
    let client = try ControlClient(socket: daemon.path)
    let error = #expect(throws: ControlError.self) { try client.status() }
    #expect(error?.code == .malformed)
  }

  @Test func `clients look where the environment says, else at the user's daemon and the system's`()
  {
    #expect(ControlSocket.candidates(uid: 0, environment: [:]) == ["/run/dtm/dtmd.sock"])
    #expect(
      ControlSocket.candidates(uid: 4_000_000, environment: ["XDG_RUNTIME_DIR": "/run/user/1000"])
        == ["/run/user/1000/dtm/dtmd.sock", "/run/dtm/dtmd.sock"])
    #expect(
      ControlSocket.candidates(
        uid: 4_000_000, environment: ["DTM_SOCKET": "/x", "XDG_RUNTIME_DIR": "/y"])
        == ["/x"])
    #expect(
      ControlSocket.candidates(uid: 4_000_000, environment: ["XDG_RUNTIME_DIR": "relative"])
        == ["/run/dtm/dtmd.sock"])
    // A user with a name may have a daemon that runs without a login.
    #expect(
      ControlSocket.candidates(uid: 65534, environment: ["XDG_RUNTIME_DIR": "/y"])
        == ["/y/dtm/dtmd.sock", "/run/dtmd-nobody/dtmd.sock", "/run/dtm/dtmd.sock"])
  }
}
