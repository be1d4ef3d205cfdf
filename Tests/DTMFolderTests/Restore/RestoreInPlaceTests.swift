import DTMFolder
import DTMRepository
import DTMSystem
import DTMTestSupport
import Glibc
import Synchronization
import SystemPackage
import Testing

/// Large files that are brought back where they are, with `--in-place`.
@Suite struct RestoreInPlaceTests {
  private static let length = 3 << 20

  /// A large file that has changed in three places, and a small one.
  private func prepare(_ fixture: RestoreFixture) throws -> (
    folder: Folder, good: KnownSnapshot, first: [String: ScannedEntry],
    second: [String: ScannedEntry]
  ) {
    // The same bytes each time, which are cut into the same chunks: as many steps in each run.
    var random = SplitMix(seed: 1)
    let words = (0..<Self.length / 8).map { _ in random.next() }
    let large = PathKey(bytes: Array("large".utf8))
    try Sandbox(path: fixture.folderPath).write(
      large, words.flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> ($0 * 8)) } })
    let made = shell(
      """
      cd \(quoted(fixture.folderPath)) && echo small > small && chmod 640 large \
      && touch -d '2001-02-03 04:05:06.789' large
      """)
    #expect(made.status == 0, "\(made.output)")
    let folder = try fixture.open()
    let good = try folder.take()
    let first = try scan(fixture.folderPath)
    let spoilt = shell(
      """
      cd \(quoted(fixture.folderPath)) && chmod 600 large && echo bad > small
      for place in 100000 1500000 2900000; do
        printf changed | dd of=large bs=1 seek=$place conv=notrunc status=none
      done
      truncate -s 2999999 large
      """)
    #expect(spoilt.status == 0, "\(spoilt.output)")
    return (folder, good, first, try scan(fixture.folderPath))
  }

  private func request(_ snapshot: KnownSnapshot) -> RestoreRequest {
    var request = RestoreRequest(.snapshot(snapshot))
    request.isInPlace = true
    return request
  }

  private func inode(_ fixture: RestoreFixture, _ name: String) -> String {
    shell("stat -c %i \(quoted(fixture.folderPath.appending(name)))").output
  }

  @Test func `only what differs is written, into the same file, and undo writes it back`() throws {
    try withTemporaryDirectory { base in
      let fixture = try RestoreFixture(base)
      let (folder, good, first, second) = try prepare(fixture)
      let (large, small) = (inode(fixture, "large"), inode(fixture, "small"))
      let outcome = try folder.restore(request(good))
      #expect(outcome.problems.isEmpty)
      #expect(outcome.written == 2)
      // Three changed places and a cut end, of chunks of 256 KiB at most.
      #expect(outcome.bytesWritten > 0 && outcome.bytesWritten <= 5 * 256 << 10)
      #expect(differences(first, try scan(fixture.folderPath)) == [])
      #expect(inode(fixture, "large") == large)
      #expect(inode(fixture, "small") != small)
      let back = try folder.undo(nil, as: request(good))
      #expect(back.restore?.problems.isEmpty == true)
      #expect(differences(second, try scan(fixture.folderPath)) == [])
      #expect(inode(fixture, "large") == large)
    }
  }

  @Test func `cut off after any write, the next command finishes it or nothing has changed`() throws
  {
    let seen = Mutex<[RestorePoint]>([])
    try withTemporaryDirectory { base in
      let (folder, good, _, _) = try prepare(try RestoreFixture(base))
      _ = try folder.restore(request(good)) { point throws(FolderError) in
        seen.withLock { $0.append(point) }
      }
    }
    let points = seen.withLock { $0 }
    #expect(points.count { if case .wrote = $0 { true } else { false } } >= 4)
    let marked = try #require(points.firstIndex(of: .marked))
    for stop in points.indices {
      try withTemporaryDirectory { base in
        let fixture = try RestoreFixture(base)
        let (folder, good, first, second) = try prepare(fixture)
        let passed = Atomic<Int>(0)
        #expect(throws: FolderError.self) {
          _ = try folder.restore(request(good)) { _ throws(FolderError) in
            if passed.wrappingAdd(1, ordering: .relaxed).oldValue == stop {
              throw FolderError(.needsRecovery, "cut off")
            }
          }
        }
        let again = try fixture.open()
        let recovery = try #require(try again.recover())
        #expect(recovery.problems.isEmpty, "\(points[stop]): \(recovery.problems)")
        #expect(recovery.isFinished == (stop >= marked), "\(points[stop])")
        #expect(
          differences(
            stop >= marked ? first : second, try scan(fixture.folderPath),
            ignoringDirectoryTimes: true) == [], "\(points[stop])")
        #expect(try again.recover() == nil)
        if stop >= marked {
          _ = try again.undo()
          #expect(
            differences(second, try scan(fixture.folderPath), ignoringDirectoryTimes: true) == [],
            "undo after \(points[stop])")
        }
      }
    }
  }

  @Test func `kill -9 between two writes: the next command finishes it`() async throws {
    let base = FilePath("/tmp/dtm-test-kill-\(Hex.string(SecureRandom.bytes(8)))")
    try Descriptor.makeDirectory(at: base, mode: 0o700)
    defer { do { try removeTree(base) } catch { Issue.record(error) } }
    let fixture = try RestoreFixture(base)
    let (_, good, first, _) = try prepare(fixture)
    let (path, id, snapshot) = (base.string, fixture.id.hex, good.id.hex)
    await #expect(processExitsWith: .signal(SIGKILL)) {
      [path = path as String, id = id as String, snapshot = snapshot as String] in
      let packID = try #require(PackID(hex: id))
      let folder = try RestoreFixture(at: FilePath(path), id: packID).open()
      var request = RestoreRequest(
        .snapshot(try folder.history().snapshot(try #require(ObjectID(hex: snapshot)))))
      request.isInPlace = true
      let passed = Atomic<Int>(0)
      _ = try folder.restore(request) { point throws(FolderError) in
        guard case .wrote = point else { return }
        if passed.wrappingAdd(1, ordering: .relaxed).oldValue == 1 { raise(SIGKILL) }
      }
    }
    #expect(try #require(try fixture.open().recover()).isFinished)
    #expect(
      differences(first, try scan(fixture.folderPath), ignoringDirectoryTimes: true) == [])
  }

  @Test func `it needs no room for a second copy`() throws {
    try withTemporaryDirectory { base in
      let fixture = try RestoreFixture(base)
      try withTmpfs(at: fixture.folderPath) {
        let path = quoted(fixture.folderPath)
        _ = shell("cd \(path) && head -c 12000000 /dev/urandom > large")
        let folder = try fixture.open()
        let good = try folder.take()
        let first = try scan(fixture.folderPath)
        _ = shell("cd \(path) && printf changed | dd of=large bs=1 seek=5000000 conv=notrunc")
        let second = try scan(fixture.folderPath)
        #expect(throws: FolderError(.noSpace, "")) {
          // What is there is of no use for most of it.
          _ = shell("cd \(path) && head -c 3900000 /dev/zero > filler")
          _ = try folder.restore(RestoreRequest(.snapshot(good), paths: ["large"]))
        }
        #expect(
          try scan(fixture.folderPath)["large"] == second["large"], "it is as it was")
        var request = request(good)
        request.paths = ["large"]
        let outcome = try folder.restore(request)
        #expect(outcome.problems.isEmpty)
        #expect(try scan(fixture.folderPath)["large"] == first["large"])
      }
    }
  }

  @Test func `what would grow beyond the room there is is refused before anything is touched`()
    throws
  {
    try withTemporaryDirectory { base in
      let fixture = try RestoreFixture(base)
      try withTmpfs(at: fixture.folderPath) {
        let path = quoted(fixture.folderPath)
        _ = shell("cd \(path) && head -c 9000000 /dev/urandom > large")
        let folder = try fixture.open()
        let good = try folder.take()
        _ = shell(
          "cd \(path) && head -c 1000000 /dev/urandom > large && head -c 10000000 /dev/zero > filler"
        )
        let second = try scan(fixture.folderPath)
        var request = request(good)
        request.paths = ["large"]
        #expect(throws: FolderError(.noSpace, "")) { _ = try folder.restore(request) }
        #expect(
          differences(second, try scan(fixture.folderPath), ignoringDirectoryTimes: true) == [])
        #expect(try folder.needsRecovery() == false)
      }
    }
  }

  @Test func `a disk that fills up meanwhile: what was there is written back, and it is said`()
    throws
  {
    try withTemporaryDirectory { base in
      let fixture = try RestoreFixture(base)
      try withTmpfs(at: fixture.folderPath) {
        let path = quoted(fixture.folderPath)
        _ = shell("cd \(path) && head -c 6000000 /dev/urandom > large")
        let folder = try fixture.open()
        let good = try folder.take()
        // The same size, but for a beginning all hole: it can't be filled again.
        _ = shell(
          """
          cd \(path) && head -c 1100000 /dev/urandom > large && truncate -s 6000000 large
          head -c 13000000 /dev/zero > filler
          """)
        let second = try scan(fixture.folderPath)
        var request = request(good)
        request.paths = ["large"]
        let outcome = try folder.restore(request)
        #expect(outcome.problems.map(\.key) == ["large"])
        #expect(outcome.written == 0)
        #expect(try scan(fixture.folderPath)["large"]?.content == second["large"]?.content)
        #expect(try scan(fixture.folderPath)["large"]?.modified == second["large"]?.modified)
        #expect(try folder.needsRecovery() == false)
      }
    }
  }

  @Test func `a file that somebody has open for writing is left, and it is said`() throws {
    try withTemporaryDirectory { base in
      let fixture = try RestoreFixture(base)
      let (folder, good, first, second) = try prepare(fixture)
      let writer = try Descriptor.open(fixture.folderPath.appending("large"), .writeOnly)
      let outcome = try folder.restore(request(good))
      withExtendedLifetime(writer) {}
      #expect(outcome.problems.map(\.key) == ["large"])
      let found = try scan(fixture.folderPath)
      #expect(found["large"] == second["large"])
      #expect(found["small"] == first["small"])
    }
  }

  @Test func `of a file with two names the one that was asked for is replaced`() throws {
    try withTemporaryDirectory { base in
      let fixture = try RestoreFixture(base)
      let (folder, good, first, second) = try prepare(fixture)
      _ = shell("cd \(quoted(fixture.folderPath)) && ln large ../other")
      let outcome = try folder.restore(request(good))
      #expect(outcome.problems.isEmpty)
      #expect(try scan(fixture.folderPath)["large"] == first["large"])
      #expect(
        shell("sha256sum < \(quoted(base.appending("other")))").output
          != shell("sha256sum < \(quoted(fixture.folderPath.appending("large")))").output)
      #expect(second["large"] != first["large"])
    }
  }

  @Test func `holes come back as holes`() throws {
    try withTemporaryDirectory { base in
      let fixture = try RestoreFixture(base)
      let path = quoted(fixture.folderPath)
      _ = shell(
        """
        cd \(path) && truncate -s 40M sparse && printf data | dd of=sparse bs=1 seek=9000000 \
        conv=notrunc status=none
        """)
      let folder = try fixture.open()
      let good = try folder.take()
      let first = try scan(fixture.folderPath)
      _ = shell(
        "cd \(path) && head -c 8000000 /dev/urandom | dd of=sparse conv=notrunc status=none")
      let outcome = try folder.restore(request(good))
      #expect(outcome.problems.isEmpty)
      #expect(differences(first, try scan(fixture.folderPath)) == [])
      #expect(try #require(try scan(fixture.folderPath)["sparse"]).isSparse)
    }
  }

  @Test func `without a safety snapshot nothing is written in place`() throws {
    try withTemporaryDirectory { base in
      let fixture = try RestoreFixture(base)
      let (folder, good, _, second) = try prepare(fixture)
      var request = request(good)
      request.takesSafetySnapshot = false
      #expect(throws: FolderError(.invalidInput, "")) { _ = try folder.restore(request) }
      #expect(differences(second, try scan(fixture.folderPath)) == [])
    }
  }

  @Test func `damage of what is wanted, or of what is there, leaves the file as it is`() throws {
    try withTemporaryDirectory { base in
      let fixture = try RestoreFixture(base)
      let (folder, good, _, second) = try prepare(fixture)
      _ = folder
      _ = shell(
        """
        cd \(quoted(fixture.repositoryPath)) && for f in live/*.data packs/*.data; do \
        [ -f $f ] || continue; chmod u+w $f; s=$(stat -c %s $f); for i in $(seq 8000 8000 $s); do \
        dd if=/dev/urandom of=$f bs=1 seek=$i count=64 conv=notrunc 2>/dev/null; done; done
        """)
      let outcome = try fixture.open().restore(request(good))
      #expect(outcome.damaged == ["large"])
      let found = try scan(fixture.folderPath)
      #expect(found["large"] == second["large"])
    }
  }
}
