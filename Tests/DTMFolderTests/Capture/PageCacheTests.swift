import DTMFolder
import DTMRepository
import DTMSystem
import DTMTestSupport
import Glibc
import SystemPackage
import Testing

/// A capture leaves the page cache as it found it: what others have there, and what they have not.
struct PageCacheTests {
  private static let length = 3 << 20

  private func make(_ fixture: FolderFixture, _ key: PathKey) throws {
    try fixture.sandbox.write(key, [UInt8](repeating: 5, count: Self.length))
    try fixture.sandbox.open(key, O_RDONLY).synchronize()
  }

  private func missing(_ fixture: FolderFixture, _ key: PathKey) throws -> [Range<Int>] {
    try fixture.sandbox.open(key, O_RDONLY).rangesNotCached(0..<Self.length)
  }

  @Test(arguments: ["ext4", "xfs", "btrfs"])
  func `what was not in it is not afterwards, and what was still is`(kind: String) throws {
    try ScratchMount.with(kind, for: "PageCacheTests") { base, mount in
      let fixture = try FolderFixture(base, data: mount)
      for key in ["warm", "cold", "half"] as [PathKey] { try make(fixture, key) }
      try fixture.sandbox.open("cold", O_RDONLY).forgetCached(0..<Self.length)
      let half = Self.length / 2
      try fixture.sandbox.open("half", O_RDONLY).forgetCached(half..<Self.length)
      let before = try missing(fixture, "half")
      try #require(try missing(fixture, "warm") == [] && !before.isEmpty)
      try #require(try missing(fixture, "cold") == [0..<Self.length])
      let tree = try fixture.tree(try fixture.snapshot())
      #expect(try fixture.content(tree, "cold")?.count == Self.length)
      #expect(try missing(fixture, "warm") == [])
      #expect(try missing(fixture, "cold") == [0..<Self.length])
      #expect(try missing(fixture, "half") == before)
    }
  }

  @Test func `it costs a call a file that is there, and two that is not`() throws {
    try ScratchMount.with("ext4", for: "PageCacheTests") { base, mount in
      let fixture = try FolderFixture(base, data: mount)
      try make(fixture, "f")
      let calls = fixture.folder.environment.calls
      func count() throws -> Int {
        let before = calls.count
        try fixture.snapshot(ChangeSet(basis: .full))
        return calls.count - before
      }
      _ = try count()
      let warm = try count()
      try fixture.sandbox.open("f", O_RDONLY).forgetCached(0..<Self.length)
      #expect(try count() == warm + 1)
    }
  }
}
