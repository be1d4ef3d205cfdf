import DTMFolder
import DTMRepository
import DTMSystem
import DTMTestSupport
import Glibc
import Synchronization
import SystemPackage
import Testing

/// Files that are not what they seem, or not for long: each has a stated outcome.
struct OddFileTests {
  @Test func `a file that vanishes before it is read is not there, and no problem`() throws {
    let time = HookedTime { _ in }
    try withFixture(environment: .hooked(time)) { fixture in
      try fixture.sandbox.write("a", "1")
      try fixture.sandbox.write("b", "2")
      let sandbox = fixture.sandbox
      // While `a` is read, after both were listed.
      time.set { call in
        if call == 3 { do { try sandbox.remove("b") } catch { Issue.record(error) } }
      }
      let outcome = try fixture.snapshot(allowsHot: true)
      time.set { _ in }
      let tree = try fixture.tree(outcome)
      #expect(outcome.snapshot?.problems == [])
      #expect(try tree.entry("a") != nil)
      #expect(try tree.entry("b") == nil)
    }
  }

  @Test func `a directory that becomes a file, and a file that becomes one, are what they are now`()
    throws
  {
    let time = HookedTime { _ in }
    try withFixture(environment: .hooked(time)) { fixture in
      let sandbox = fixture.sandbox
      try sandbox.write("a", "1")
      try sandbox.directory("d")
      try sandbox.write("d/in", "2")
      try sandbox.write("f", "3")
      try fixture.snapshot(allowsHot: true)
      try sandbox.write("a", "changed")
      time.set { call in
        guard call == 3 else { return }
        do {
          try sandbox.remove("d")
          try sandbox.write("d", "file")
          try sandbox.remove("f")
          try sandbox.directory("f")
        } catch { Issue.record(error) }
      }
      let first = try fixture.snapshot(allowsHot: true)
      time.set { _ in }
      // Whatever it saw of that, the next one sees all, and nothing passes for what it is not.
      #expect(first.snapshot?.problems.allSatisfy { $0.kind != .changing } == true)
      let tree = try fixture.tree(try fixture.snapshot(allowsHot: true))
      #expect(try tree.entry("d")?.kind == .file)
      #expect(try tree.entry("d/in") == nil)
      #expect(try tree.entry("f")?.kind == .directory)
    }
  }

  @Test func `a FIFO without a writer is an entry, also one that takes a file's place`() throws {
    let time = HookedTime { _ in }
    try withFixture(environment: .hooked(time)) { fixture in
      let sandbox = fixture.sandbox
      try sandbox.fifo("p")
      try sandbox.write("a", "1")
      try sandbox.write("b", "2")
      time.set { call in
        guard call == 3 else { return }
        do {
          try sandbox.remove("b")
          try sandbox.fifo("b")
        } catch { Issue.record(error) }
      }
      let tree = try fixture.tree(try fixture.snapshot(allowsHot: true))
      time.set { _ in }
      #expect(try tree.entry("p")?.kind == .fifo)
      #expect(try tree.entry("b")?.kind == .fifo)
    }
  }

  @Test func `a file that grows for ever is read up to the size it had`() throws {
    let time = HookedTime { _ in }
    try withFixture(environment: .hooked(time)) { fixture in
      let sandbox = fixture.sandbox
      try sandbox.write("log", [UInt8](repeating: 1, count: 2 << 20))
      let calls = fixture.folder.environment.calls
      time.set { _ in
        do {
          try sandbox.open("log", O_WRONLY | O_APPEND).write([UInt8](repeating: 2, count: 1 << 20))
        } catch { Issue.record(error) }
      }
      let before = calls.count
      let outcome = try fixture.snapshot(allowsHot: true)
      time.set { _ in }
      // Four readings, of what was there at each one's start.
      #expect(calls.count - before < 120)
      let entry = try #require(try fixture.tree(outcome).entry("log"))
      #expect(entry.size < (2 + 16) << 20)
      #expect(outcome.snapshot?.problems.map(\.kind) == [.changing])
      #expect(outcome.snapshot?.problems.map(\.key) == ["log"])
    }
  }

  @Test func `a file whose size lies is kept up to it, and it is said`() throws {
    try withTemporaryDirectory { directory in
      // Each of its files has the size 0, and a line.
      let fixture = try FolderFixture(directory, data: "/proc/sys/fs/inotify")
      let outcome = try fixture.snapshot(allowsHot: true)
      let snapshot = try #require(outcome.snapshot)
      #expect(!snapshot.isComplete)
      let lying = snapshot.problems.filter { $0.kind == .unsupported }
      #expect(lying.map(\.key).contains("max_user_watches"))
      #expect(lying.allSatisfy { $0.detail.contains("goes on after its size, 0 bytes") })
    }
  }

  @Test func `a file with less than its size is kept, and it is said`() throws {
    // The files of /sys say a page.
    let place = FilePath("/sys/kernel/mm/transparent_hugepage")
    guard shell("test -d \(quoted(place))").status == 0 else {
      print("SKIPPED: a file with less than its size: no \(place)")
      return
    }
    try withTemporaryDirectory { directory in
      let fixture = try FolderFixture(directory, data: place)
      let snapshot = try #require(try fixture.snapshot(allowsHot: true).snapshot)
      let lying = snapshot.problems.filter { $0.kind == .unsupported }
      #expect(lying.contains { $0.key == "enabled" && $0.detail.contains("though its size is") })
    }
  }

  @Test func `an unreadable file keeps what is known of it, and is named`() throws {
    try withFixture { fixture in
      try fixture.sandbox.write("f", "known")
      try fixture.sandbox.write("g", "1")
      try fixture.snapshot()
      try fixture.sandbox.chmod("f", 0)
      try fixture.sandbox.write("g", "2")
      let path = fixture.sandbox.path
      let (id, repositoryPath) = (fixture.folderID, fixture.repositoryPath)
      try fixture.sandbox.chmod(.root, 0o755)
      // As another user, who may read everything else.
      if geteuid() == 0 {
        _ = shell("chown -R 65534 \(quoted(repositoryPath.removingLastComponent()))")
      }
      let found = try asStranger { () throws -> (Bool, [PathKey], [Snapshot.Problem.Kind]) in
        let repository = try Repository(at: repositoryPath)
        let folder = try Folder(
          at: path, id: id, repository: repository, repositoryPath: repositoryPath)
        let outcome = try folder.snapshot(
          SnapshotRequest(ChangeSet(basis: .scan), trigger: "manual"))
        let snapshot = try #require(outcome.snapshot)
        let entry = try Tree(root: snapshot.tree, objects: repository.objects).entry("f")
        return (
          entry?.content == .inline(Array("known".utf8)), snapshot.problems.map(\.key),
          snapshot.problems.map(\.kind)
        )
      }
      #expect(found.0)
      #expect(found.1 == ["f"])
      #expect(found.2 == [.unreadable])
    }
  }
}
