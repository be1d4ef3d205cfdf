import DTMSystem
import DTMTestSupport
import Testing

/// Operations on history, one after the other in any order.
@Suite(.needsPrograms) struct `Whatever is done with a history` {
  @Test(arguments: 0..<(LongForm.isAsked ? 100 : 3))
  func `each snapshot that is there holds what it held, and what was erased is gone`(
    number: Int
  ) throws {
    var generator = SplitMix.fresh("history \(number)")
    for _ in 0..<number { _ = generator.next() }
    let model = try HistoryModel(Workspace(), SplitMix(seed: generator.next()))
    for step in 0..<80 {
      do { try model.step() } catch {
        Issue.record("step \(step) of \(model.done.suffix(20)): \(error)")
        return
      }
    }
  }

  /// A folder with a file to be erased, in the snapshot of a branch that was deleted since.
  private func deletedBranch(_ work: Workspace) throws -> String {
    try work.write("secret", "small enough for the tree\n")
    try work.write("large", (0..<5000).map { UInt8(truncatingIfNeeded: $0 &* $0 >> 3) })
    try work.good("init", "-q")
    try work.good("checkout", "-b", "tried")
    try work.write("other", "1\n")
    let id = try work.snapshot().id()
    try work.good("checkout", "main")
    try work.good("branch", "-d", "tried")
    return id
  }

  @Test(arguments: ["secret", "large"])
  func `erase reaches what undo would bring back, and undo brings back the rest`(
    path: String
  ) throws {
    let work = try Workspace()
    let id = try deletedBranch(work)
    let erased = try work.good("erase", path, "--confirm", "lake", "--json").json()
    #expect(erased["leftObjects"]?.int == 0)
    #expect(try work.dtm("cat", id, path).status == 66)
    try work.good("gc")
    try work.good("undo")
    let branches = try #require(try work.good("branch", "--json").json().array)
    let tried = try #require(branches.first { $0["name"]?.string == "tried" })
    #expect(try tried.id("snapshot") != id)
    #expect(try work.good("cat", "tried", "other").text == "1\n")
    #expect(try work.dtm("cat", "tried", path).status == 66)
    try work.good("redo")
    try work.good("undo")
    try work.good("verify", "--all", "--read-data")
  }

  @Test func `an erasure leaves runs what they were, with the ids that their snapshots have now`()
    throws
  {
    let work = try Workspace()
    try work.write("secret", "s\n")
    try work.good("init", "-q")
    try work.good("run", "--stage", "load", "--", "sh", "-c", "echo 1 >a")
    try work.good("stage", "begin", "clean", "--run-id", "7")
    func shapes() throws -> [String] {
      let runs = try #require(try work.good("runs", "--json").json().array)
      return runs.map { run in
        ["runId", "outcome", "began", "ended"].map { run[$0]?.string ?? "-" }.joined(separator: " ")
      }
    }
    let before = try shapes()
    try work.good("erase", "secret", "--confirm", "lake")
    #expect(try shapes() == before)
    let ids = Set(try work.log().map { try $0.id() })
    for run in try #require(try work.good("runs", "--json").json().array) {
      #expect(ids.contains(try run.id("before")))
      if run["outcome"]?.string == "ok" { #expect(ids.contains(try run.id("after"))) }
    }
    try work.good("stage", "end", "clean")
    #expect(try shapes().count == 2)
  }

  @Test func `after an erasure tags, pins and prunings are taken back`() throws {
    let work = try Workspace()
    try work.write("secret", "s\n")
    try work.good("init", "-q")
    for number in 0..<5 {
      try work.write("a", "\(number)\n")
      try work.snapshot()
    }
    try work.good("prune", "--keep-last", "2")
    try work.good("pin", "HEAD~1")
    try work.good("tag", "v1")
    try work.good("erase", "secret", "--confirm", "lake")
    try work.good("undo")
    #expect(try work.good("tag", "--json").json().array?.isEmpty == true)
    try work.good("undo")
    #expect(try work.log().allSatisfy { $0["pinned"]?.bool == false })
    #expect(try work.log().count == 2)
    try work.good("undo")
    #expect(try work.log().count == 6)
    for snapshot in try work.log() {
      #expect(try work.dtm("cat", snapshot.id(), "secret").status == 66)
    }
    // What a pruning took away and was brought back is erased as all else.
    try work.good("erase", "a", "--confirm", "lake")
    #expect(try work.dtm("cat", "HEAD~3", "a").status == 66)
    try work.good("verify", "--all", "--read-data")
  }
}
