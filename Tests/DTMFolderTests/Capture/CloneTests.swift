import DTMFolder
import DTMRepository
import DTMSystem
import DTMTestSupport
import Glibc
import Synchronization
import SystemPackage
import Testing

/// Large files that are open for writing, where blocks can be shared.
@Suite(.serialized) struct CloneTests {
  private static let length = 4 << 20
  private static let rounds = LongForm.isAsked ? 500 : 15

  @Test(arguments: ["btrfs", "xfs"])
  func `no version of a large file has half of a write`(kind: String) throws {
    try ScratchMount.with(kind, for: "CloneTests") { base, mount in
      let fixture = try FolderFixture(base, data: mount)
      // What is cloned to lies on the same file system, beside the folder.
      let outer = Sandbox(path: mount)
      try outer.directory("data")
      let folder = try Folder(
        at: mount.appending("data"), id: PackID.random(), repository: fixture.repository,
        repositoryPath: fixture.repositoryPath, environment: fixture.environment)
      let sandbox = Sandbox(path: mount.appending("data"))
      try sandbox.write("w", [UInt8](repeating: 0, count: Self.length))
      let isDone = Atomic(false)
      let writer = try DedicatedThread(named: "clone-writer") {
        do {
          let file = try sandbox.open("w", O_WRONLY)
          var generation: UInt8 = 0
          while !isDone.load(ordering: .relaxed) {
            generation &+= 1
            try file.write([UInt8](repeating: generation, count: Self.length), at: 0)
          }
        } catch { Issue.record(error) }
      }
      defer {
        isDone.store(true, ordering: .relaxed)
        writer.join()
      }
      var hot = 0
      for round in 0..<Self.rounds {
        var request = SnapshotRequest(ChangeSet(basis: .scan), trigger: "manual")
        request.ignoresHotLimit = true
        let outcome = try folder.snapshot(request)
        let snapshot = try #require(outcome.snapshot)
        #expect(snapshot.problems == [])
        if snapshot.hot == ["w"] { hot += 1 }
        let content = try #require(
          try fixture.content(
            Tree(root: snapshot.tree, objects: fixture.repository.objects), "w"))
        #expect(content.count == Self.length)
        #expect(content.allSatisfy { $0 == content[0] }, "\(kind), round \(round): torn")
      }
      #expect(hot > Self.rounds / 2)
      // Nothing of it is left.
      #expect(shell("ls -A \(quoted(mount))").output == "data\n")
    }
  }

  @Test func `where nothing can be cloned to, the file is read where it is`() throws {
    try ScratchMount.with("btrfs", for: "CloneTests") { base, mount in
      // Neither the repository nor what holds the folder is on its file system.
      let fixture = try FolderFixture(base, data: mount)
      try fixture.sandbox.write("w", [UInt8](repeating: 7, count: Self.length))
      let writer = try fixture.sandbox.open("w", O_WRONLY)
      let outcome = try fixture.snapshot(allowsHot: true)
      withExtendedLifetime(writer) {}
      #expect(outcome.snapshot?.hot == ["w"])
      #expect(
        try fixture.content(try fixture.tree(outcome), "w")
          == [UInt8](repeating: 7, count: Self.length))
    }
  }

  @Test func `a file that can't be cloned keeps no other from it`() throws {
    try ScratchMount.with("btrfs", for: "CloneTests") { base, mount in
      let fixture = try FolderFixture(base, data: mount)
      try Sandbox(path: mount).directory("data")
      let folder = try Folder(
        at: mount.appending("data"), id: PackID.random(), repository: fixture.repository,
        repositoryPath: fixture.repositoryPath)
      let sandbox = Sandbox(path: mount.appending("data"))
      // Files without checksums share no blocks with others.
      _ = shell("touch \(quoted(sandbox.path))/a && chattr +C \(quoted(sandbox.path))/a")
      for name in ["a", "b"] as [PathKey] {
        try sandbox.write(name, [UInt8](repeating: 7, count: Self.length))
      }
      let writers = [try Writer(sandbox, "a"), try Writer(sandbox, "b")]
      var request = SnapshotRequest(ChangeSet(basis: .scan), trigger: "manual")
      request.ignoresHotLimit = true
      let snapshot = try #require(try folder.snapshot(request).snapshot)
      withExtendedLifetime(writers) {}
      #expect(snapshot.hot == ["a", "b"])
      #expect(snapshot.problems == [])
    }
  }

  private final class Writer {
    let file: Descriptor
    init(_ sandbox: Sandbox, _ key: PathKey) throws { file = try sandbox.open(key, O_WRONLY) }
  }
}
