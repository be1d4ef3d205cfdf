import DTMTestSupport
import Testing

/// Rules of a folder, about files that somebody still has open for writing.
@Suite(.needsPrograms) struct `Boundaries that are still written` {
  private let work: Workspace

  init() throws {
    work = try Workspace()
    try work.write("first", "x")
    try work.good("init", "--repository", work.path("repository"), "--no-first-snapshot")
  }

  /// How a file gets its name while it is open for writing.
  enum Naming: String, CaseIterable, CustomTestStringConvertible {
    case created, linked, unnamed
    var testDescription: String { rawValue }

    /// A statement of Python: `file` is open, its name stands.
    var statement: String {
      switch self {
      case .created: "file = os.open(name, os.O_CREAT | os.O_WRONLY)"
      case .linked:
        // As the object stores' libraries do where a file must not replace another.
        """
        file = os.open(name + '#1', os.O_CREAT | os.O_WRONLY)
        os.link(name + '#1', name)
        os.unlink(name + '#1')
        """
      case .unnamed:
        """
        file = os.open(os.path.dirname(name) or '.', os.O_TMPFILE | os.O_WRONLY)
        os.link('/proc/self/fd/%d' % file, name, src_dir_fd=0, follow_symlinks=True)
        """
      }
    }
  }

  /// Starts a program that has a file of the data folder open, and writes the rest and closes it when the
  /// file `go` is there.
  private func write(_ name: String, _ naming: Naming) throws -> ChildProcess {
    let program = """
      import os, sys, time
      name = '\(name)'
      \(naming.statement)
      os.write(file, b'a\\n')
      print('ready', file=sys.stderr, flush=True)
      while not os.path.exists('../go'): time.sleep(0.01)
      os.write(file, b'b\\n')
      """
    let writer = try ChildProcess(
      ["/usr/bin/python3", "-c", program], in: work.lake, environment: work.environment)
    try #require(writer.waitForError("ready", within: .seconds(20)))
    return writer
  }

  /// The rule fires when the writer closes the file, not before, and the snapshot has all of it.
  private func expectFiring(of name: String, by writer: ChildProcess) throws {
    // The daemon has looked at what was written before the first when it takes the second.
    try work.snapshot()
    try work.snapshot()
    #expect(try work.fired(1, within: .milliseconds(1)).isEmpty)
    try work.shell("touch go")
    let snapshot = try #require(try work.fired(1).first)
    #expect(try work.good("cat", snapshot.id(), name).text == "a\nb\n")
    #expect(writer.finish().status == 0)
  }

  @Test(arguments: Naming.allCases)
  func `a marker is one when it is closed, whatever name it was opened by`(naming: Naming) throws {
    let daemon = try work.daemon(rules: #"{"name": "done", "on": {"marker": "**/_SUCCESS"}}"#)
    let writer = try write("_SUCCESS", naming)
    try expectFiring(of: "_SUCCESS", by: writer)
    try work.snapshot()
    #expect(try work.fired(2, within: .milliseconds(1)).count == 1)
    #expect(daemon.stop() == 0)
  }

  @Test(arguments: Naming.allCases)
  func `a marker that was open when the daemon came is one when it is closed`(
    naming: Naming
  ) throws {
    let former = try work.daemon(rules: #"{"name": "done", "on": {"marker": "**/_SUCCESS"}}"#)
    #expect(former.stop() == 0)
    let writer = try write("_SUCCESS", naming)
    let daemon = try Daemon(configured: work)
    try daemon.waitForStatus(0)
    try expectFiring(of: "_SUCCESS", by: writer)
    #expect(daemon.stop() == 0)
  }

  @Test(arguments: Naming.allCases)
  func `a directory is full when the last of its files is closed`(naming: Naming) throws {
    let daemon = try work.daemon(
      rules: #"{"name": "done", "on": {"directory": "parts", "has": {"files": 3}}}"#)
    try work.shell("mkdir lake/parts; : >lake/parts/1; : >lake/parts/2")
    let writer = try write("parts/3", naming)
    try expectFiring(of: "parts/3", by: writer)
    #expect(daemon.stop() == 0)
  }
}
