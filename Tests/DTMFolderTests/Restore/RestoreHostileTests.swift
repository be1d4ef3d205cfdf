import DTMFolder
import DTMRepository
import DTMSystem
import DTMTestSupport
import Glibc
import Synchronization
import SystemPackage
import Testing

@Suite struct RestoreHostileTests {
  @Test(arguments: [
    [0x2E, 0x2E], Array("a\0..\0b".utf8), [], Array("a\0\0b".utf8), Array("a/b".utf8), [0x2E],
    Array("x\0.dtm\0config.json".utf8), Array(".dtm".utf8),
    [UInt8](repeating: 0x61, count: 256),
  ])
  func `a path that leads elsewhere is never planned`(bytes: [UInt8]) throws {
    let key = PathKey(bytes: bytes)
    let entry = TreeEntry(
      key: key, kind: .file, permissions: 0o644, size: 1, content: .inline([1]))
    let inner = TreeEntry(
      key: key.appending([0x61]), kind: .file, permissions: 0o644, size: 1, content: .inline([1]))
    var planner = RestorePlanner(keepsAdded: false) { _ in
      1
    } present: { _ in
      nil
    } wanted: {
      _ in
      nil
    }
    let plan = try planner.plan(
      [TreeDifference(old: nil, new: entry), TreeDifference(old: nil, new: inner)], name: "0")
    if !key.isRoot {
      #expect(plan.items.isEmpty)
      #expect(plan.problems.count == 1)
    } else {
      #expect(plan.items.map(\.key) == [inner.key])
    }
  }

  @Test func `a snapshot that holds a repository does not write into the real one`() throws {
    try withTemporaryDirectory { base in
      let fixture = try RestoreFixture(base)
      let folder = try fixture.open()
      _ = shell(
        "cd \(quoted(fixture.folderPath)) && mkdir .dtm && echo own > .dtm/config.json && echo 1 > a"
      )
      let good = try folder.take()
      let session = try folder.repository.beginSession()
      let tree = Tree(root: good.snapshot.tree, objects: session)
      let directory = PathKey(bytes: Array(".dtm".utf8))
      let crafted = try tree.applying(
        TreeBatch(entries: [
          TreeEntry(key: directory, kind: .directory, permissions: 0o700),
          TreeEntry(
            key: directory.appending(Array("config.json".utf8)), kind: .file, permissions: 0o644,
            size: 4, content: .inline(Array("evil".utf8))),
          TreeEntry(
            key: PathKey(bytes: Array("b".utf8)), kind: .file, permissions: 0o644, size: 1,
            content: .inline([0x62])),
        ]), to: session)
      var snapshot = good.snapshot
      snapshot.tree = crafted.root
      snapshot.parent = good.id
      let id = try session.write(.snapshot, snapshot.encoded)
      _ = try session.commit(RecordDraft(kind: "snapshot"), at: SystemTimeSource().now())
      let outcome = try folder.restore(
        RestoreRequest(.snapshot(KnownSnapshot(id: id, snapshot: snapshot))))
      #expect(outcome.problems.map(\.key) == [directory])
      #expect(shell("cat \(quoted(fixture.folderPath))/.dtm/config.json").output == "own\n")
      #expect(shell("cat \(quoted(fixture.folderPath))/b").output == "b")
    }
  }

