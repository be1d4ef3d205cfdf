import DTMConfiguration
import DTMControl
import DTMDaemon
import DTMSystem
import DTMTestSupport
import Glibc
import Logging
import SystemPackage
import Testing

/// A daemon with fake engines on a socket of its own.
final class DaemonFixture {
  let directory: TestDirectory
  let engines = FakeEngines()
  let log = LogLines()
  let notices = Monitor<[String]>([])
  let daemon: Daemon
  let socket: FilePath

  init(folders: [String] = ["lake"], watchdogLimit: Duration? = nil) throws {
    directory = try TestDirectory()
    socket = directory.path.appending("run").appending("s")
    for folder in folders {
      try directory.makeDirectory(folder)
      try directory.write("\(folder)/first", "1")
    }
    try DaemonFixture.configure(directory, folders)
    let notices = notices
    daemon = try Daemon(
      options: DaemonOptions(
        configuration: .file(directory.path.appending("dtmd.json")), socket: socket),
      engines: engines, logger: log.logger(level: .critical),
      notifier: ServiceNotifier(watchdogLimit: watchdogLimit) { text in
        notices.update { $0.append(text) }
      })
    try daemon.start()
  }

  deinit {
    engines.state.update { $0.isGateOpen = true }
    engines.readerGate.update { $0.isOpen = true }
    daemon.stop()
  }

  func configure(_ folders: [String], quiet: String = "20ms") throws {
    try DaemonFixture.configure(directory, folders, quiet: quiet)
  }

  func client() throws -> ControlClient { try ControlClient(socket: socket) }

  func waitUntilProtected() throws {
    let client = try client()
    #expect(try eventually { try client.status().state == .protected })
  }

  private static func configure(
    _ directory: TestDirectory, _ folders: [String], quiet: String = "20ms"
  ) throws {
    var writer = JSONWriter(pretty: true)
    writer.object { writer in
      writer.key("folders")
      writer.array { writer in
        for folder in folders {
          writer.object { writer in
            writer.field("name", folder)
            writer.field("path", directory.path.appending(folder).string)
            writer.key("settle")
            writer.object { writer in
              writer.field("quiet", quiet)
              writer.field("minInterval", "0s")
            }
          }
        }
      }
    }
    try directory.write("dtmd.json", String(decoding: writer.bytes, as: UTF8.self))
  }
}

@Suite struct DaemonTests {
  @Test func `it says READY once its folders are watched, and how they are`() throws {
    let fixture = try DaemonFixture(folders: ["a", "b"])
    let ready: Bool? = fixture.notices.wait(until: .after(.seconds(20))) { notices in
      notices.contains { $0.hasPrefix("READY=1\nSTATUS=") } ? true : nil
    }
    #expect(ready == true)
    try fixture.waitUntilProtected()
    let said: Bool? = fixture.notices.wait(until: .after(.seconds(20))) { notices in
      notices.last == "STATUS=2 folders protected" ? true : nil
    }
    #expect(said == true)
    fixture.daemon.stop()
    #expect(fixture.notices.withLock { $0.last?.hasPrefix("STOPPING=1\n") } == true)
    for event in [
      "daemonStarted", "folderProtected", "snapshotTaken", "folderLeft", "daemonStopped",
    ] {
      #expect(fixture.log.all.contains { $0.contains("event=\(event)") }, "\(event)")
    }
  }

  @Test func `a folder is asked for by name or path, and one that is not there is refused`() throws
  {
    let fixture = try DaemonFixture(folders: ["a", "b"])
    try fixture.waitUntilProtected()
    let client = try fixture.client()
    #expect(try client.status().folders.map(\.name) == ["a", "b"])
    #expect(try client.status(folder: "b").folders.map(\.name) == ["b"])
    let path = fixture.directory.path.appending("a").string
    #expect(try client.status(folder: path).folders.map(\.name) == ["a"])
    #expect(try client.status(folder: path + "/.").folders.map(\.name) == ["a"])
    let error = #expect(throws: ControlError.self) { try client.status(folder: "c") }
    #expect(error?.fault == .noSuchFolder("c"))
  }

