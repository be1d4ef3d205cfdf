import DTMFolder
import DTMRepository
import DTMSystem
import DTMTestSupport
import Glibc
import SystemPackage
import Testing

struct FolderTests {
  private static let noise: [UInt8] = {
    var random = SplitMix(seed: 5)
    return (0..<3000).map { _ in UInt8(truncatingIfNeeded: random.next()) }
  }()

  /// A folder of so many files in directories of fifty.
  private func fill(_ sandbox: Sandbox, files: Int, in parent: PathKey = .root) throws {
    for index in 0..<files {
      let directory = parent.appending(Array("d\(index / 50)".utf8))
      if index % 50 == 0 { try sandbox.directory(directory) }
      try sandbox.write(directory.appending(Array("f\(index)".utf8)), "\(index)")
    }
  }

  @Test func `what a snapshot by events looks at does not depend on the folder's size`() throws {
    var counts: [Int] = []
    // Where another test forks meanwhile, its child has our files open for a moment: once more then.
    for files in [200, 6000] {
      while try countCalls(files: files, &counts) == nil { continue }
    }
    #expect(counts[0] == counts[1])
    #expect(counts[0] < 60)
  }

  /// Appends the system calls of a snapshot of three changes; nil where one of the files was hot.
  private func countCalls(files: Int, _ counts: inout [Int]) throws -> Int? {
    try withFixture { fixture -> Int? in
      try fill(fixture.sandbox, files: files)
      try fixture.snapshot(fixture.scan())
      try fixture.sandbox.write("d0/f1", "changed")
      try fixture.sandbox.write("d2/new", "new")
      try fixture.sandbox.remove("d1/f60")
      let calls = fixture.folder.environment.calls
      let before = calls.count
      let outcome = try fixture.snapshot(
        fixture.events(["d0/f1", "d2/new", "d1/f60"]), allowsHot: true)
      let count = calls.count - before
      let snapshot = try #require(outcome.snapshot)
      guard snapshot.hot.isEmpty else { return nil }
      #expect(snapshot.counts.added == 1)
      #expect(snapshot.counts.modified == 1)
      #expect(snapshot.counts.removed == 1)
      #expect(snapshot.basis == .events)
      counts.append(count)
      return count
    }
  }