  @Test func `a symbolic link that is swapped in never leads a restore out of the folder`() throws {
    try withTemporaryDirectory { base in
      let fixture = try RestoreFixture(base)
      let folder = try fixture.open()
      let path = quoted(fixture.folderPath)
      let outside = base.appending("outside")
      _ = shell(
        """
        mkdir \(quoted(outside)) && cd \(path) && mkdir -p d/e && for i in $(seq 40); do \
        echo good $i > d/$i; echo good $i > d/e/$i; done
        """)
      let good = try folder.take()
      let stop = Mutex(false)
      let root = fixture.folderPath
      let swaps = Atomic<Int>(0)
      let swapper = try DedicatedThread(named: "swapper") {
        let link = root.appending("swapped").string
        let target = outside.string
        let (directory, aside) = (root.appending("d").string, root.appending("aside").string)
        while !stop.withLock({ $0 }) {
          _ = unsafe rename(directory, aside)
          _ = unsafe symlink(target, link)
          _ = unsafe rename(link, directory)
          swaps.wrappingAdd(1, ordering: .relaxed)
          _ = unsafe unlink(directory)
          _ = unsafe rename(aside, directory)
        }
      }
      for round in 0..<25 {
        _ = shell("cd \(path) && for i in $(seq 40); do echo bad > d/$i; rm -f d/e/$i; done")
        do {
          var request = RestoreRequest(.snapshot(good))
          request.takesSafetySnapshot = round % 2 == 0
          _ = try folder.restore(request)
        } catch {
          // What it may say when the ground moves; it must not write outside.
          #expect((error as? FolderError)?.code != .corrupt, "\(error)")
        }
      }
      stop.withLock { $0 = true }
      swapper.join()
      #expect(swaps.load(ordering: .relaxed) > 25)
      // The shell's own writes through the link are all there may be.
      #expect(
        shell("cd \(quoted(outside)) && grep -l good * 2>/dev/null | head; ls -a | grep dtm").output
          == "")
    }
  }

  @Test func `ignored files keep a directory that has to go, and it is said`() throws {
    try withTemporaryDirectory { base in
      let fixture = try RestoreFixture(base)
      let folder = try fixture.open(ignoring: ["*.tmp"])
      let path = quoted(fixture.folderPath)
      _ = shell("cd \(path) && echo 1 > a && echo 1 > b")
      let good = try folder.take()
      _ = shell(
        "cd \(path) && mkdir d && echo x > d/x.tmp && echo y > d/y && rm b && mkdir b && echo z > b/z.tmp"
      )
      let outcome = try folder.restore(RestoreRequest(.snapshot(good)))
      #expect(outcome.problems.map(\.key.path) == [Array("b".utf8), Array("d".utf8)])
      #expect(shell("cd \(path) && find . -type f | sort").output == "./a\n./b/z.tmp\n./d/x.tmp\n")
    }
  }

  @Test func `a nested repository is never touched`() throws {
    try withTemporaryDirectory { base in
      let fixture = try RestoreFixture(base)
      let folder = try fixture.open()
      let path = quoted(fixture.folderPath)
      _ = shell("cd \(path) && mkdir n && echo 1 > n/f && echo 1 > a")
      let good = try folder.take()
      _ = shell("cd \(path) && mkdir n/.dtm && echo 2 > n/f && echo 2 > a")
      let outcome = try folder.restore(RestoreRequest(.snapshot(good)))
      #expect(shell("cd \(path) && cat a n/f").output == "1\n2\n")
      #expect(!outcome.problems.isEmpty)
    }
  }

  @Test func `a file that changes after the safety snapshot is left, and it is said`() throws {
    try withTemporaryDirectory { base in
      let fixture = try RestoreFixture(base)
      let folder = try fixture.open()
      let path = quoted(fixture.folderPath)
      _ = shell("cd \(path) && echo 1 > a && echo 1 > b && echo 1 > c")
      let good = try folder.take()
      _ = shell("cd \(path) && echo 2 > a && echo 2 > b && rm c")
      let outcome = try folder.restore(RestoreRequest(.snapshot(good))) {
        point throws(FolderError) in
        if point == .marked {
          _ = shell("cd \(path) && echo pipeline > a && echo pipeline > c")
        }
      }
      #expect(shell("cd \(path) && cat a b c").output == "pipeline\n1\npipeline\n")
      #expect(outcome.problems.map(\.kind) == [.changing, .changing])
      #expect(shell("find \(path) -name '.dtm-restore-*'").output == "")
    }
  }

  @Test func `a name of a file outside is not changed with the one inside`() throws {
    try withTemporaryDirectory { base in
      let fixture = try RestoreFixture(base)
      let folder = try fixture.open()
      let path = quoted(fixture.folderPath)
      _ = shell("cd \(path) && echo 1 > a && chmod 600 a")
      let good = try folder.take()
      _ = shell("cd \(path) && ln a ../outside && chmod 644 a")
      let outcome = try folder.restore(RestoreRequest(.snapshot(good)))
      #expect(outcome.problems.isEmpty)
      #expect(shell("cd \(path) && stat -c %a a ../outside").output == "600\n644\n")
    }
  }
}
