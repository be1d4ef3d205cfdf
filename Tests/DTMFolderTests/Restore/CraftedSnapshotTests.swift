import DTMFolder
import DTMRepository
import DTMSystem
import DTMTestSupport
import Glibc
import Synchronization
import SystemPackage
import Testing

/// Snapshots that nobody's folder had: every way to bring one back leaves all outside as it is.
@Suite struct CraftedSnapshotTests {
  private static let names: [[UInt8]] = [
    [0x2E, 0x2E], Array("../outside".utf8), Array("/etc/dtm-test-evil".utf8), [0x2E],
    Array("a/b".utf8),
    [UInt8](repeating: 0x61, count: 256), [UInt8](repeating: 0x61, count: 5000), [],
  ]

  /// A snapshot with a good file and, in a directory of its own and at the top, each of the names; nil
  /// where the tree does not take a name.
  private func craft(_ folder: Folder, _ name: [UInt8]) throws -> KnownSnapshot? {
    let good = try folder.take()
    let session = try folder.repository.beginSession()
    let tree = Tree(root: good.snapshot.tree, objects: session)
    let crafted: Tree
    do {
      var entries: [TreeEntry] = []
      for parent in [PathKey.root, "dir"] {
        if parent != .root {
          entries.append(TreeEntry(key: parent, kind: .directory, permissions: 0o755))
        }
        var key = parent
        key.bytes += (parent.isRoot ? [] : [0]) + name
        entries.append(
          TreeEntry(
            key: key, kind: .file, permissions: 0o4755, size: 4,
            content: .inline(Array("evil".utf8))))
      }
      crafted = try tree.applying(
        TreeBatch(entries: entries.sorted { $0.key < $1.key }), to: session)
    } catch { return nil }
    var snapshot = good.snapshot
    snapshot.tree = crafted.root
    snapshot.parent = good.id
    let id = try session.write(.snapshot, snapshot.encoded)
    _ = try session.commit(RecordDraft(kind: "snapshot"), at: SystemTimeSource().now())
    return KnownSnapshot(id: id, snapshot: snapshot)
  }

  @Test(arguments: names)
  func `nothing is written outside the folder, or outside where it is laid out`(
    name: [UInt8]
  ) throws {
    try withTemporaryDirectory { base in
      let fixture = try RestoreFixture(base)
      _ = shell(
        "cd \(quoted(base)) && echo own > outside && mkdir there && echo good > folder/good && echo 1 > folder/a"
      )
      let folder = try fixture.open()
      // What the tree itself refuses can't be in one.
      guard let crafted = try craft(folder, name) else { return }
      let listing =
        "cd \(quoted(base)) && find . -path ./repository -prune -o -print | sort; cat outside"
      for destination in [nil, base.appending("there")] {
        let before = shell(listing).output
        var request = RestoreRequest(.snapshot(crafted))
        request.destination = destination
        do {
          let outcome = try folder.restore(request)
          #expect(!outcome.problems.isEmpty)
        } catch {
          #expect(error is FolderError)
        }
        let allowed = ["./folder/dir", "./there/dir", "./there/good", "./there/a"]
        let after = shell(listing).output.split(separator: "\n")
          .filter { !allowed.contains(String($0)) }
        let expected = before.split(separator: "\n").filter { !allowed.contains(String($0)) }
        #expect(after == expected)
        #expect(shell("ls /etc/dtm-test-evil").status != 0)
      }
    }
  }

  @Test func `no file that is not its owner's lends root's rights, at any moment`() throws {
    guard geteuid() == 0 else {
      print(
        "SKIPPED: no file that is not its owner's lends root's rights: only root can give files")
      return
    }
    for isInPlace in [false, true] {
      try withTemporaryDirectory { base in
        let fixture = try RestoreFixture(base)
        let path = quoted(fixture.folderPath)
        let made = shell(
          """
          cd \(path) && echo 1 > tool && head -c 1500000 /dev/urandom > large \
          && chown 65534:65534 tool large && chmod 6755 tool large
          """)
        try #require(made.status == 0, "\(made.output)")
        let folder = try fixture.open()
        let good = try folder.take()
        let first = try scan(fixture.folderPath)
        // Another's content comes into what is root's, and lends its rights, now.
        _ = shell(
          """
          cd \(path) && rm tool && printf bad | dd of=large bs=1 seek=9000 conv=notrunc status=none
          chown 0:0 large && chmod 6755 large
          """)
        let own = shell("sha256sum < \(path)/large").output
        var request = RestoreRequest(.snapshot(good))
        request.isInPlace = isInPlace
        let seen = Atomic<Int>(0)
        let outcome = try folder.restore(request) { _ throws(FolderError) in
          seen.wrappingAdd(1, ordering: .relaxed)
          let lending = shell(
            "cd \(path) && find . -type f -user 0 -perm /6000 -exec sh -c 'sha256sum < \"$1\"' - {} \\;"
          ).output
          #expect(lending == "" || lending == own)
        }
        #expect(seen.load(ordering: .relaxed) > 5)
        #expect(outcome.problems.isEmpty)
        #expect(differences(first, try scan(fixture.folderPath)) == [])
        // By another than root it comes back without rights that it would lend of another's.
        _ = shell("rm -f \(path)/tool")
      }
    }
  }

  @Test func `who is not root gets no rights of others with a file, and it is said`() throws {
    guard geteuid() == 0 else {
      print("SKIPPED: who is not root gets no rights of others: only root can give files")
      return
    }
    try withTemporaryDirectory { base in
      let fixture = try RestoreFixture(base)
      let path = quoted(fixture.folderPath)
      _ = shell("cd \(path) && echo 1 > tool && chmod 4755 tool")
      let good = try fixture.open().take()
      _ = shell(
        "chmod 711 \(quoted(base)) && chown -R 65534:65534 \(quoted(base)) && rm \(path)/tool")
      let problems = try asStranger { () throws -> [String] in
        let folder = try fixture.open()
        return try folder.restore(RestoreRequest(.snapshot(good))).problems.map(\.detail)
      }
      #expect(problems.contains { $0.contains("owner") })
      #expect(shell("stat -c '%a %u' \(path)/tool").output == "755 65534\n")
    }
  }
}
