import DTMCommands
import DTMSystem
import DTMTestSupport
import SystemPackage
import Testing

/// Takes what a command writes.
final class MemorySink: OutputSink {
  private(set) var bytes: [UInt8] = []
  let terminal: TerminalSize?
  /// Bytes that are taken before nobody reads any more; nil: all.
  var limit: Int?

  init(terminal: TerminalSize? = nil) {
    self.terminal = terminal
  }

  var text: String { String(decoding: bytes, as: UTF8.self) }

  func write(_ bytes: [UInt8]) throws(Errno) {
    if let limit, self.bytes.count + bytes.count > limit { throw .brokenPipe }
    self.bytes += bytes
  }
}

/// What a command left.
struct CommandOutcome {
  let status: CommandStatus
  let output: String
  let errors: String

  func json() throws -> JSONNode {
    do { return try JSONNode(parsing: Array(output.utf8)) } catch {
      Issue.record("no JSON: \(error.message): \(output)\(errors)")
      throw error
    }
  }

  func error() throws -> JSONNode {
    try #require(JSONNode(parsing: Array(errors.utf8))["error"])
  }
}

/// A scratch directory with a data folder `lake`, and commands run in this process: a clock that
/// stands still, UTC, no configuration and no daemon of the machine.
struct CommandFixture {
  let root: FilePath
  let time: ManualTimeSource
  var environment: [String: String]
  var terminal: TerminalSize?

  /// 2026-11-22 07:40:01 UTC.
  static let now = Timestamp(seconds: 1_795_333_201, nanoseconds: 123_456_000)

  init(_ root: FilePath) throws {
    self.root = root
    time = ManualTimeSource(now: Self.now)
    environment = [
      "HOME": root.appending("home").string, "DTM_SOCKET": root.appending("s").string,
      "DTM_CONFIG": root.appending("dtmd.json").string, "DTM_PAGER": "cat",
    ]
    try makeDirectory("lake")
    try makeDirectory("home")
  }

  var lake: FilePath { root.appending("lake") }

  func makeDirectory(_ name: String) throws {
    let files = try SystemFileOperations(path: root)
    try files.makeDirectory(name, mode: 0o755)
  }

  /// Writes a file of the data folder, whole.
  func write(_ name: String, _ text: String) throws {
    let path = lake.appending(name)
    let file = try Descriptor.open(path, [.writeOnly, .create, .truncate], mode: 0o644)
    try file.write(Array(text.utf8), at: 0)
  }

  func read(_ name: String) throws -> String {
    let bytes = try Descriptor.open(lake.appending(name), .readOnly).readToEnd()
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Runs a command in the data folder, or beneath the scratch directory.
  func run(_ arguments: [String], in directory: String = "lake") -> CommandOutcome {
    let output = MemorySink(terminal: terminal)
    let errors = MemorySink(terminal: terminal)
    let place = directory.isEmpty ? root : root.appending(directory)
    let invocation = Invocation(
      arguments: arguments, environment: environment, output: output, errors: errors, time: time,
      calendar: LocalCalendar(zone: "UTC"), user: ThreadIdentity.processUser
    ) { place }
    let status = CommandLineProgram.run(invocation)
    return CommandOutcome(status: status, output: output.text, errors: errors.text)
  }

  func dtm(_ arguments: String..., in directory: String = "lake") -> CommandOutcome {
    run(arguments, in: directory)
  }

  /// Runs a command that has to succeed.
  @discardableResult
  func good(_ arguments: String..., in directory: String = "lake") throws -> CommandOutcome {
    let outcome = run(arguments, in: directory)
    try #require(outcome.status == .done, "\(arguments): \(outcome.output)\(outcome.errors)")
    return outcome
  }

  /// A snapshot's id.
  @discardableResult
  func snapshot(_ options: String...) throws -> String {
    let outcome = run(["snapshot", "--json"] + options)
    try #require(outcome.status == .done, "\(outcome.errors)")
    return try #require(try outcome.json()["id"]?.string)
  }
}

/// Runs the body with a fixture in a directory of its own.
func withFixture(_ body: (inout CommandFixture) throws -> Void) throws {
  try withTemporaryDirectory { path in
    var fixture = try CommandFixture(try ProcessPlace.canonical(path))
    try body(&fixture)
  }
}
