import DTMFolder
import DTMRepository
import DTMSystem
import DTMTestSupport
import Glibc
import Synchronization
import SystemPackage
import Testing

@Suite struct RestoreCrashTests {
  /// A folder in which everything that a restore can do has to be done.
  private func spoil(_ path: FilePath) throws {
    let command = """
      cd \(quoted(path)) && rm gone && echo bad > changed && chmod 600 mode && rm -r tree \
      && rm todir && mkdir todir && echo x > todir/x && rm -r tofile && echo y > tofile \
      && mkdir -p new/deep && echo z > new/deep/z && ln -sf elsewhere link && chmod 700 kept \
      && echo more > kept/more && rm kept/inner
      """
    let result = shell(command)
    #expect(result.status == 0, "\(result.output)")
  }

  private func prepare(_ fixture: RestoreFixture) throws -> (
    folder: Folder, good: KnownSnapshot, first: [String: ScannedEntry],
    second: [String: ScannedEntry]
  ) {
    let command = """
      cd \(quoted(fixture.folderPath)) && echo 1 > gone && head -c 300000 /dev/urandom > changed \
      && echo 3 > mode && mkdir -p tree/a/b tofile kept && echo 4 > tree/a/b/c && echo 5 > todir \
      && echo 6 > tofile/in && ln tree/a/b/c tree/hard && ln -s to link && echo 7 > kept/inner \
      && find . -depth -exec touch -h -d '2001-02-03 04:05:06.789' {} +
      """
    let result = shell(command)
    #expect(result.status == 0, "\(result.output)")
    let folder = try fixture.open()
    let first = try scan(fixture.folderPath)
    let good = try folder.take()
    try spoil(fixture.folderPath)
    return (folder, good, first, try scan(fixture.folderPath))
  }

  private func leftovers(_ fixture: RestoreFixture) -> String {
    shell("find \(quoted(fixture.folderPath)) -name '.dtm-restore-*'").output
  }

  /// The points that a restore of this folder passes, in order.
  private func points() throws -> [RestorePoint] {
    let seen = Mutex<[RestorePoint]>([])
    try withTemporaryDirectory { base in
      let (folder, good, _, _) = try prepare(try RestoreFixture(base))
      _ = try folder.restore(RestoreRequest(.snapshot(good))) { point throws(FolderError) in
        seen.withLock { $0.append(point) }
      }
    }
    return seen.withLock { $0 }
  }