  @Test(arguments: [true, false])
  func `a moved directory is known again without reading what is in it`(_ byEvents: Bool) throws {
    try withFixture { fixture in
      try fixture.sandbox.directory("old")
      try fixture.sandbox.directory("old/deep")
      for index in 0..<300 {
        let parent: PathKey = index % 2 == 0 ? "old" : "old/deep"
        try fixture.sandbox.write(parent.appending(Array("f\(index)".utf8)), Self.noise)
      }
      try fixture.snapshot(fixture.scan())
      try fixture.sandbox.directory("other")
      try fixture.sandbox.rename("old", to: "other/new")
      let calls = fixture.folder.environment.calls
      let before = calls.count
      let outcome = try fixture.snapshot(
        byEvents ? fixture.events(["old"], subtrees: ["other"]) : fixture.scan())
      // One status an entry and a few a directory; reading takes six.
      #expect(calls.count - before < 420)
      #expect(outcome.snapshot?.tree == (try fixture.scratchTree()))
      #expect(
        try fixture.content(try fixture.tree(outcome), "other/new/deep/f7") == Self.noise)
    }
  }

  @Test func `what can't be read is named and keeps its last known content`() throws {
    try withTemporaryDirectory { directory in
      let outer = Sandbox(path: directory)
      try outer.chmod(.root, 0o777)
      try outer.directory("data", mode: 0o777)
      let data = Sandbox(path: directory.appending("data"))
      try data.chmod(.root, 0o777)
      try data.write("file", "first")
      try data.directory("closed")
      try data.write("closed/inner", "first")
      try data.write("never", "x")
      try data.chmod("never", 0o000)
      let trees: [Snapshot] = try asStranger {
        let fixture = try FolderFixture(directory, data: data.path)
        let first = try #require(try fixture.snapshot(fixture.scan()).snapshot)
        try asOwner { () throws in
          try data.write("file", "second")
          try data.chmod("file", 0o000)
          try data.write("closed/inner", "second")
          try data.chmod("closed", 0o700)
        }
        let second = try #require(try fixture.snapshot(fixture.scan()).snapshot)
        let tree = Tree(root: second.tree, objects: fixture.repository.objects)
        #expect(try fixture.content(tree, "file") == Array("first".utf8))
        #expect(try fixture.content(tree, "closed/inner") == Array("first".utf8))
        let third = try #require(try fixture.snapshot(fixture.events([])).snapshot)
        try asOwner { () throws in
          try data.chmod("file", 0o644)
          try data.chmod("closed", 0o755)
        }
        // Nothing tells that it can be read again: it is tried each time.
        let fourth = try #require(try fixture.snapshot(fixture.events([])).snapshot)
        #expect(fourth.tree == (try fixture.scratchTree()))
        return [first, second, third, fourth]
      }
      #expect(trees[0].problems.map(\.key) == ["never"])
      for snapshot in trees[1...2] {
        #expect(snapshot.problems.map(\.key) == ["closed", "file", "never"])
        #expect(snapshot.problems.allSatisfy { $0.kind == .unreadable })
        #expect(snapshot.uncovered == ["closed", "file", "never"])
      }
      #expect(trees[3].uncovered == ["never"])
      #expect(trees[3].counts.removed == 0)
    }
  }

  @Test func `a mount in the folder is uncovered, and what it hides stays known`() throws {
    try withFixture { fixture in
      try fixture.sandbox.directory("m")
      try fixture.sandbox.write("m/hidden", "kept")
      try fixture.snapshot(fixture.scan())
      try withTmpfs(at: fixture.sandbox.path.appending("m")) {
        try fixture.sandbox.write("m/other", "not of this folder")
        for changes in [fixture.scan(), fixture.events(["m"]), fixture.events(["m/other"])] {
          let outcome = try fixture.snapshot(changes)
          #expect(outcome.snapshot?.uncovered == ["m"])
          let tree = try fixture.tree(outcome)
          #expect(try fixture.content(tree, "m/hidden") == Array("kept".utf8))
          #expect(try tree.entry("m/other") == nil)
        }
      }
      let last = try fixture.snapshot(fixture.events([]))
      #expect(last.snapshot?.uncovered == [])
      #expect(last.snapshot?.tree == (try fixture.scratchTree()))
    }
  }

  @Test func `an ignore file that changes speaks of all beneath it`() throws {
    try withFixture(ignoring: ["*.part"]) { fixture in
      try fixture.sandbox.directory("d")
      for name in ["a.tmp", "b", "c.part"] {
        try fixture.sandbox.write(PathKey("d/" + name) ?? .root, "x")
      }
      let first = try fixture.tree(try fixture.snapshot(fixture.scan()))
      #expect(try first.entry("d/a.tmp") != nil)
      #expect(try first.entry("d/c.part") == nil)
      try fixture.sandbox.write("d/.dtmignore", "*.tmp\n!c.part\n")
      let second = try fixture.tree(try fixture.snapshot(fixture.events(["d/.dtmignore"])))
      #expect(try second.entry("d/a.tmp") == nil)
      #expect(try second.entry("d/c.part") != nil)
      #expect(second.root == (try fixture.scratchTree(ignoring: ["*.part"])))
      try fixture.sandbox.write("d/z.tmp", "ignored")
      #expect(try !fixture.snapshot(fixture.events(["d/z.tmp"]), ifChanged: true).wasCreated)
      // The configuration's patterns changed: what events tell is not enough.
      try fixture.reopen(ignoring: [])
      #expect(throws: FolderError(.refused, "")) {
        try fixture.snapshot(fixture.events([]))
      }
    }
  }

  @Test func `a folder within the folder is left to itself, from when it becomes one`() throws {
    try withFixture { fixture in
      try fixture.sandbox.directory("inner")
      try fixture.sandbox.write("inner/f", "x")
      try fixture.snapshot(fixture.scan())
      try fixture.sandbox.directory("inner/.dtm")
      let outcome = try fixture.snapshot(fixture.events(["inner/.dtm"]))
      #expect(outcome.nested == ["inner"])
      #expect(try fixture.tree(outcome).entry("inner/f") == nil)
      #expect(outcome.snapshot?.tree == (try fixture.scratchTree()))
      #expect(
        try !fixture.snapshot(fixture.events(["inner/f"]), ifChanged: true).wasCreated)
      try fixture.sandbox.remove("inner/.dtm")
      let third = try fixture.snapshot(fixture.events(["inner/.dtm"]))
      #expect(third.snapshot?.tree == (try fixture.scratchTree()))
    }
  }

  @Test func `a change set that does not begin where the state ends is refused`() throws {
    try withFixture { fixture in
      try fixture.sandbox.write("f", "x")
      #expect(throws: FolderError(.refused, "")) { try fixture.snapshot(fixture.events([])) }
      try fixture.snapshot()
      #expect(throws: FolderError(.refused, "")) {
        try fixture.snapshot(ChangeSet(basis: .events, baseClock: "", endClock: "x"))
      }
      try fixture.snapshot(fixture.scan())
      #expect(throws: FolderError(.refused, "")) {
        try fixture.snapshot(ChangeSet(basis: .events, baseClock: "other", endClock: "x"))
      }
      #expect(try fixture.snapshot(fixture.events([])).wasCreated)
    }
  }

  @Test func `while one captures, another is busy and says who`() throws {
    try withFixture { fixture in
      try fixture.folder.hold()
      let other = try Folder(
        at: fixture.sandbox.path, id: fixture.folderID,
        repository: Repository(at: fixture.repositoryPath),
        repositoryPath: fixture.repositoryPath)
      var request = SnapshotRequest(ChangeSet(basis: .scan), trigger: "manual")
      request.patience = .zero
      let error = #expect(throws: FolderError.self) { try other.snapshot(request) }
      #expect(error?.code == .busy)
      #expect(error?.message.contains("\(getpid())") == true)
      #expect(try fixture.snapshot().wasCreated)
      fixture.folder.release()
      request.patience = .seconds(20)
      #expect(try other.snapshot(request).wasCreated)
    }
  }

  @Test func `a folder that is gone or moved away is held and never looks empty`() throws {
    try withTemporaryDirectory { directory in
      let fixture = try FolderFixture(directory)
      let outer = Sandbox(path: directory)
      try fixture.sandbox.write("f", "x")
      let first = try fixture.snapshot(fixture.scan())
      try outer.rename("data", to: "elsewhere")
      #expect(throws: FolderError(.held, "")) { try fixture.snapshot(fixture.events([])) }
      #expect(throws: FolderError(.held, "")) { try fixture.snapshot() }
      #expect(throws: FolderError(.held, "")) { try fixture.reopen() }
      // An empty directory in its place: an unmounted disk.
      try outer.directory("data")
      var request = SnapshotRequest(ChangeSet(basis: .scan), trigger: "quiet")
      #expect(throws: FolderError(.held, "")) { try fixture.folder.snapshot(request) }
      try outer.removeEmptyDirectory("data")
      try outer.rename("elsewhere", to: "data")
      request.ifChanged = true
      #expect(try fixture.folder.snapshot(request).id == first.id)
      // Another one with content is scanned, an empty one recorded when somebody says so.
      try outer.rename("data", to: "elsewhere")
      try outer.directory("data")
      try fixture.sandbox.write("g", "y")
      #expect(try fixture.folder.snapshot(request).wasCreated)
      try fixture.sandbox.remove("g")
      #expect(try fixture.snapshot().snapshot?.counts.entries == 0)
    }
  }

  @Test func `a folder that is replaced while it is captured is not recorded`() throws {
    try withTemporaryDirectory { directory in
      let time = HookedTime { _ in }
      let fixture = try FolderFixture(directory, environment: .hooked(time))
      let outer = Sandbox(path: directory)
      try fixture.sandbox.write("f", "x")
      let first = try fixture.snapshot()
      try fixture.sandbox.write("f", "xx")
      time.set { call in
        if call == 3 {
          do { try outer.rename("data", to: "elsewhere") } catch { Issue.record(error) }
        }
      }
      #expect(throws: FolderError(.held, "")) { try fixture.snapshot() }
      time.set { _ in }
      #expect(try History(fixture.repository, folder: fixture.folderID).head == first.id)
    }
  }

  @Test func `a path longer than a key may be is a problem of its directory`() throws {
    try withFixture { fixture in
      let name = [UInt8](repeating: UInt8(ascii: "n"), count: 250)
      try fixture.sandbox.write("near", "x")
      var directory = try Descriptor.open(fixture.sandbox.path, [.readOnly, .directory])
      for _ in 0..<270 {
        let number = directory.rawValue
        try unsafe withCString(of: name) { pointer throws(Errno) in
          if unsafe mkdirat(number, pointer, 0o755) != 0 { throw .current }
        }
        directory = try directory.open(name, [.readOnly, .directory])
      }
      let snapshot = try #require(try fixture.snapshot(fixture.scan()).snapshot)
      #expect(snapshot.problems.map(\.kind) == [.unsupported])
      #expect(snapshot.problems.first?.key.components.count == 261)
      #expect(snapshot.counts.entries == 262)
      // It goes on being so, whoever looks at what.
      try fixture.sandbox.write("near", "y")
      let second = try fixture.snapshot(fixture.events(["near"]))
      #expect(second.snapshot?.problems == snapshot.problems)
      let top = PathKey(bytes: name)
      #expect(try fixture.snapshot(fixture.events([top])).problems == snapshot.problems)
      #expect(try fixture.snapshot(fixture.scan()).problems == snapshot.problems)
      try fixture.sandbox.rename(top, to: "short")
      let last = try fixture.snapshot(fixture.events([top], subtrees: ["short"]))
      #expect(last.snapshot?.problems.allSatisfy { $0.key.isBeneath("short") } == true)
    }
  }

  @Test func `a snapshot moves the branch, tags and pins, and knows its cost`() throws {
    try withFixture { fixture in
      try fixture.sandbox.write("f", "x")
      var request = SnapshotRequest(fixture.scan(), trigger: "stage")
      request.message = "loaded"
      request.labels = ["stage": "load"]
      request.tags = ["v1"]
      request.isPinned = true
      let outcome = try fixture.folder.snapshot(request)
      let id = try #require(outcome.id)
      let history = try History(fixture.repository, folder: fixture.folderID)
      #expect(history.currentBranch == "main")
      #expect(history.head == id)
      #expect(history.tag("v1") == id)
      #expect(history.isPinned(id))
      let facts = try history.facts(of: id)
      #expect(Int(String(decoding: facts["durationMicroseconds"] ?? [], as: UTF8.self)) ?? 0 > 0)
      #expect(facts["storedBytes"] == Array("\(outcome.storedBytes)".utf8))
      let packs = try fixture.repository.files.list("live").map {
        try fixture.repository.files.open("live/" + $0, writable: false).size()
      }
      // All that was ever written to the packs, but for their headers.
      #expect(outcome.storedBytes > 0)
      #expect(outcome.storedBytes < packs.reduce(0, +))
      #expect(try history.snapshot(id).snapshot == outcome.snapshot)
      #expect(outcome.snapshot?.labels == ["stage": "load"])
    }
  }

  // MARK: - The folder as it is now

  @Test func `the working tree tells what differs and writes nothing`() throws {
    try withFixture { fixture in
      let sandbox = fixture.sandbox
      for name in ["same", "edited", "renamed-from", "gone", "touched", "mode", "kind"] {
        try sandbox.write(PathKey(name) ?? .root, "content of \(name)")
      }
      try sandbox.directory("d")
      try sandbox.write("d/f", "x")
      let head = try fixture.tree(try fixture.snapshot(fixture.scan()))
      try sandbox.write("edited", "changed")
      try sandbox.rename("renamed-from", to: "d/renamed-to")
      try sandbox.remove("gone")
      try sandbox.setTime("touched", seconds: 5)
      try sandbox.chmod("mode", 0o600)
      try sandbox.remove("kind")
      try sandbox.directory("kind")
      try sandbox.write("added", "fresh")
      let working = try fixture.folder.working()
      let differences = try Differences(from: head, to: working.tree)
      let shown = differences.changes.map {
        "\($0.kind) \(String(decoding: $0.key.path, as: UTF8.self))"
      }
      #expect(
        shown == [
          "added added", "renamed d/renamed-to", "modified edited", "removed gone", "type kind",
          "metadata mode", "metadata touched",
        ])
      #expect(differences.changes[1].oldKey == "renamed-from")
      #expect(differences.count(.modified) == 4)
      #expect(
        try Differences(from: head, to: working.tree, within: ["d"]).changes.map(\.kind)
          == [.added])
      #expect(working.tree.root == (try fixture.scratchTree()))
      #expect(fixture.folder.state.beginReading()?.entries == 10)
      var bytes: [UInt8] = []
      try fixture.folder.forEachPiece(of: "added") { bytes += $1 }
      #expect(bytes == Array("fresh".utf8))
    }
  }

  @Test func `of several renamed files those that keep their name are paired`() throws {
    try withFixture { fixture in
      let sandbox = fixture.sandbox
      for name in ["a", "b"] {
        try sandbox.directory(PathKey(name) ?? .root)
        try sandbox.write(PathKey("\(name)/\(name).csv") ?? .root, "equal")
      }
      try sandbox.write("empty", "")
      let old = try fixture.tree(try fixture.snapshot())
      try sandbox.directory("n")
      try sandbox.rename("b/b.csv", to: "n/b.csv")
      try sandbox.rename("a/a.csv", to: "n/a.csv")
      try sandbox.rename("empty", to: "n/empty")
      let new = try fixture.tree(try fixture.snapshot())
      let differences = try Differences(from: old, to: new)
      let renamed = differences.changes.filter { $0.kind == .renamed }
      #expect(renamed.map(\.key) == ["n/a.csv", "n/b.csv"])
      #expect(renamed.map(\.oldKey) == ["a/a.csv", "b/b.csv"])
      #expect(differences.count(.removed) == 1)
    }
  }
}
