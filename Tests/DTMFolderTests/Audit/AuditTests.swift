import CLinux
import DTMFolder
import DTMRepository
import DTMSystem
import DTMTestSupport
import Glibc
import SystemPackage
import Testing

/// What the audit finds, and what it knows to be no news.
struct AuditTests {
  private struct Setting {
    let fixture: FolderFixture
    let clock: String

    /// All suspects, part by part.
    func suspects(limit: Int = 1_000_000) throws -> [AuditSuspect] {
      var found: [AuditSuspect] = []
      var cursor: PathKey?
      var parts = 0
      repeat {
        let part = try fixture.folder.audit(after: cursor, clock: clock, limit: limit)
        found += part.suspects
        parts += 1
        #expect(part.end.map { end in cursor.map { $0 < end } ?? true } ?? true)
        #expect(part.end == nil || part.entries >= limit)
        cursor = part.end
      } while cursor != nil
      if limit == 1 { #expect(parts > 5) }
      return found
    }

    func findings(limit: Int = 1_000_000) throws -> [String] {
      let verdict = try fixture.folder.confirm(suspects(limit: limit), clock: clock)
      #expect(verdict.again.isEmpty)
      return verdict.findings.map { finding in
        let scope = finding.scope == .subtree ? "/" : ""
        return Quoting.path(finding.key) + scope + (finding.isLate ? " late" : "")
      }.sorted()
    }
  }

  /// A captured folder.
  private func withSetting(
    ignoring patterns: [String] = [], _ body: (Setting, Sandbox) throws -> Void
  ) throws {
    try withFixture(ignoring: patterns) { fixture in
      let sandbox = fixture.sandbox
      for directory in ["a", "a/deep", "b", "empty"] as [PathKey] {
        try sandbox.directory(directory)
      }
      for file in ["a/1", "a/2", "a/deep/3", "b/4", "b/5", "top"] as [PathKey] {
        try sandbox.write(file, "content")
      }
      try sandbox.symlink("link", to: Array("nowhere".utf8))
      let changes = fixture.scan()
      try fixture.snapshot(changes)
      // A repeated one, for hot files, ends at the clock of the last.
      let clock = try #require(fixture.folder.state.beginReading()).clock
      fixture.folder.state.endReading()
      try body(Setting(fixture: fixture, clock: clock), sandbox)
    }
  }

  @Test(arguments: [1, 2, 3, 1_000_000]) func `an unchanged folder has no suspects`(
    limit: Int
  ) throws {
    try withSetting { setting, sandbox in
      #expect(try setting.suspects(limit: limit).isEmpty)
      // A directory's own time follows from names that may be ignored.
      try sandbox.setTime("a", seconds: 5)
      #expect(try setting.suspects(limit: limit).isEmpty)
    }
  }

  @Test(arguments: [1, 3, 1_000_000]) func `each kind of change is found, and nothing else`(
    limit: Int
  ) throws {
    try withSetting { setting, sandbox in
      try sandbox.write("a/1", "changed")
      try sandbox.chmod("a/2", 0o600)
      try sandbox.remove("a/deep")
      try sandbox.setTime("b/4", seconds: 7)
      try sandbox.remove("b/5")
      try sandbox.directory("b/5")
      try sandbox.write("b/5/inner", "x")
      try sandbox.write("b/new", "x")
      try sandbox.directory("fresh")
      try sandbox.write("fresh/inner", "x")
      try sandbox.chmod("empty", 0o700)
      try sandbox.remove("link")
      try sandbox.symlink("link", to: Array("elsewhere".utf8))
      #expect(
        try setting.findings(limit: limit) == [
          "a/1", "a/2", "a/deep/", "b/4", "b/5/", "b/new", "empty/", "fresh/", "link",
        ])
    }
  }