  @Test func `snapshots and waits go through the socket`() throws {
    let fixture = try DaemonFixture()
    try fixture.waitUntilProtected()
    let client = try fixture.client()
    try fixture.directory.write("lake/second", "2")
    let waited = try client.wait(WaitRequest(folder: "lake", timeout: .seconds(20)))
    #expect(waited != nil)
    let outcome = try client.snapshot(SnapshotRequest(folder: "lake", message: "m"))
    #expect(outcome.isCreated)
    #expect(outcome.snapshot.message == "m")
    #expect(try client.status().folders[0].lastSnapshot == outcome.snapshot)
  }

  @Test func `an announcement holds until its connection ends`() throws {
    let fixture = try DaemonFixture()
    try fixture.waitUntilProtected()
    let other = try fixture.client()
    do {
      let client = try fixture.client()
      try client.announce(AnnounceRequest(folder: "lake", operation: "restore", paths: []))
      try fixture.directory.write("lake/restored", "2")
      let error = #expect(throws: ControlError.self) {
        try other.wait(WaitRequest(folder: "lake", timeout: .milliseconds(100)))
      }
      #expect(error?.code == .busy)
      let wrong = #expect(throws: ControlError.self) {
        try client.announce(AnnounceRequest(folder: "lake", operation: "play", paths: []))
      }
      #expect(wrong?.code == .invalidInput)
    }
    #expect(try other.wait(WaitRequest(folder: "lake", timeout: .seconds(20))) != nil)
    #expect(fixture.engines.orders.count == 2)
  }

  @Test func `a bad configuration is refused whole, and the running one goes on`() throws {
    let fixture = try DaemonFixture()
    try fixture.waitUntilProtected()
    let client = try fixture.client()
    try fixture.directory.write("dtmd.json", "{\n  \"foldres\": []\n}")
    let error = #expect(throws: ControlError.self) { try client.reload() }
    #expect(error?.code == .configuration)
    guard case .configurationError(let file, 2, 3, let message) = error?.fault else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(file.hasSuffix("dtmd.json"))
    #expect(message.contains("folders"))
    let status = try client.status()
    #expect(status.state == .degraded)
    #expect(status.configuration.error?.contains("dtmd.json:2:3") == true)
    #expect(fixture.log.all.contains { $0.contains("event=configurationRefused") })
    try fixture.directory.write("lake/second", "2")
    _ = try client.wait(WaitRequest(folder: "lake", timeout: .seconds(20)))

    try fixture.configure(["lake"])
    let configuration = try client.reload()
    #expect(configuration.error == nil)
    #expect(try client.status().state == .protected)
    // Untouched by all of it.
    #expect(fixture.engines.state.withLock { $0.opened } == 1)
  }

  @Test func `a reload brings folders in and lets folders go`() throws {
    let fixture = try DaemonFixture(folders: ["a", "b"])
    try fixture.waitUntilProtected()
    let client = try fixture.client()
    try fixture.directory.makeDirectory("c")
    try fixture.directory.write("c/first", "1")
    try fixture.configure(["b", "c"])
    _ = try client.reload()
    #expect(try client.status().folders.map(\.name) == ["b", "c"])
    #expect(try eventually { try client.status().state == .protected })
    #expect(fixture.engines.state.withLock { $0.opened } == 3)
    #expect(fixture.engines.state.withLock { $0.closed } == 1)
    #expect(
      fixture.notices.withLock { notices in
        notices.contains { $0.hasPrefix("RELOADING=1\nMONOTONIC_USEC=") }
      })

    // Other words for settling do not touch the folder's watcher.
    try fixture.configure(["b", "c"], quiet: "1h")
    _ = try client.reload()
    #expect(fixture.engines.state.withLock { $0.opened } == 3)
    try fixture.directory.write("b/second", "2")
    let error = #expect(throws: ControlError.self) {
      try client.wait(WaitRequest(folder: "b", timeout: .milliseconds(100)))
    }
    #expect(error?.code == .busy)
    // And back again: the newest configuration counts, not the one of the start.
    try fixture.configure(["b", "c"])
    _ = try client.reload()
    #expect(try client.wait(WaitRequest(folder: "b", timeout: .seconds(20))) != nil)
  }

  @Test func `a second daemon on the same socket is refused`() throws {
    let fixture = try DaemonFixture()
    let second = try Daemon(
      options: DaemonOptions(
        configuration: .file(fixture.directory.path.appending("dtmd.json")),
        socket: fixture.socket),
      engines: FakeEngines(), logger: fixture.log.logger(),
      notifier: ServiceNotifier { _ in })
    let error = #expect(throws: DaemonError.self) { try second.start() }
    #expect(error?.code == .alreadyRunning)
    _ = try fixture.client().status()
  }

  @Test func `a bad configuration does not start`() throws {
    let directory = try TestDirectory()
    try directory.write("dtmd.json", "{\"folders\": [{}]}")
    let error = #expect(throws: DaemonError.self) {
      try Daemon(
        options: DaemonOptions(configuration: .file(directory.path.appending("dtmd.json"))),
        engines: FakeEngines(), logger: LogLines().logger())
    }
    #expect(error?.code == .configuration)
    #expect(error?.message.contains("dtmd.json:1:") == true)
  }

  @Test(.enabled(if: geteuid() == 0, "root asks as others"))
  func `others are refused, the owner of a repository may use his folder and no other`() throws {
    let fixture = try DaemonFixture(folders: ["a", "b"])
    try fixture.waitUntilProtected()
    try Descriptor.open(fixture.directory.path, .readOnly).setMode(0o755)
    // The same call as user 65534, who owns nothing yet.
    func ask(_ method: String, _ parameters: String) throws -> String {
      let script = """
        import socket, sys
        s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); s.settimeout(20)
        s.sendall(b'{"method":"' + sys.argv[2].encode() + b'","parameters":' + sys.argv[3].encode() + b'}\\0')
        data = b''
        while not data.endswith(b'\\0'): data += s.recv(65536)
        print(data[:-1].decode())
        """
      return try Command.run([
        "/usr/bin/setpriv", "--reuid=65534", "--clear-groups", "/usr/bin/python3", "-c", script,
        fixture.socket.string, method, parameters,
      ])
    }
    #expect(try ask("org.varlink.service.GetInfo", "{}").contains("dtmd"))
    for (method, parameters) in [
      ("Status", "{}"), ("Status", #"{"folder":"a"}"#), ("Snapshot", #"{"folder":"a"}"#),
      ("Wait", #"{"folder":"a"}"#),
      ("Announce", #"{"folder":"a","operation":"restore","paths":[]}"#), ("Reload", "{}"),
    ] {
      let answer = try ask("io.dtm.Daemon.\(method)", parameters)
      #expect(answer.contains("io.dtm.Daemon.PermissionDenied"), "\(method): \(answer)")
    }
    #expect(fixture.engines.orders.count == 2)

    fixture.engines.state.update { $0.owner = FolderOwner(uid: 65534, gid: 65534) }
    try fixture.directory.makeDirectory("c")
    try fixture.directory.write("c/first", "1")
    try Descriptor.open(fixture.directory.path.appending("c"), .readOnly).setMode(0o755)
    try fixture.configure(["a", "b", "c"])
    _ = try fixture.client().reload()
    try fixture.waitUntilProtected()
    let status = try ask("io.dtm.Daemon.Status", "{}")
    #expect(status.contains(#""name":"c""#))
    #expect(!status.contains(#""name":"a""#))
    #expect(try ask("io.dtm.Daemon.Snapshot", #"{"folder":"c"}"#).contains(#""created":true"#))
    #expect(
      try ask("io.dtm.Daemon.Snapshot", #"{"folder":"a"}"#).contains("PermissionDenied"))
    #expect(try ask("io.dtm.Daemon.Reload", "{}").contains("PermissionDenied"))
  }
}
