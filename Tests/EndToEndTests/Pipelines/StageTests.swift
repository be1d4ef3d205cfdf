import DTMSystem
import DTMTestSupport
import Glibc
import Testing

/// `dtm stage`, and many runs at once.
@Suite(.needsPrograms) struct `Stages` {
  let work: Workspace

  init() throws {
    work = try Workspace()
    try work.write("orders.csv", "good\n")
    try work.good("init", "--repository", work.path("repository"), "--no-first-snapshot")
  }

  @Test(arguments: [false, true])
  func `are recorded once, whoever says them how often`(hasDaemon: Bool) throws {
    let daemon = hasDaemon ? try Daemon(work) : nil
    try work.snapshot()
    let before = try work.log().count
    func stage(_ words: String...) throws -> JSONNode {
      let outcome = try work.start("dtm", ["stage"] + words + ["--json"]).finish()
      try #require(outcome.status == 0, "\(words): \(outcome.errorText)")
      return try outcome.json()
    }
    let begin = try stage("begin", "clean", "--run-id", "7")
    #expect(begin["created"]?.bool == true)
    #expect(begin["trigger"]?["kind"]?.string == "stage")
    let again = try stage("begin", "clean", "--run-id", "7")
    #expect(again["created"]?.bool == false)
    #expect(try again.id() == begin.id())
    let end = try stage("end", "clean")
    #expect(end["runId"]?.string == "7")
    #expect(try stage("end", "clean").id() == end.id())
    #expect(try stage("end", "clean", "--run-id", "7").id() == end.id())
    let refused = try work.dtm("stage", "fail", "clean", "--run-id", "7")
    #expect(refused.status == 73)
    #expect(refused.errorText.contains("ended already: ok"))
    // Of another pipeline it is another stage.
    let other = try stage("fail", "clean", "--run-id", "7", "--label", "pipeline=b")
    #expect(try other.id() != end.id())
    let retry = try stage("begin", "clean", "--run-id", "7", "--label", "pipeline=b")
    #expect(retry["attempt"]?.int == 2)
    #expect(try work.dtm("stage", "end", "nothing").status == 66)
    #expect(try work.dtm("stage", "end", "").status == 64)
    #expect(try work.dtm("stage", "begin", "x", "--attempt", "0").status == 64)
    #expect(try work.log().count == before + 4)
    if let daemon { #expect(daemon.stop() == 0) }
  }

  /// Each run adds a file of its own; all snapshots, and nothing else, are there.
  @Test(arguments: [false, true])
  func `of many runs at once are all recorded`(hasDaemon: Bool) throws {
    let count = LongForm.isAsked ? 1000 : 50
    let daemon = hasDaemon ? try Daemon(work) : nil
    try work.snapshot()
    let runs = try (0..<count).map { number in
      try work.start(
        "dtm",
        [
          "run", "--stage", "s\(number % 7)", "--label", "run_id=\(number)", "--", "sh", "-c",
          "echo \(number) >f\(number); exit \(number % 5)",
        ])
    }
    for (number, run) in runs.enumerated() {
      let outcome = run.finish(within: .seconds(LongForm.isAsked ? 1800 : 120))
      #expect(outcome.status == Int32(number % 5), "\(outcome.errorText)")
    }
    let log = try work.log().filter { $0["trigger"]?["kind"]?.string == "run" }
    #expect(log.count == 2 * count)
    var begun: Set<String> = []
    var ended: [String: JSONNode] = [:]
    for snapshot in log {
      let run = try #require(snapshot["labels"]?["run_id"]?.string)
      if let outcome = snapshot["labels"]?["outcome"]?.string {
        #expect(outcome == (Int(run).map { $0 % 5 } == 0 ? "ok" : "failed"))
        #expect(ended.updateValue(snapshot, forKey: run) == nil, "run \(run) ended twice")
      } else {
        #expect(begun.insert(run).inserted, "run \(run) began twice")
      }
    }
    #expect(begun.count == count && ended.count == count)
    for number in stride(from: 0, to: count, by: 17) {
      let id = try #require(ended["\(number)"]).id()
      #expect(try work.good("cat", id, "f\(number)").text == "\(number)\n")
    }
    #expect(try work.dtm("verify", "--all").status == 0)
    if let daemon { #expect(daemon.stop() == 0) }
  }
}
