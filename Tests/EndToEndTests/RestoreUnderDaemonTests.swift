import DTMSystem
import Glibc
import Testing

/// Restores of a folder that a daemon protects and a pipeline writes.
@Suite(.needsPrograms) struct `A restore under the daemon` {
  let work: Workspace

  init() throws {
    work = try Workspace()
    try work.shell("cd lake; for i in $(seq 0 299); do echo good $i >f$i; done")
    try work.good("init", "--repository", work.path("repository"), "--no-first-snapshot")
  }

  private func wait() throws { try work.good("wait", "--timeout", "60s") }

  @Test func `loses nothing of what a pipeline writes meanwhile, and is one snapshot`() throws {
    let daemon = try Daemon(work)
    try wait()
    let good = try #require(try work.log().first?["id"]?.string)
    try work.shell("cd lake; for i in $(seq 0 299); do echo bad, and longer $i >f$i; done")
    try wait()
    // Generation after generation of the first 40 files; a line for each that is in its place.
    let pipeline = try ChildProcess(
      [
        "sh", "-c",
        """
        n=0; while :; do n=$((n+1)); f=f$((n % 40)); echo generation $n >lake/.new
        mv lake/.new lake/$f; echo $n >>pipeline.log; done
        """,
      ], in: work.root, environment: work.environment)
    try work.shell("until [ -s pipeline.log ]; do sleep 0.01; done")
    let outcome = try work.dtm("restore", "--at", good, "--json")
    pipeline.send(SIGKILL)
    _ = pipeline.finish()
    #expect(outcome.status == 0 || outcome.status == 3, "\(outcome.errorText)")
    let result = try outcome.json()
    #expect(outcome.status == (try result.elements("problems").isEmpty ? 0 : 3))
    try wait()
    try work.good("snapshot", "--if-changed")

    // What the pipeline did not touch is as it was.
    for number in 40..<300 { #expect(try work.read("f\(number)") == "good \(number)\n") }
    #expect(try work.shell("ls -A lake | grep -c dtm-restore || true") == "0\n")
    let log = try work.log()
    let kinds = log.map { $0["trigger"]?["kind"]?.string }
    #expect(kinds.filter { $0 == "restore" }.count == 1)
    #expect(
      try #require(log.first { $0["trigger"]?["kind"]?.string == "restore" })["id"]?.string
        == result["restoreSnapshot"]?.string)

    // Its last generation of each file is there still, or in a snapshot.
    var last: [Int: Int] = [:]
    for line in try work.shell("cat pipeline.log").split(separator: "\n") {
      if let number = Int(line) { last[number % 40] = number }
    }
    #expect(last.count > 1)
    for (file, generation) in last {
      let wanted = "generation \(generation)\n"
      // One more may have been moved to its place when it was killed.
      let now = try work.read("f\(file)")
      if now == wanted || now.hasPrefix("generation ") { continue }
      let ids = log.compactMap { $0["id"]?.string }
      let isKept = try ids.contains { try work.dtm("cat", $0, "f\(file)").text == wanted }
      #expect(isKept, "f\(file): \(wanted) is lost, there is \(now)")
    }
    #expect(try daemon.folder()["missedChanges"]?.int == 0)
    #expect(daemon.process.isRunning)
  }

  @Test func `in place is one snapshot too, and undone in place`() throws {
    try work.shell("head -c 3000000 /dev/urandom >lake/large; sha256sum <lake/large >good")
    let daemon = try Daemon(work)
    try wait()
    try work.shell("printf changed | dd of=lake/large bs=1 seek=1000000 conv=notrunc status=none")
    try wait()
    try work.shell("sha256sum <lake/large >bad; stat -c %i lake/large >inode")
    let result = try work.good("restore", "large", "--in-place", "--json").json()
    #expect(try #require(result["bytesWritten"]?.int) <= 256 << 10)
    try work.shell("sha256sum <lake/large | cmp - good; stat -c %i lake/large | cmp - inode")
    try wait()
    #expect(try work.log().map { $0["trigger"]?["kind"]?.string }.first == "restore")
    try work.good("undo", "--in-place")
    try work.shell("sha256sum <lake/large | cmp - bad; stat -c %i lake/large | cmp - inode")
    #expect(daemon.process.isRunning)
    let wrong = try work.dtm("restore", "large", "--in-place", "--to", work.path("out"))
    #expect(wrong.status == 64)
    let bare = try work.dtm("restore", "large", "--in-place", "--no-safety-snapshot")
    #expect(bare.status == 64)
    #expect(bare.errorText.contains("safety snapshot"))
  }
}
