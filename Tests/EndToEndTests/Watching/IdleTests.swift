import DTMSystem
import Glibc
import Testing

/// What a daemon does while nothing happens, and what it keeps.
@Suite(.needsPrograms, .serialized) struct `An idle daemon` {
  /// The mounts of other tests would wake it: it gets a namespace of its own.
  private func workspace() throws -> Workspace? {
    let work = try Workspace()
    guard try work.shellOutcome("unshare --mount --propagation private true").status == 0 else {
      print("SKIPPED: An idle daemon: no mount namespace of its own can be had")
      return nil
    }
    work.prefix = ["unshare", "--mount", "--propagation", "private"]
    return work
  }

  @Test func `does not wake`() throws {
    guard let work = try workspace() else { return }
    try work.shell(
      """
      cd lake; for i in $(seq 1 100); do mkdir -p d/$i; done
      for i in $(seq 1 2000); do echo $i >d/$((i % 100 + 1))/$i; done
      """)
    try work.good("init", "--repository", work.path("repository"), "--no-first-snapshot")
    let daemon = try Daemon(work)
    try work.good("wait", "--timeout", "30s")
    try daemon.waitForStatus(0)
    // The answer to the last question, and memory that is given back, are done soon after.
    var before = try quietFacts(daemon)
    var after = before
    // What is measured is that nothing happens in so long: a minute in the long form. On a machine full of
    // tests something may be late, or wake every daemon once: what wakes by itself does so each time.
    for _ in 0..<3 {
      before = try quietFacts(daemon)
      sleep(Programs.isLong ? 60 : 8)
      after = try ProcessFacts(daemon.process.pid)
      if after == before { break }
    }
    #expect(after.threads == before.threads)
    #expect(after.switches == before.switches, "woken by what? \(daemon.log)")
    #expect(after.ticks == before.ticks)
    print(
      "idle with 2,000 files: \(after.resident / 1024) KiB resident, of which",
      "\(after.anonymous / 1024) KiB its own, \(after.threads) threads")
    try work.write("d/1/new", "x")
    try work.good("wait", "--timeout", "30s")
    #expect(try ProcessFacts(daemon.process.pid).switches > after.switches)
  }

  /// The facts when two looks in a row are the same.
  private func quietFacts(_ daemon: Daemon) throws -> ProcessFacts {
    var last = try ProcessFacts(daemon.process.pid)
    for _ in 0..<50 {
      usleep(200_000)
      let now = try ProcessFacts(daemon.process.pid)
      if now == last { return now }
      last = now
    }
    return last
  }
}

/// What /proc tells of a process.
struct ProcessFacts: Equatable {
  var threads = 0
  /// Context switches of all threads: each wake-up ends in one.
  var switches = 0
  /// CPU time in clock ticks.
  var ticks = 0
  /// Bytes.
  var resident = 0
  var anonymous = 0
  var descriptors = 0

  init(_ pid: pid_t) throws {
    for thread in try Self.names(in: "/proc/\(pid)/task") {
      threads += 1
      let status = try Self.fields("/proc/\(pid)/task/\(thread)/status")
      switches += status["voluntary_ctxt_switches"] ?? 0
      switches += status["nonvoluntary_ctxt_switches"] ?? 0
    }
    let status = try Self.fields("/proc/\(pid)/status")
    resident = (status["VmRSS"] ?? 0) * 1024
    anonymous = (status["RssAnon"] ?? 0) * 1024
    let line = String(decoding: try Files.read("/proc/\(pid)/stat"), as: UTF8.self)
    // proc(5): utime and stime are fields 14 and 15; the name, field 2, ends with ")".
    let rest = line.split(separator: ")").last?.split(separator: " ") ?? []
    if rest.count > 12 { ticks = (Int(rest[11]) ?? 0) + (Int(rest[12]) ?? 0) }
    descriptors = try Self.names(in: "/proc/\(pid)/fd").count
  }

  static func == (left: ProcessFacts, right: ProcessFacts) -> Bool {
    left.threads == right.threads && left.switches == right.switches && left.ticks == right.ticks
  }

  private static func names(in directory: String) throws -> [String] {
    let stream = unsafe opendir(directory)
    let opened = unsafe try #require(stream, "\(directory)")
    defer { unsafe closedir(opened) }
    var names: [String] = []
    while let entry = unsafe readdir(opened) {
      let name = unsafe withUnsafePointer(to: entry.pointee.d_name) {
        unsafe $0.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
      }
      if name != "." && name != ".." { names.append(name) }
    }
    return names
  }

  /// `Name: number …` lines.
  private static func fields(_ path: String) throws -> [String: Int] {
    var result: [String: Int] = [:]
    for line in String(decoding: try Files.read(path), as: UTF8.self).split(separator: "\n") {
      let parts = line.split(whereSeparator: { $0 == ":" || $0 == "\t" || $0 == " " })
      if parts.count > 1, let number = Int(parts[1]) { result[String(parts[0])] = number }
    }
    return result
  }
}
