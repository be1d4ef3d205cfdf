import DTMSystem
import Glibc
import Testing

/// A scratch folder with a data folder `lake` in it, and the programs run beside it.
///
/// Nothing of the machine's own configuration, state or daemon is seen. Leaves nothing.
final class Workspace {
  let root: String
  /// The data folder.
  private(set) var lake: String
  /// Runs before each program; `setpriv` to be somebody else.
  var prefix: [String] = []
  private var programs: String
  /// What the programs get to see.
  var environment: [String: String]

  init() throws {
    programs = try #require(Programs.folder)
    // Short, for a socket's path has at most 107 bytes.
    var template = Array("/tmp/dtm-e2e.XXXXXX".utf8CString)
    try #require(unsafe mkdtemp(&template) != nil)
    root = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    lake = root + "/lake"
    environment = [
      "PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC",
      "HOME": "\(root)/home", "XDG_RUNTIME_DIR": "\(root)/run",
      "XDG_STATE_HOME": "\(root)/state", "XDG_CONFIG_HOME": "\(root)/config",
      "DTM_SOCKET": "\(root)/s",
    ]
    for name in ["lake", "home", "run", "state", "config"] { try Files.makeDirectory(path(name)) }
  }

  /// A directory in memory where the machine has one, for images of disks that nobody needs to be
  /// durable.
  private(set) lazy var memory: String = {
    let made = try? shellOutcome("mktemp -d /dev/shm/dtm-e2e.XXXXXX")
    guard let made, made.status == 0 else { return root }
    return String(made.text.dropLast())
  }()

  deinit {
    // rm knows every name; it is no part of what is tested.
    let removal = try? ChildProcess(["rm", "-rf", root, memory], in: "/", environment: environment)
    _ = removal?.finish()
  }

  /// A path beneath the scratch folder.
  func path(_ name: String) -> String { "\(root)/\(name)" }

  /// A path beneath the data folder.
  func file(_ name: String) -> String { "\(lake)/\(name)" }

  /// Makes another directory the data folder.
  func moveLake(to path: String) throws {
    try Files.makeDirectory(path)
    lake = path
  }

  /// Goes on as an ordinary user (nobody) where the tests run as root.
  func becomeOrdinaryUser() throws {
    guard getuid() == 0 else { return }
    // The programs may lie in a folder that others can't reach.
    try shell("mkdir bin && cp \(programs)/dtm \(programs)/dtmd bin/ && chown -R 65534:65534 .")
    programs = path("bin")
    prefix = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
  }

  /// Lets users other than root in, and what each of them brings along.
  func admitOthers() throws {
    try shell("mkdir bin && cp \(programs)/dtm \(programs)/dtmd bin/ && chmod 755 .")
    programs = path("bin")
  }

  /// Runs `dtm` as another user, in a directory.
  func dtm(as user: UInt32, _ arguments: String...) throws -> Outcome {
    try stranger(user, arguments)
  }

  func stranger(_ user: UInt32, _ arguments: [String]) throws -> Outcome {
    let identity = ["setpriv", "--reuid=\(user)", "--regid=\(user)", "--clear-groups"]
    let child = try ChildProcess(
      identity + ["\(programs)/dtm"] + arguments, in: lake, environment: environment)
    return child.finish()
  }

  /// The command that runs a program as this workspace's user.
  func command(_ program: String, _ arguments: [String]) -> [String] {
    prefix + ["\(programs)/\(program)"] + arguments
  }

  func start(
    _ program: String, _ arguments: [String], in directory: String? = nil, log: String? = nil
  ) throws -> ChildProcess {
    try ChildProcess(
      command(program, arguments), in: directory ?? lake, environment: environment, log: log)
  }

  /// Runs `dtm` in the data folder, or in the directory given.
  func dtm(_ arguments: String..., in directory: String? = nil) throws -> Outcome {
    try start("dtm", arguments, in: directory).finish()
  }

  func dtmd(_ arguments: String..., in directory: String? = nil) throws -> Outcome {
    try start("dtmd", arguments, in: directory ?? root).finish()
  }

  /// Runs `dtm`, which has to succeed.
  @discardableResult
  func good(_ arguments: String..., in directory: String? = nil) throws -> Outcome {
    let outcome = try start("dtm", arguments, in: directory).finish()
    try #require(
      outcome.status == 0, "\(outcome.command): \(outcome.status): \(outcome.errorText)")
    return outcome
  }

  /// Takes a snapshot, with these options, and returns it.
  @discardableResult
  func snapshot(_ options: String...) throws -> JSONNode {
    let outcome = try start("dtm", ["snapshot", "--json"] + options).finish()
    try #require(
      outcome.status == 0, "\(outcome.command): \(outcome.status): \(outcome.errorText)")
    return try outcome.json()
  }

  /// The snapshots of the current branch, newest first.
  func log() throws -> [JSONNode] {
    try #require(try good("log", "--json").json().array)
  }

  /// Runs a shell command in the scratch folder, which has to succeed.
  @discardableResult
  func shell(_ script: String) throws -> String {
    let outcome = try shellOutcome(script)
    try #require(outcome.status == 0, "\(script): \(outcome.errorText)")
    return outcome.text
  }

  /// Runs a shell command in the scratch folder, with the administrator's programs in its path.
  func shellOutcome(_ script: String) throws -> Outcome {
    var variables = environment
    variables["PATH"] = "/usr/local/sbin:/usr/sbin:/sbin:" + (environment["PATH"] ?? "")
    return try ChildProcess(["sh", "-ec", script], in: root, environment: variables).finish()
  }

  /// Writes a file of the data folder, whole, its directories too.
  func write(_ name: String, _ text: String) throws {
    try write(name, Array(text.utf8))
  }

  func write(_ name: String, _ bytes: [UInt8]) throws {
    let parents = name.split(separator: "/").dropLast()
    for count in 0..<parents.count {
      try Files.makeDirectory(file(parents[...count].joined(separator: "/")))
    }
    try Files.write(file(name), bytes)
  }

  func read(_ name: String) throws -> String {
    String(decoding: try Files.read(file(name)), as: UTF8.self)
  }

  func exists(_ name: String) -> Bool { Files.exists(file(name)) }
}
