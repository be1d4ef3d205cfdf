import DTMSystem
import Glibc
import Testing

/// The same on each file system that a data folder may lie on.
@Suite(.needsPrograms, .serialized) struct `A protected folder on` {
  /// Files, bursts, renames with changes deep below, exchanges, links, removals.
  private static let changes = #"""
    for i in $(seq 1 30); do mkdir -p burst/$i/a/b; for j in 1 2 3 4 5; do echo $j >burst/$i/a/b/$j; done; done
    mkdir -p deep/one/two/three; echo x >deep/one/two/three/f
    mv deep renamed; echo y >renamed/one/two/three/f; echo z >renamed/one/two/three/g
    mv renamed/one/two elsewhere; echo w >elsewhere/three/h
    rm -r burst/7 burst/8; mv burst/9 burst/10/nine; cp -a burst/11 copy
    ln burst/12/a/b/1 hard; echo more >>hard; ln -s hard soft; chmod 600 burst/13/a/b/2
    truncate -s 3M sparse; printf '\377\376 \n' >"$(printf 'n\377\001me')"
    """#

  private func run(_ work: Workspace, _ name: String) throws {
    try work.initialise()
    let daemon = try Daemon(work)
    try work.expectCaptured(daemon, name)
    try work.shell("cd '\(work.lake)'; \(Self.changes)")
    try work.expectCaptured(daemon, name)
    try work.shell("cd '\(work.lake)'; rm -r elsewhere; mkdir elsewhere; echo new >elsewhere/f")
    try work.expectCaptured(daemon, name)
    let log = try work.log()
    #expect(log.dropLast().allSatisfy { $0["basis"]?.string == "events" }, "\(name)")
    #expect(try daemon.folder()["state"]?.string == "protected")
    #expect(daemon.stop() == 0)
  }

  @Test(arguments: ["ext4", "xfs", "btrfs"]) func `a disk`(kind: String) throws {
    let work = try Workspace()
    let size = kind == "xfs" ? "400M" : "150M"
    guard
      let disk = try LoopDisk.make(
        work, kind, size: size, in: work.memory, named: kind, for: "A protected folder on a disk")
    else { return }
    defer { disk.end() }
    try work.moveLake(to: disk.path + "/lake")
    try run(work, kind)
  }

  @Test(arguments: ["tmpfs", "overlay"]) func `a file system of the kernel's own`(
    kind: String
  ) throws {
    let work = try Workspace()
    try work.shell("mkdir -p mounted lower/old/dir upper inner; echo 1 >lower/old/dir/f")
    let options =
      kind == "overlay" ? "-o lowerdir=lower,upperdir=mounted/upper,workdir=mounted/inner" : ""
    let mount =
      kind == "overlay"
      ? "mount -t tmpfs tmpfs mounted; mkdir mounted/upper mounted/inner mounted/lake; "
        + "mount -t overlay overlay \(options) mounted/lake"
      : "mount -t tmpfs tmpfs mounted; mkdir mounted/lake"
    let mounted = try work.shellOutcome(mount)
    guard mounted.status == 0 else {
      print("SKIPPED: A protected folder on \(kind): \(mounted.errorText)")
      return
    }
    defer { _ = try? work.shellOutcome("umount mounted/lake 2>/dev/null || true; umount mounted") }
    try work.moveLake(to: work.path("mounted/lake"))
    try run(work, kind)
  }

  @Test func `one side of a move keeps its files apart from the other's`() throws {
    let work = try Workspace()
    try work.shell(
      "mkdir second; cd lake; mkdir -p a/b/c; for i in 1 2 3; do echo $i >a/b/c/$i; done")
    try work.initialise()
    try work.good(
      "-C", work.path("second"), "init", "--repository", work.path("other"), "--no-first-snapshot")
    try Daemon.configure(
      work,
      folders: """
        {"name": "lake", "path": "\(work.lake)", "repository": "\(work.path("repository"))"},
        {"name": "second", "path": "\(work.path("second"))", "repository": "\(work.path("other"))"}
        """)
    let daemon = try Daemon(configured: work)
    let listing = try Files.listing(work.lake)
    try work.expectCaptured(daemon)
    for round in 0..<4 {
      let (from, to) = round % 2 == 0 ? ("lake", "second") : ("second", "lake")
      // A change deep below, right before and after the move.
      try work.shell(
        "echo \(round) >\(from)/a/b/c/1; mv \(from)/a \(to)/a; echo \(round) >\(to)/a/b/c/2")
      for folder in [work.lake, work.path("second")] {
        try work.good("-C", folder, "wait", "--timeout", "30s")
        try work.good("-C", folder, "restore", "HEAD", "--to", work.path("out"))
        #expect(try Files.listing(work.path("out")) == Files.listing(folder))
        try work.shell("rm -r out")
      }
    }
    #expect(try Files.listing(work.lake) != listing)
    #expect(daemon.stop() == 0)
  }
}
