import DTMSystem
import Glibc
import Testing

/// A `dtmd` that protects a workspace's data folder; ends with the value that holds it.
final class Daemon {
  let process: ChildProcess
  private let workspace: Workspace

  /// Writes the configuration and starts the daemon; returns when it says that it is ready.
  ///
  /// `settle` stands in the configuration as it is given; by default snapshots come fast.
  init(
    _ workspace: Workspace,
    settle: String = #"{"quiet": "100ms", "atMost": "10s", "minInterval": "100ms"}"#
  ) throws {
    try Self.configure(workspace, settle: settle)
    self.workspace = workspace
    process = try Self.start(workspace)
  }

  /// Starts it again, or with a configuration that stands already.
  init(configured workspace: Workspace) throws {
    self.workspace = workspace
    process = try Self.start(workspace)
  }

  /// `dtmd.json` in the scratch folder, which the programs use from here on.
  static func configure(
    _ workspace: Workspace,
    settle: String = #"{"quiet": "100ms", "atMost": "10s", "minInterval": "100ms"}"#
  ) throws {
    try configure(
      workspace, settle: settle,
      folders: """
        {"name": "lake", "path": "\(workspace.lake)",
          "repository": "\(workspace.path("repository"))"}
        """)
  }

  /// The same with other folders.
  static func configure(
    _ workspace: Workspace,
    settle: String = #"{"quiet": "100ms", "atMost": "10s", "minInterval": "100ms"}"#,
    folders: String
  ) throws {
    workspace.environment["DTM_CONFIG"] = workspace.path("dtmd.json")
    let text = """
      {"defaults": {"settle": \(settle)}, "folders": [\(folders)]}
      """
    try Files.write(workspace.path("dtmd.json"), Array(text.utf8))
  }

  /// Its own log, for messages of failed tests.
  var log: String {
    (try? Files.read(workspace.path("dtmd.log"))).map { String(decoding: $0, as: UTF8.self) } ?? ""
  }

  /// SIGTERM, and the exit status.
  func stop() -> Int32 {
    process.send(SIGTERM)
    return process.finish().status
  }

  func kill() {
    process.send(SIGKILL)
    _ = process.finish()
  }

  /// What `dtmd status --json` says of the data folder.
  func folder() throws -> JSONNode {
    let outcome = try workspace.dtmd("status", "--json")
    let folders = try outcome.json().elements("folders")
    return try #require(folders.first { $0["name"]?.string == "lake" }, "\(outcome.text)")
  }

  /// Asks `dtmd status` again until it ends with this status.
  func waitForStatus(_ wanted: Int32, within limit: Duration = .seconds(15)) throws {
    let deadline = ContinuousClock.now + limit
    var outcome = try workspace.dtmd("status")
    while outcome.status != wanted, ContinuousClock.now < deadline {
      usleep(20_000)
      outcome = try workspace.dtmd("status")
    }
    try #require(outcome.status == wanted, "dtmd status: \(outcome.text)\(log)")
  }

  private static func start(_ workspace: Workspace) throws -> ChildProcess {
    let notification = try NotificationSocket(path: workspace.path("n"))
    workspace.environment["NOTIFY_SOCKET"] = notification.path
    defer { workspace.environment["NOTIFY_SOCKET"] = nil }
    let arguments = [
      "run", "--config", workspace.path("dtmd.json"), "--socket", workspace.path("s"),
    ]
    let process = try workspace.start(
      "dtmd", arguments, in: workspace.root, log: workspace.path("dtmd.log"))
    let deadline = ContinuousClock.now + .seconds(30)
    while !notification.isReady {
      notification.receive(milliseconds: 50)
      if !notification.isReady, !process.isRunning || ContinuousClock.now > deadline {
        let log = try? Files.read(workspace.path("dtmd.log"))
        Issue.record("dtmd is not ready: \(String(decoding: log ?? [], as: UTF8.self))")
        throw NotReady()
      }
    }
    return process
  }

  struct NotReady: Error {}
}

/// The receiving end of sd_notify(3).
private final class NotificationSocket {
  let path: String
  private let descriptor: Int32
  private(set) var isReady = false

  init(path: String) throws {
    self.path = path
    descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    try #require(descriptor >= 0)
    unsafe unlink(path)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let bytes = Array(path.utf8)
    unsafe withUnsafeMutableBytes(of: &address.sun_path) { field in
      precondition(bytes.count < field.count, "the socket's path is too long")
      unsafe field.copyBytes(from: bytes)
    }
    let bound = unsafe withUnsafePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    try #require(bound == 0, "bind \(path): \(errno)")
    // The daemon may run as somebody else.
    unsafe chmod(path, 0o777)
  }

  deinit {
    close(descriptor)
    unsafe unlink(path)
  }

  func receive(milliseconds: Int32) {
    var polls = [pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)]
    guard unsafe poll(&polls, 1, milliseconds) > 0 else { return }
    var buffer = [UInt8](repeating: 0, count: 4096)
    let count = unsafe recv(descriptor, &buffer, buffer.count, 0)
    guard count > 0 else { return }
    let lines = buffer[..<count].split(separator: UInt8(ascii: "\n"))
    if lines.contains(where: { $0.elementsEqual("READY=1".utf8) }) { isReady = true }
  }
}