  @Test func `cut off at any point, the next command finishes a restore or takes it back`() throws {
    let points = try points()
    #expect(points.count > 20)
    for stop in points.indices {
      try withTemporaryDirectory { base in
        let fixture = try RestoreFixture(base)
        let (folder, good, first, second) = try prepare(fixture)
        let passed = Atomic<Int>(0)
        #expect(throws: FolderError.self) {
          try folder.restore(RestoreRequest(.snapshot(good))) { _ throws(FolderError) in
            if passed.wrappingAdd(1, ordering: .relaxed).oldValue == stop {
              throw FolderError(.needsRecovery, "cut off")
            }
          }
        }
        let again = try fixture.open()
        #expect(try again.needsRecovery())
        let recovery = try #require(try again.recover())
        #expect(recovery.problems.isEmpty, "\(points[stop]): \(recovery.problems)")
        let isBuilt = points.firstIndex(of: .marked).map { stop >= $0 } ?? false
        #expect(recovery.isFinished == isBuilt, "\(points[stop])")
        let found = try scan(fixture.folderPath)
        #expect(
          differences(isBuilt ? first : second, found, ignoringDirectoryTimes: !isBuilt) == [],
          "\(points[stop])")
        #expect(leftovers(fixture) == "", "\(points[stop])")
        #expect(try again.needsRecovery() == false)
        #expect(try again.recover() == nil)
        #expect(try again.operations().count == (isBuilt ? 1 : 0), "\(points[stop])")
        // It can be taken back, and done again, as any other.
        if isBuilt {
          _ = try again.undo()
          #expect(
            differences(second, try scan(fixture.folderPath)) == [], "undo after \(points[stop])")
        }
        _ = try again.restore(RestoreRequest(.snapshot(good)))
        #expect(differences(first, try scan(fixture.folderPath)) == [], "\(points[stop])")
      }
    }
  }

  @Test func `a recovery that is itself cut off can be done again`() throws {
    let points = try points()
    let marked = try #require(points.firstIndex(of: .marked))
    for stop in 0..<(points.count - marked) {
      try withTemporaryDirectory { base in
        let fixture = try RestoreFixture(base)
        let (folder, good, first, _) = try prepare(fixture)
        #expect(throws: FolderError.self) {
          try folder.restore(RestoreRequest(.snapshot(good))) { point throws(FolderError) in
            if point == .marked { throw FolderError(.needsRecovery, "cut off") }
          }
        }
        let passed = Atomic<Int>(0)
        do {
          _ = try fixture.open().recover { _ throws(FolderError) in
            if passed.wrappingAdd(1, ordering: .relaxed).oldValue == stop {
              throw FolderError(.needsRecovery, "cut off")
            }
          }
        } catch {
          #expect((error as? FolderError)?.code == .needsRecovery)
        }
        _ = try fixture.open().recover()
        #expect(differences(first, try scan(fixture.folderPath)) == [], "\(stop)")
        #expect(leftovers(fixture) == "")
        #expect(try fixture.open().operations().count == 1)
      }
    }
  }

  @Test func `kill -9 at any point leaves no lock, and the next command finishes or takes back`()
    async throws
  {
    let count = try points().count
    var generator = SplitMix.fresh("kill -9 of a restore")
    for _ in 0..<6 {
      let stop = generator.below(count)
      let base = FilePath("/tmp/dtm-test-kill-\(generator.next())")
      try Descriptor.makeDirectory(at: base, mode: 0o700)
      defer { do { try removeTree(base) } catch { Issue.record(error) } }
      let fixture = try RestoreFixture(base)
      let (_, good, first, second) = try prepare(fixture)
      let (path, id, snapshot) = (base.string, fixture.id.hex, good.id.hex)
      await #expect(processExitsWith: .signal(SIGKILL)) {
        [
          path = path as String, id = id as String, snapshot = snapshot as String,
          stop = stop as Int
        ]
        in
        let packID = try #require(PackID(hex: id))
        let folder = try RestoreFixture(at: FilePath(path), id: packID).open()
        let known = try folder.history().snapshot(try #require(ObjectID(hex: snapshot)))
        let passed = Atomic<Int>(0)
        _ = try folder.restore(RestoreRequest(.snapshot(known))) { _ throws(FolderError) in
          if passed.wrappingAdd(1, ordering: .relaxed).oldValue == stop { raise(SIGKILL) }
        }
      }
      let folder = try fixture.open()
      let recovery = try #require(try folder.recover())
      let found = try scan(fixture.folderPath)
      #expect(
        differences(
          recovery.isFinished ? first : second, found,
          ignoringDirectoryTimes: !recovery.isFinished) == [])
      #expect(leftovers(fixture) == "")
    }
  }

  @Test func `a damaged chunk leaves its file as it is, and all others are restored`() throws {
    try withTemporaryDirectory { base in
      let fixture = try RestoreFixture(base)
      let (folder, good, first, second) = try prepare(fixture)
      _ = folder
      // Every pack's data but the header's beginning.
      let script = """
        cd \(quoted(fixture.repositoryPath)) && for f in live/*.data packs/*.data; do \
        [ -f $f ] || continue; chmod u+w $f; s=$(stat -c %s $f); \
        dd if=/dev/urandom of=$f bs=1 seek=$((s/2)) count=64 conv=notrunc 2>/dev/null; done
        """
      _ = shell(script)
      let again = try fixture.open()
      var request = RestoreRequest(.snapshot(good))
      request.takesSafetySnapshot = false
      let outcome = try again.restore(request)
      let damaged = Set(outcome.damaged.map { String(decoding: $0.path, as: UTF8.self) })
      #expect(damaged == ["changed"])
      #expect(outcome.problems.map(\.key) == outcome.damaged)
      #expect(
        outcome.written == outcome.plan.count { $0.kind == .added || $0.kind == .replaced } - 1)
      var wanted = first
      for path in damaged { wanted[path] = second[path] }
      #expect(
        differences(wanted, try scan(fixture.folderPath), ignoringDirectoryTimes: true) == [])
      #expect(leftovers(fixture) == "")
      #expect(try again.needsRecovery() == false)
    }
  }
}
