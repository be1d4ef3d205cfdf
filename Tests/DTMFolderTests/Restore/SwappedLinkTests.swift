import DTMFolder
import DTMRepository
import DTMSystem
import DTMTestSupport
import Glibc
import Synchronization
import SystemPackage
import Testing

/// Directories and files that become symbolic links while a capture or a restore is at work: nothing
/// outside the folder gets into a snapshot, and nothing there is written.
@Suite struct SwappedLinkTests {
  private static let secret = "secret of somebody else\n"

  /// A folder with a directory and a large file, and the same names outside it.
  private func prepare(_ fixture: RestoreFixture) throws {
    let made = shell(
      """
      cd \(quoted(fixture.base)) && mkdir -p outside/e && cd folder && mkdir -p d/e \
      && for i in 1 2 3; do echo $i > d/$i; echo $i > d/e/$i; \
      printf '\(Self.secret)' > ../outside/$i; printf '\(Self.secret)' > ../outside/e/$i; done \
      && head -c 1500000 /dev/urandom > large && head -c 1500000 /dev/zero > ../outside-large
      """)
    try #require(made.status == 0, "\(made.output)")
  }

  /// What a name of the folder is swapped with.
  private enum Victim: String, CaseIterable {
    case directory = "d"
    case inner = "d/e"
    case file = "d/2"
    case large

    var outside: String {
      switch self {
      case .directory: "outside"
      case .inner: "outside/e"
      case .file: "outside/2"
      case .large: "outside-large"
      }
    }
  }

  private func swap(_ base: FilePath, _ victim: Victim) {
    let name = base.appending("folder").string + "/" + victim.rawValue
    _ = unsafe rename(name, base.appending("aside").string)
    _ = unsafe symlink(base.appending(victim.outside).string, name)
  }

  private func outside(_ base: FilePath) throws -> [String: ScannedEntry] {
    var found = try scan(base.appending("outside"))
    let large = try Descriptor.open(base.appending("outside-large"), .readOnly)
    found["large"] = ScannedEntry(kind: .file, content: try large.readToEnd())
    return found
  }

  private func entries(_ snapshot: Snapshot, _ repository: Repository) throws -> [TreeEntry] {
    var entries: [TreeEntry] = []
    try Tree(root: snapshot.tree, objects: repository.objects).forEach {
      entries.append($0)
      return true
    }
    return entries
  }

  @Test(arguments: ["d", "d/e", "d/2", "large"])
  func `a capture reads nothing outside, whenever a link is swapped in`(name: String) throws {
    let victim = try #require(Victim(rawValue: name))
    var calls = 0
    var moment = 0
    repeat {
      moment += 1
      try withTemporaryDirectory { base in
        let fixture = try RestoreFixture(base)
        try prepare(fixture)
        let count = Mutex(0)
        let (stop, action) = (moment, { [self] in swap(base, victim) } as @Sendable () -> Void)
        let time = HookedTime { call in
          count.withLock { $0 = call }
          if call == stop { action() }
        }
        let repository = try Repository(at: fixture.repositoryPath)
        let folder = try Folder(
          at: fixture.folderPath, id: fixture.id, repository: repository,
          repositoryPath: fixture.repositoryPath, environment: .hooked(time))
        let snapshot = try folder.take()
        calls = count.withLock { $0 }
        for entry in try entries(snapshot.snapshot, repository) where entry.kind == .file {
          let bytes = try ContentReader(repository.objects).bytes(
            of: entry.content, size: entry.size)
          let isZeros = bytes.count > 1000 && bytes.allSatisfy { $0 == 0 }
          #expect(bytes != Array(Self.secret.utf8) && !isZeros, "\(entry.key) at \(stop)")
        }
      }
    } while moment < calls
    #expect(calls > 10)
  }

  @Test(arguments: ["d", "d/e", "d/2", "large"], [false, true])
  func `a restore writes nothing outside, whenever a link is swapped in`(
    name: String, isInPlace: Bool
  ) throws {
    let victim = try #require(Victim(rawValue: name))
    var points = 0
    var moment = 0
    repeat {
      try withTemporaryDirectory { base in
        let fixture = try RestoreFixture(base)
        try prepare(fixture)
        let folder = try fixture.open()
        let good = try folder.take()
        _ = shell(
          """
          cd \(quoted(fixture.folderPath)) && for i in 1 2; do echo bad > d/$i; echo bad > d/e/$i; done
          rm d/3 d/e/3; printf bad | dd of=large bs=1 seek=700000 conv=notrunc status=none
          mkdir d/added; echo > d/added/x
          """)
        let before = try outside(base)
        let passed = Atomic<Int>(0)
        let (stop, action) = (moment, { [self] in swap(base, victim) } as @Sendable () -> Void)
        var request = RestoreRequest(.snapshot(good))
        request.isInPlace = isInPlace
        do {
          let outcome = try folder.restore(request) { _ throws(FolderError) in
            if passed.wrappingAdd(1, ordering: .relaxed).oldValue == stop { action() }
          }
          // Where it was swapped before its turn came, that is said.
          if stop == 0 { #expect(!outcome.problems.isEmpty) }
        } catch {
          #expect((error as? FolderError)?.code != .corrupt, "\(error)")
        }
        points = passed.load(ordering: .relaxed)
        #expect(differences(before, try outside(base)) == [], "\(name) at \(stop)")
      }
      moment += 1
    } while moment < points
    #expect(points > 10)
  }

  @Test func `a thread that swaps in a loop gets nothing into a snapshot`() throws {
    try withTemporaryDirectory { base in
      let fixture = try RestoreFixture(base)
      try prepare(fixture)
      let folder = try fixture.open()
      let isDone = Atomic(false)
      let swaps = Atomic<Int>(0)
      let swapper = try DedicatedThread(named: "swapper") {
        let directory = base.appending("folder/d").string
        let (aside, link) = (base.appending("aside").string, base.appending("link").string)
        _ = unsafe symlink(base.appending("outside").string, link)
        while !isDone.load(ordering: .relaxed) {
          _ = unsafe rename(directory, aside)
          _ = unsafe rename(link, directory)
          swaps.wrappingAdd(1, ordering: .relaxed)
          _ = unsafe rename(directory, link)
          _ = unsafe rename(aside, directory)
        }
      }
      defer {
        isDone.store(true, ordering: .relaxed)
        swapper.join()
      }
      var seen = 0
      for round in 0..<(LongForm.isAsked ? 3000 : 150) {
        var request = SnapshotRequest(
          ChangeSet(basis: round % 2 == 0 ? .full : .scan), trigger: "manual")
        request.ignoresHotLimit = true
        guard let snapshot = try folder.snapshot(request).snapshot else { continue }
        for entry in try entries(snapshot, folder.repository) {
          if entry.key.isBeneath("d") { seen += 1 }
          #expect(entry.content != .inline(Array(Self.secret.utf8)), "\(entry.key)")
        }
      }
      #expect(swaps.load(ordering: .relaxed) > 100)
      #expect(seen > 0)
    }
  }
}
