import DTMSystem
import DTMTestSupport
import Glibc
import Testing

/// Any one system call of `dtm snapshot` on its repository fails, in the real program.
@Suite(.needsPrograms) struct `A system call that fails` {
  /// One call of a rehearsal: the `number`-th of its kind in its thread.
  private struct Call: Hashable {
    let name: String
    let number: Int
  }

  private static let errors: [String: [String]] = [
    "openat": ["EIO", "EMFILE", "EINTR"], "pread64": ["EIO", "EINTR"],
    "pwrite64": ["EIO", "ENOSPC", "EINTR"], "fdatasync": ["EIO"], "fsync": ["EIO"],
    "linkat": ["EIO", "ENOSPC"], "renameat": ["EIO", "ENOSPC"], "ftruncate": ["EIO", "EINTR"],
    "unlinkat": ["EIO"], "getdents64": ["EIO"], "fchmod": ["EIO"],
  ]

  private func trace(_ work: Workspace, _ inject: [String]) throws -> Outcome {
    let command =
      ["strace", "-f", "-y", "-q", "-o", work.path("calls")] + inject
      + ["-e", "trace=" + Self.errors.keys.sorted().joined(separator: ",")]
      + work.command("dtm", ["snapshot", "--json"])
    return try ChildProcess(command, in: work.lake, environment: work.environment).finish()
  }

  /// The calls on the repository that a snapshot makes.
  private func rehearse(_ work: Workspace) throws -> [Call] {
    _ = try trace(work, [])
    let text = String(decoding: try Files.read(work.path("calls")), as: UTF8.self)
    var counts: [String: Int] = [:]
    var calls: Set<Call> = []
    for line in text.split(separator: "\n") {
      let parts = line.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: true)
      guard parts.count == 2, let end = parts[1].firstIndex(of: "(") else { continue }
      let name = String(parts[1][..<end].drop { $0 == " " })
      let number = counts["\(parts[0]) \(name)", default: 0] + 1
      counts["\(parts[0]) \(name)"] = number
      if Self.errors[name] != nil, parts[1].contains("/.dtm") {
        calls.insert(Call(name: name, number: number))
      }
    }
    return calls.sorted { ($0.name, $0.number) < ($1.name, $1.number) }
  }

  @Test func `costs at most the snapshot that it fails`() throws {
    var generator = SplitMix.fresh("failing system calls")
    let work = try Workspace()
    try work.write("a", "first\n")
    try work.good("init", "--no-first-snapshot")
    var acknowledged = [try work.snapshot().id()]
    try work.write("a", "rehearsal\n")
    let calls = try rehearse(work)
    guard !calls.isEmpty else {
      print("SKIPPED: a system call that fails: strace can't run a program here")
      return
    }
    var cases = calls.flatMap { call in (Self.errors[call.name] ?? []).map { (call, $0) } }
    let all = cases.count
    if !LongForm.isAsked { cases = Array(cases.shuffled(using: &generator).prefix(90)) }
    var refused = 0
    for (index, (call, error)) in cases.enumerated() {
      try work.write("a", "\(index)\n")
      let injection = "inject=\(call.name):error=\(error):when=\(call.number)"
      let outcome = try trace(work, ["-e", injection])
      // Not always the call of the rehearsal: how many there are depends on what stands on disk.
      let failed = String(decoding: try Files.read(work.path("calls")), as: UTF8.self)
        .split(separator: "\n").filter { $0.hasSuffix("(INJECTED)") }.map { String($0.prefix(120)) }
      let what = "\(error) at \(failed)"
      // Status 3: it was a call on the folder, and the snapshot says what it could not look at.
      let isOutside = failed.contains { !$0.contains("/.dtm") }
      if outcome.status == 0 || (outcome.status == 3 && isOutside) {
        acknowledged.append(try outcome.json().id())
      } else {
        refused += 1
        #expect(outcome.status == 74, "\(what): \(outcome.status) \(outcome.errorText)")
        #expect(outcome.output.isEmpty)
        #expect(try outcome.jsonError()["message"]?.string?.isEmpty == false)
        // An interrupted call is made again, and what is only a cache fails nothing.
        #expect(error != "EINTR", "\(what): \(outcome.errorText)")
        let isCache = failed.allSatisfy { $0.contains("/.dtm/state") }
        #expect(!isCache, "\(what): \(outcome.errorText)")
      }
      try work.write("a", "after \(index)\n")
      acknowledged.append(try work.snapshot().id())
    }
    print("failing system calls: \(cases.count) of \(all), \(refused) snapshots refused")
    let ids = Set(try work.log().map { try $0.id() })
    for id in acknowledged where !ids.contains(id) { Issue.record("\(id) is lost") }
    #expect(refused > 0)
    #expect(try work.dtm("verify", "--all", "--read-data").status == 0)
  }
}
