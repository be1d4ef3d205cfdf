import DTMSystem
import Glibc
import Testing

/// Random trees with all that a file system keeps, compared by rsync, which knows nothing of `dtm`;
/// inode flags, which rsync leaves out, by the script that made them.
@Suite(.needsPrograms, .serialized) struct `A restore brings back everything on` {
  @Test(arguments: ["ext4", "xfs", "btrfs"]) func `a disk`(kind: String) throws {
    let work = try Workspace()
    guard
      let disk = try LoopDisk.make(
        work, kind, size: kind == "xfs" ? "400M" : "300M", in: work.memory, named: kind,
        for: "A restore brings back everything on a disk")
    else { return }
    defer { disk.end() }
    try work.moveLake(to: disk.path + "/lake")
    try compare(work, beside: disk.path, kind)
  }

  @Test(arguments: ["tmpfs", "overlay"]) func `a file system of the kernel's own`(
    kind: String
  ) throws {
    let work = try Workspace()
    let place = work.path("mounted")
    let mounted = try work.shellOutcome(
      kind == "tmpfs"
        ? "mkdir mounted; mount -t tmpfs tmpfs mounted"
        : """
        mkdir lower mounted layer; mount -t tmpfs tmpfs layer; mkdir layer/upper layer/work
        mount -t overlay overlay -o lowerdir=lower,upperdir=layer/upper,workdir=layer/work mounted
        """)
    guard mounted.status == 0 else {
      print("SKIPPED: A restore brings back everything on \(kind): \(mounted.errorText)")
      return
    }
    defer { _ = try? work.shell("umount mounted; ! mountpoint -q layer || umount layer") }
    try work.moveLake(to: place + "/lake")
    try compare(work, beside: place, kind)
  }

  @Test func `any disk, without privilege`() throws {
    let work = try Workspace()
    try work.becomeOrdinaryUser()
    try compare(work, beside: work.root, "without privilege")
  }

  // MARK: -

  private static let rounds = Programs.isLong ? 25 : 2

  private var script: String {
    get throws {
      let packaging = try #require(Programs.packaging)
      return packaging + "/../Tests/Fidelity/random_tree.py"
    }
  }

  private func compare(_ work: Workspace, beside place: String, _ name: String) throws {
    for round in 1...Self.rounds {
      let seed = Int.random(in: 1...999_999_999)
      let title = "\(name), seed \(seed)"
      print("seed of restored trees on \(name), round \(round): \(seed)")
      try compare(work, place, seed, title)
      try work.shell(
        """
        chattr -Rf -i '\(work.lake)' '\(place)/there' || :
        rm -rf '\(work.lake)' '\(place)/first' '\(place)/second' '\(place)/there' '\(place)/unpacked'
        mkdir '\(work.lake)'
        chown --reference='\(place)' '\(work.lake)'
        """)
    }
  }

  private func compare(_ work: Workspace, _ place: String, _ seed: Int, _ title: String) throws {
    try work.good("init", "--no-first-snapshot")
    try run(work, "make", seed, 120)
    let first = try copy(work, to: "\(place)/first")
    let id = try work.snapshot().id()
    try run(work, "change", seed + 1, 50)
    let second = try copy(work, to: "\(place)/second")

    try work.good("restore", "--at", id, "--json")
    try expectSame(work, "\(place)/first", work.lake, first, "restore: \(title)")
    try work.good("undo")
    try expectSame(work, "\(place)/second", work.lake, second, "undo: \(title)")
    try work.good("redo")
    try expectSame(work, "\(place)/first", work.lake, first, "redo: \(title)")
    try work.good("restore", "--at", id, "--to", "\(place)/there")
    try expectSame(work, "\(place)/first", "\(place)/there", first, "restore --to: \(title)")
    try compareArchive(work, id, place, title)
  }

  /// What GNU tar reads back is what was; what is imported is the snapshot's tree.
  private func compareArchive(
    _ work: Workspace, _ id: String, _ place: String, _ title: String
  ) throws {
    let archive = work.path("a.tar.zst")
    let outcome = try work.dtm("export", id, "-o", archive, "--overwrite", "--json")
    let sockets = try outcome.json().elements("problems").count
    #expect(outcome.status == (sockets == 0 ? 0 : 3), "\(title): \(outcome.errorText)")
    try work.shell(
      """
      mkdir '\(place)/unpacked'; chown --reference='\(work.lake)' '\(place)/unpacked'
      zstd -dcq '\(archive)' | \(work.prefix.joined(separator: " ")) tar --acls --xattrs \
        --xattrs-include='*' -xpf - -C '\(place)/unpacked' 2>/dev/null
      """)
    let seen = try work.shell(
      """
      rsync -aHAXn --checksum --delete --itemize-changes '\(place)/first/' '\(place)/unpacked/' \
        | grep -v '^.S' || :
      """)
    #expect(seen == "", "GNU tar: \(title)")
    let imported = try work.dtm("import", archive, "--json")
    #expect(imported.status == 0, "\(title): \(imported.errorText)")
    if sockets == 0 {
      let tree = try work.good("show", id, "--json").json()["tree"]?.string
      #expect(try imported.json()["tree"]?.string == tree, "\(title)")
    }
  }

  /// Runs the script as the workspace's user.
  @discardableResult
  private func run(_ work: Workspace, _ task: String, _ seed: Int, _ count: Int) throws -> String {
    try work.shell(
      (work.prefix + [
        "python3", "-", task, "'\(work.lake)'", String(seed), String(count),
        // Opened by the test: another user may not reach a clone in somebody's private directory.
        "<'\(try script)'",
      ]).joined(separator: " "))
  }

  private func flags(_ work: Workspace, _ directory: String) throws -> String {
    try work.shell("python3 '\(try script)' flags '\(directory)'")
  }

  /// Copies the folder with cp(1), and returns its flags.
  private func copy(_ work: Workspace, to path: String) throws -> String {
    try work.shell(
      "cp -a '\(work.lake)' '\(path)'; rm -rf '\(path)/.dtm'; touch -hr '\(work.lake)' '\(path)'")
    return try flags(work, work.lake)
  }

  private func expectSame(
    _ work: Workspace, _ wanted: String, _ found: String, _ flags: String, _ title: String
  ) throws {
    let seen = try work.shell(
      """
      rsync -aHAXn --checksum --delete --itemize-changes --exclude=/.dtm '\(wanted)/' '\(found)/'
      """)
    #expect(seen == "", "\(title)")
    #expect(try self.flags(work, found) == flags, "\(title)")
  }
}
