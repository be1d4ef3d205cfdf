import DTMSystem
import Glibc
import Testing

/// What the kernel keeps for a watch: the documentation names a figure.
@Suite(.needsPrograms, .serialized) struct `The kernel's memory of a watched directory` {
  private static let directories = 10_000

  /// Makes a control group of its own and says where it is; on the unified hierarchy as on the older one.
  private static let makeGroup = """
    for place in /sys/fs/cgroup/memory /sys/fs/cgroup; do
      [ -e $place/cgroup.procs ] || continue
      mkdir $place/dtm-test-$$ || exit 1
      if [ -e $place/dtm-test-$$/memory.kmem.usage_in_bytes ] ||
        [ -e $place/dtm-test-$$/memory.reclaim ]; then echo $place/dtm-test-$$; exit 0; fi
      rmdir $place/dtm-test-$$
    done
    exit 1
    """

  /// Bytes of the kernel's own that a group holds and can't give back.
  private func held(_ group: String, _ work: Workspace) throws -> Int {
    let text = try work.shell(
      """
      sync -f '\(work.lake)'
      if [ -e \(group)/memory.force_empty ]; then
        for i in 1 2 3; do echo 0 >\(group)/memory.force_empty || true; done
        cat \(group)/memory.kmem.usage_in_bytes
      else
        for i in 1 2 3; do echo 1G >\(group)/memory.reclaim 2>/dev/null || true; done
        sed -n 's/^kernel //p' \(group)/memory.stat
      fi
      """)
    return try #require(Int(text.filter(\.isNumber)))
  }

  @Test func `is between a half and four KiB`() throws {
    let work = try Workspace()
    let made = try work.shellOutcome(Self.makeGroup)
    guard made.status == 0 else {
      print(
        "SKIPPED: the kernel's memory of a watched directory: no control group: \(made.errorText)")
      return
    }
    let group = String(made.text.dropLast())
    defer { _ = try? work.shellOutcome("rmdir \(group)") }
    guard
      let disk = try LoopDisk.make(
        work, "ext4", size: "150M", in: work.memory, named: "kernel",
        for: "the kernel's memory of a watched directory")
    else { return }
    defer { disk.end() }
    try work.moveLake(to: disk.path + "/lake")
    // Whoever makes a directory is charged with its inode; the one who watches it keeps that in memory.
    try work.shell(
      """
      echo $$ >\(group)/cgroup.procs; cd '\(work.lake)'
      /usr/bin/python3 -c 'import os
      for i in range(\(Self.directories)): os.mkdir("%d" % i)'
      """)
    try work.initialise()
    let unwatched = try held(group, work)
    work.prefix = ["sh", "-c", "echo $$ >\(group)/cgroup.procs; exec \"$@\"", "sh"]
    let daemon = try Daemon(work)
    work.prefix = []
    try work.good("wait", "--timeout", "60s")
    #expect(try daemon.folder()["watchedDirectories"]?.int == Self.directories + 1)
    let watched = try held(group, work)
    #expect(daemon.stop() == 0)
    let bytes = (watched - unwatched) / Self.directories
    print(
      "kernel memory: \(unwatched) bytes before, \(watched) with \(Self.directories) watches:",
      "\(bytes) each")
    #expect(bytes > 512 && bytes < 4096)
  }
}
