import DTMFolder
import DTMRepository
import DTMSystem
import DTMTestSupport
import Glibc
import Testing

/// A database and its log, written between the readings of the two.
struct TogetherTests {
  /// Writes a version into both while a capture asks its clock for the `moment`th time, and again
  /// each time after when `isRestless`; returns the versions captured, and the problems.
  private func versions(
    moment: Int, isRestless: Bool = false, _ names: [PathKey] = ["d/x.db", "d/x.db-wal"]
  ) throws -> (captured: [String], present: [String], problems: [Snapshot.Problem], calls: Int) {
    let time = HookedTime { _ in }
    var result: ([String], [String], [Snapshot.Problem], Int) = ([], [], [], 0)
    try withFixture(environment: .hooked(time)) { fixture in
      let sandbox = fixture.sandbox
      try sandbox.directory("d")
      for name in names { try sandbox.write(name, "000") }
      let writers = try names.map { OpenWriter(try sandbox.open($0, O_WRONLY)) }
      try fixture.snapshot(fixture.scan(), allowsHot: true)
      for writer in writers { writer.write("001") }
      let calls = CallCount()
      time.set { call in
        calls.last = call
        guard call == moment || (isRestless && call > moment) else { return }
        for writer in writers { writer.write(String(100 + call)) }
      }
      let outcome = try fixture.snapshot(fixture.events([], hot: names), allowsHot: true)
      time.set { _ in }
      let tree = try fixture.tree(outcome)
      for name in names {
        result.0.append(String(decoding: try fixture.content(tree, name) ?? [], as: UTF8.self))
        result.1.append(
          String(decoding: try sandbox.open(name, O_RDONLY).readToEnd(), as: UTF8.self))
      }
      result.2 = outcome.problems
      result.3 = calls.last
      // What was captured is what the state says: another capture finds nothing else.
      #expect(outcome.snapshot?.counts.modified == 2)
      if !isRestless {
        let full = try fixture.snapshot(ChangeSet(basis: .full), allowsHot: true)
        let whole = try fixture.tree(full)
        for (name, content) in zip(names, result.1) {
          #expect(try fixture.content(whole, name) == Array(content.utf8))
        }
      }
    }
    return result
  }

  private final class OpenWriter: Sendable {
    private let file: Descriptor
    init(_ file: consuming Descriptor) { self.file = file }
    func write(_ text: String) {
      do { try file.write(Array(text.utf8), at: 0) } catch { Issue.record(error) }
    }
  }

  private final class CallCount: @unchecked Sendable {
    // One thread: the capture calls the clock, and the test reads after it.
    var last = 0
  }

  @Test(arguments: [["d/x.db", "d/x.db-wal"], ["d/x.db", "d/x.db-journal"], ["d/y", "d/y.wal"]])
  func `whenever both are written, they are captured in versions that fit`(
    names: [String]
  ) throws {
    let keys = names.compactMap { PathKey($0) }
    let total = try versions(moment: 1000, keys).calls
    #expect(total > 4)
    for moment in 1...total {
      let found = try versions(moment: moment, keys)
      // The log may be older than the database was in the end, never the other way round.
      #expect(found.captured[0] == found.captured[1], "at \(moment): \(found.captured)")
      #expect(found.problems.isEmpty)
    }
  }

  @Test func `where they never hold still it is said`() throws {
    let found = try versions(moment: 1, isRestless: true)
    #expect(found.problems.contains { $0.kind == .changing && $0.key == "d/x.db" })
  }

  /// Replaces the files of a configured group one after the other, as a program that closes each does,
  /// while a capture asks its clock for the `moment`th time; returns what was captured, and the problems.
  private func replaced(
    moment: Int, isRestless: Bool = false, isScan: Bool, changesAll: Bool = true
  ) throws -> (captured: [String], problems: [Snapshot.Problem], calls: Int) {
    let names: [PathKey] = ["d/a.one", "d/a.two", "d/z-a"]
    let time = HookedTime { _ in }
    var result: ([String], [Snapshot.Problem], Int) = ([], [], 0)
    let groups = [["*.one", "*.two", "z-*"]].compactMap { FileGroup($0) }
    try withFixture(together: groups, environment: .hooked(time)) { fixture in
      let sandbox = fixture.sandbox
      try sandbox.directory("d")
      for name in names { try sandbox.write(name, "000") }
      try sandbox.write("d/other.one", "alone")
      try fixture.snapshot(fixture.scan(), allowsHot: true)
      for name in names { try sandbox.write(name, "001") }
      let calls = CallCount()
      time.set { call in
        calls.last = call
        guard call == moment || (isRestless && call > moment) else { return }
        let changed = changesAll ? names : Array(names.dropFirst())
        for name in changed {
          do { try sandbox.write(name, String(1000 + call)) } catch { Issue.record(error) }
        }
      }
      let outcome = try fixture.snapshot(
        isScan ? fixture.scan() : fixture.events(names), allowsHot: true)
      time.set { _ in }
      let tree = try fixture.tree(outcome)
      for name in names {
        result.0.append(String(decoding: try fixture.content(tree, name) ?? [], as: UTF8.self))
      }
      result.1 = outcome.problems
      result.2 = calls.last
      #expect(outcome.snapshot?.counts.modified == 3)
      if isRestless { return }
      // What was captured is what the state says: another capture finds nothing else.
      let full = try fixture.snapshot(ChangeSet(basis: .full), allowsHot: true)
      let whole = try fixture.tree(full)
      for name in names {
        let present = try sandbox.open(name, O_RDONLY).readToEnd()
        #expect(try fixture.content(whole, name) == present)
      }
    }
    return result
  }

  @Test(arguments: [false, true])
  func `files of a configured group are captured as they were at one moment`(isScan: Bool) throws {
    let total = try replaced(moment: 1000, isScan: isScan).calls
    #expect(total > 4)
    for moment in 1...total {
      let found = try replaced(moment: moment, isScan: isScan)
      #expect(Set(found.captured).count == 1, "at \(moment): \(found.captured)")
      #expect(found.problems.isEmpty)
    }
  }

  @Test func `files of a configured group that never hold still are said not to fit`() throws {
    let found = try replaced(moment: 1, isRestless: true, isScan: false)
    #expect(found.problems.contains { $0.kind == .changing && $0.key == "d/a.one" })
  }

  @Test func `files that are no group are not read again`() throws {
    var mixed = 0
    let keys: [PathKey] = ["d/x.db", "d/z"]
    for moment in 1...(try versions(moment: 1000, keys).calls) {
      let found = try versions(moment: moment, keys)
      if found.captured[0] != found.captured[1] { mixed += 1 }
    }
    // The moment between the two is what the other test is about.
    #expect(mixed > 0)
  }
}
