import DTMFolder
import DTMRepository
import DTMSystem
import DTMTestSupport
import SystemPackage
import Testing

/// Archives of whole trees.
@Suite struct ArchiveTests {
  /// An archive of a snapshot, in memory.
  private func archive(
    _ folder: Folder, _ known: KnownSnapshot, _ paths: [PathKey] = []
  ) throws -> (bytes: [UInt8], outcome: ExportOutcome) {
    var bytes: [UInt8] = []
    var export = TreeExport(
      Tree(root: known.snapshot.tree, objects: folder.repository.objects),
      folder.repository.objects
    ) { bytes += $0 }
    let outcome = try export.write(paths)
    return (bytes, outcome)
  }

  private func read(_ bytes: [UInt8], _ fixture: RestoreFixture) throws -> SnapshotOutcome {
    let path = fixture.base.appending("read.tar")
    try Descriptor.open(path, [.writeOnly, .create, .truncate]).write(bytes, at: 0)
    let repository = try Repository(at: fixture.repositoryPath)
    return try ArchiveImport(
      repository, folder: fixture.id, time: SystemTimeSource(), progress: WorkProgress()
    ).run(try ArchiveSource("archive", try Descriptor.open(path, [.readOnly])), ImportRequest())
  }

  @Test(arguments: 0..<6) func `a random tree comes back from an archive with the same id`(
    round: Int
  ) throws {
    var generator = SplitMix.fresh("archive round trip \(round)")
    try withTemporaryDirectory { base in
      let fixture = try RestoreFixture(base)
      let folder = try fixture.open()
      var maker = RestoreTreeMaker(fixture.folderPath, SplitMix(seed: generator.next()))
      try maker.grow(80)
      try maker.settleTimes()
      let good = try folder.take()
      let (bytes, outcome) = try archive(folder, good)
      #expect(outcome.problems.isEmpty)
      #expect(bytes.count.isMultiple(of: 10_240))
      let found = try read(bytes, fixture)
      #expect(found.snapshot?.tree == good.snapshot.tree)
      #expect(found.snapshot?.counts.files == good.snapshot.counts.files)
      #expect(try folder.history().head == good.id)
      // Again, as a child of the first.
      let again = try read(bytes, fixture)
      #expect(again.snapshot?.parent == found.id)
      #expect(again.snapshot?.counts.modified == 0)
      // GNU tar reads the same out of it.
      let file = base.appending("a.tar")
      try Descriptor.open(file, [.writeOnly, .create]).write(bytes, at: 0)
      let there = base.appending("there")
      #expect(
        shell(
          "mkdir \(quoted(there)) && tar --acls --xattrs --xattrs-include='*' -xpf \(quoted(file)) -C \(quoted(there))"
        ).status == 0)
      #expect(differences(try scan(fixture.folderPath), try scan(there)) == [])
    }
  }

  @Test func `an archive that is cut off anywhere, or damaged, records nothing`() throws {
    try withTemporaryDirectory { base in
      let fixture = try RestoreFixture(base)
      let folder = try fixture.open()
      _ = shell(
        """
        cd \(quoted(fixture.folderPath)) && mkdir d && echo 1 > d/f && truncate -s 70000 hole \
        && printf x | dd of=hole bs=1 seek=66000 conv=notrunc 2>/dev/null && ln d/f again \
        && echo 2 > "$(printf 'n%.0s' $(seq 200))"
        """)
      let good = try folder.take()
      let (bytes, _) = try archive(folder, good)
      // Two blocks of zeros end it; behind the first all is read.
      let last = (bytes.lastIndex { $0 != 0 } ?? 0) / 512 * 512 + 512
      for length in stride(from: 0, to: last + 512, by: 256) {
        let error = #expect(throws: FolderError.self, "\(length) bytes") {
          try read(Array(bytes[..<length]), fixture)
        }
        #expect(error?.code == .corrupt)
      }
      #expect(try folder.history().branch("imported") == nil)
      #expect(try read(Array(bytes[..<(last + 512)]), fixture).snapshot?.tree == good.snapshot.tree)
    }
  }

  @Test func `a member that leaves the folder is refused, and a repository left out`() throws {
    try withTemporaryDirectory { base in
      let fixture = try RestoreFixture(base)
      let folder = try fixture.open()
      func archive(_ name: String, _ kind: TarHeader.Kind = .file, to target: String = "")
        -> [UInt8]
      {
        var header = TarHeader(kind)
        header.name = Array(name.utf8)
        header.target = Array(target.utf8)
        header.mode = 0o644
        return header.encoded + [UInt8](repeating: 0, count: 1024)
      }
      for name in ["../x", "a/../../x", "..", "/../x"] {
        let error = #expect(throws: FolderError.self, "\(name)") {
          try read(archive(name), fixture)
        }
        #expect(error?.code == .corrupt)
      }
      // Without a name it would be the folder itself.
      #expect(throws: FolderError.self) { try read(archive("./"), fixture) }
      #expect(throws: FolderError.self) { try read(archive("a", .link, to: "../b"), fixture) }
      let absolute = try read(archive("/etc/passwd"), fixture)
      let tree = Tree(
        root: try #require(absolute.snapshot?.tree),
        objects: try Repository(at: fixture.repositoryPath).objects)
      #expect(try tree.entry("etc/passwd")?.kind == .file)
      #expect(try tree.entry("etc")?.permissions == 0o755)
      #expect(try read(archive(".dtm/x"), fixture).snapshot?.counts.entries == 0)
      let dangling = try read(archive("a", .link, to: "b"), fixture)
      #expect(dangling.problems.map(\.kind) == [.unreadable])
      _ = folder
    }
  }

  @Test func `what GNU tar writes is read, in each of its forms`() throws {
    try withTemporaryDirectory { base in
      let fixture = try RestoreFixture(base)
      let folder = try fixture.open()
      let path = quoted(fixture.folderPath)
      let made = shell(
        """
        set -e; cd \(path) && mkdir -p long/$(printf 'd%.0s' $(seq 90))/$(printf 'e%.0s' $(seq 90)) \
        && echo 1 > f && mv f long/d*/e*/ && ln -s $(printf 't%.0s' $(seq 150)) link && ln link link2 \
        && truncate -s 3000000 holes && for i in $(seq 0 100000 2900000); do \
        printf data | dd of=holes bs=1 seek=$i conv=notrunc 2>/dev/null; done; echo 3 > last \
        && find . -exec touch -hd @1500000000 {} +
        """)
      #expect(made.status == 0, "\(made.output)")
      let good = try folder.take()
      let archive = quoted(base.appending("a.tar"))
      for options in [
        "--format=gnu", "--format=gnu -S", "--format=pax", "--format=pax -S --sparse-version=1.0",
        "--format=pax -S --sparse-version=0.1", "--format=pax -S --sparse-version=0.0",
      ] {
        let packed = shell(
          "tar \(options) --xattrs --acls -cf \(archive) -C \(path) --exclude=.dtm .")
        #expect(packed.status == 0, "\(packed.output)")
        let bytes = try Descriptor.open(base.appending("a.tar"), [.readOnly]).readToEnd()
        let outcome = try read(bytes, fixture)
        let objects = try Repository(at: fixture.repositoryPath).objects
        let tree = Tree(root: try #require(outcome.snapshot?.tree), objects: objects)
        let wanted = Tree(root: good.snapshot.tree, objects: objects)
        var lines: [String] = []
        try tree.forEachDifference(from: wanted) { difference in
          // Without -S what is a hole comes as zeros.
          if difference.new?.key != "holes" || options.contains("-S") {
            lines.append("\(difference.old.debugDescription) → \(difference.new.debugDescription)")
          }
          return true
        }
        #expect(lines == [], "\(options)")
        #expect(try tree.entry("holes")?.isSparse == options.contains("-S"), "\(options)")
        let content = ContentReader(objects)
        let entries = (
          try #require(try tree.entry("holes")), try #require(try wanted.entry("holes"))
        )
        #expect(
          try content.bytes(of: entries.0.content, size: entries.0.size)
            == content.bytes(of: entries.1.content, size: entries.1.size))
      }
    }
  }
}