  @Test func `what takes no part, or is looked at anyway, is no suspect`() throws {
    try withSetting(ignoring: ["*.tmp"]) { setting, sandbox in
      try sandbox.write("a/x.tmp", "ignored")
      try sandbox.directory(".dtm")
      try sandbox.write(".dtm/config", "x")
      #expect(try setting.suspects().isEmpty)
      try withTmpfs(at: sandbox.path.appending("b")) {
        try sandbox.write("b/on-another-disk", "x")
        #expect(try setting.suspects().isEmpty)
      }
      // A folder of its own: its coming is told by the event about its repository.
      try sandbox.directory("a/.dtm")
      #expect(try setting.suspects().allSatisfy { $0.key == "a/.dtm" })
    }
  }

  @Test func `a name made elsewhere, and a write through it, are late`() throws {
    try withTemporaryDirectory { directory in
      let fixture = try FolderFixture(directory)
      let outside = Sandbox(path: directory)
      for name in ["linked", "written", "passing"] as [PathKey] {
        try fixture.sandbox.write(name, "content")
      }
      try outside.link("other", from: "data/written")
      try fixture.snapshot(fixture.scan())
      let clock = try #require(fixture.folder.state.beginReading()).clock
      fixture.folder.state.endReading()
      let setting = Setting(fixture: fixture, clock: clock)
      try outside.link("second", from: "data/linked")
      try outside.write("other", "changed")
      #expect(try setting.findings() == ["linked late", "written late"])
      // A name that came and went leaves nothing by which it could be known.
      try outside.link("third", from: "data/passing")
      try outside.write("third", "changed")
      try outside.remove("third")
      #expect(try setting.findings() == ["linked late", "passing", "written late"])
    }
  }

  @Test func `a change by a writer that has the file open is late`() throws {
    try withSetting { setting, sandbox in
      let writer = try sandbox.open("a/1", O_RDWR)
      try writer.write([1], at: 0)
      #expect(try setting.findings() == ["a/1 late"])
      _ = consume writer
      #expect(try setting.findings() == ["a/1"])
    }
  }

  @Test func `what is another one at the second look is looked at once more, and not for ever`()
    throws
  {
    try withSetting { setting, sandbox in
      try sandbox.write("a/1", "changed")
      var suspects = try setting.suspects()
      for look in 1...AuditLooks.limit {
        try sandbox.write("a/1", "changed \(look)")
        let verdict = try setting.fixture.folder.confirm(suspects, clock: setting.clock)
        #expect(verdict.findings.isEmpty && verdict.again.count == 1)
        suspects = verdict.again
      }
      try sandbox.write("a/1", "changed at last")
      let last = try setting.fixture.folder.confirm(suspects, clock: setting.clock)
      #expect(last.findings.isEmpty && last.again.isEmpty)
    }
  }

  private enum AuditLooks { static let limit = 5 }

  @Test func `a suspect that was captured meanwhile is none any more`() throws {
    try withSetting { setting, sandbox in
      try sandbox.write("a/1", "changed")
      let suspects = try setting.suspects()
      let fixture = setting.fixture
      try fixture.snapshot(ChangeSet(basis: .scan, endClock: "after"))
      #expect(throws: FolderError(.refused, "")) {
        try fixture.folder.confirm(suspects, clock: setting.clock)
      }
      #expect(throws: FolderError(.refused, "")) {
        try fixture.folder.audit(after: nil, clock: "", limit: 10)
      }
      let verdict = try fixture.folder.confirm(suspects, clock: "after")
      #expect(verdict.findings.isEmpty && verdict.again.isEmpty)
    }
  }

  @Test func `a folder that is gone is not audited`() throws {
    try withTemporaryDirectory { directory in
      let fixture = try FolderFixture(directory)
      try fixture.sandbox.write("f", "x")
      try fixture.snapshot(fixture.scan())
      let clock = try #require(fixture.folder.state.beginReading()).clock
      try Sandbox(path: directory).rename("data", to: "elsewhere")
      #expect(throws: FolderError(.held, "")) {
        try fixture.folder.audit(after: nil, clock: clock, limit: 10)
      }
      try Sandbox(path: directory).directory("data")
      #expect(throws: FolderError(.held, "")) {
        try fixture.folder.audit(after: nil, clock: clock, limit: 10)
      }
      // And it did not take the other directory for the folder.
      #expect(throws: FolderError(.refused, "")) { try fixture.snapshot(fixture.events([])) }
    }
  }
}
