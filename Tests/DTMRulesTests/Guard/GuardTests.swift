import DTMRules
import DTMTestSupport
import Testing

@Suite struct `The guard` {
  private static let policy = GuardPolicy(
    removed: 30, rewritten: 60, within: .seconds(60), atLeast: 100)

  /// A line of snapshots.
  private struct Line {
    var watch: Guard
    var number = 0
    var files: Int

    init(_ policy: GuardPolicy = policy, files: Int) {
      watch = Guard(policy)
      self.files = files
      // What was there before it looked.
      _ = watch.captured(
        Guard.Sample(id: "0", parent: nil, files: files, added: files, modified: 0, removed: 0),
        at: .seconds(-1000))
    }

    mutating func snapshot(
      added: Int = 0, modified: Int = 0, removed: Int = 0, at seconds: Double
    ) -> Guard.Suspicion? {
      files += added - removed
      number += 1
      return watch.captured(
        Guard.Sample(
          id: "\(number)", parent: "\(number - 1)", files: files, added: added,
          modified: modified, removed: removed), at: .seconds(seconds))
    }
  }

  @Test func `suspects where a share of the files is removed or rewritten, and not below it`() {
    var line = Line(files: 1000)
    #expect(line.snapshot(removed: 299, at: 0) == nil)
    line = Line(files: 1000)
    let suspicion = line.snapshot(removed: 300, at: 0)
    #expect(suspicion == Guard.Suspicion(before: "0", after: "1", good: "0"))
    line = Line(files: 1000)
    #expect(line.snapshot(modified: 300, at: 0) != nil)
    line = Line(files: 150)
    // Fewer than atLeast.
    #expect(line.snapshot(removed: 99, at: 0) == nil)
    line = Line(files: 150)
    #expect(line.snapshot(removed: 100, at: 0) != nil)
  }

  @Test func `adds up what a window holds, and forgets what is older`() {
    var line = Line(files: 1000)
    #expect(line.snapshot(removed: 100, at: 0) == nil)
    #expect(line.snapshot(removed: 100, at: 30) == nil)
    #expect(
      line.snapshot(removed: 100, at: 59)
        == Guard.Suspicion(before: "0", after: "3", good: "0"))
    line = Line(files: 1000)
    #expect(line.snapshot(removed: 100, at: 0) == nil)
    #expect(line.snapshot(removed: 100, at: 30) == nil)
    #expect(line.snapshot(removed: 69, at: 60) == nil)
  }

  @Test func `names the newest snapshot before most of it`() {
    var line = Line(files: 1000)
    _ = line.snapshot(modified: 5, at: 0)
    _ = line.snapshot(modified: 5, at: 10)
    #expect(
      line.snapshot(removed: 400, at: 20)
        == Guard.Suspicion(before: "0", after: "3", good: "2"))
  }

  @Test func `takes the files that were left for those that were there, at the first look`() {
    var watch = Guard(Self.policy)
    // 299 of 1000, and nobody knows of the 1000.
    let sample = Guard.Sample(
      id: "2", parent: "1", files: 701, added: 0, modified: 0, removed: 299)
    #expect(watch.captured(sample, at: .zero) != nil)
  }

  @Test func `begins anew where the branch was moved, and after an alarm`() throws {
    var line = Line(files: 1000)
    _ = line.snapshot(removed: 200, at: 0)
    line.number = 50
    #expect(line.snapshot(removed: 100, at: 1) == nil)
    let found = line.snapshot(removed: 200, at: 2)
    let suspicion = try #require(found)
    #expect(suspicion.before == "50")
    var evidence = GuardEvidence(files: 800)
    evidence.missing = 400
    let raised = line.watch.judge(suspicion, evidence, at: .seconds(2))
    let alarm = try #require(raised)
    #expect(alarm.reasons == ["50 % of the files (400 of 800) are gone or empty"])
    #expect(!alarm.isContinued)
    #expect(line.snapshot(modified: 1, at: 3) == nil)
    // It goes on: nobody is told again, until a window has passed.
    let continued = line.snapshot(removed: 300, at: 4)
    let next = try #require(continued)
    #expect(next.before == "52")
    let second = line.watch.judge(next, evidence, at: .seconds(4))
    #expect(second?.isContinued == true)
    let later = line.snapshot(removed: 150, at: 100)
    let other = try #require(later)
    let third = line.watch.judge(other, evidence, at: .seconds(100))
    #expect(third?.isContinued == false)
  }

  @Test func `says nothing of the first snapshot, nor where it is off`() {
    var watch = Guard(Self.policy)
    #expect(
      watch.captured(
        Guard.Sample(id: "1", parent: nil, files: 1000, added: 1000, modified: 500, removed: 500),
        at: .zero) == nil)
    // It does not hide what follows at once.
    let second = watch.captured(
      Guard.Sample(id: "2", parent: "1", files: 0, added: 0, modified: 0, removed: 1000), at: .zero)
    #expect(second?.before == "1")
    for policy in [GuardPolicy.off, GuardPolicy(removed: 1, atLeast: 1, measures: [])] {
      var line = Line(policy, files: 1000)
      #expect(line.snapshot(removed: 1000, at: 0) == nil)
    }
  }

  @Test func `takes what somebody went back to for meant`() {
    var line = Line(files: 1000)
    _ = line.snapshot(removed: 200, at: 0)
    line.number += 1
    line.files = 300
    line.watch.intended(
      Guard.Sample(
        id: "\(line.number)", parent: "1", files: 300, added: 0, modified: 0, removed: 500))
    #expect(line.snapshot(removed: 50, at: 1) == nil)
    // The share is of what is there now.
    #expect(line.snapshot(removed: 100, at: 2)?.before == "2")
  }

  @Test func `judges by what was found`() {
    func reasons(_ policy: GuardPolicy = Self.policy, _ fill: (inout GuardEvidence) -> Void)
      -> [String]
    {
      var evidence = GuardEvidence(files: 1000)
      fill(&evidence)
      return evidence.reasons(policy)
    }
    #expect(reasons { $0.missing = 299 }.isEmpty)
    #expect(reasons { $0.missing = 300 }.count == 1)
    #expect(
      reasons {
        $0.missing = 200
        $0.blanked = 100
      }.count == 1)
    #expect(reasons { $0.noise = 299 }.isEmpty)
    #expect(
      reasons { $0.noise = 300 } == [
        "30 % of the files (300 of 1000) became noise, as encryption leaves it"
      ])
    #expect(reasons { $0.unlike = 599 }.isEmpty)
    #expect(reasons { $0.unlike = 600 }.count == 1)
    // A share that is not listed raises no alarm.
    #expect(reasons(GuardPolicy(removed: 30)) { $0.noise = 1000 }.isEmpty)
    #expect(reasons(GuardPolicy(rewritten: 60)) { $0.missing = 1000 }.isEmpty)
    #expect(reasons { $0.gone = 1000 }.isEmpty)
  }

  /// Against a plain count over the window.
  @Test func `suspects exactly what a count over the window does`() {
    var random = SplitMix.fresh("guard")
    for _ in 0..<500 {
      let policy = GuardPolicy(
        removed: random.oneIn(3) ? nil : 1 + random.below(100),
        rewritten: random.oneIn(3) ? nil : 1 + random.below(100),
        within: .seconds(1 + random.below(60)), atLeast: 1 + random.below(50))
      var line = Line(policy, files: 100 + random.below(200))
      var history: [(time: Int, touched: Int, before: Int)] = []
      var now = 0
      for _ in 0..<30 {
        now += random.below(20)
        let before = line.files
        let (removed, modified) = (random.below(before / 4 + 1), random.below(20))
        history.append((now, removed + modified, before))
        let suspicion = line.snapshot(
          added: random.below(30), modified: modified, removed: removed, at: Double(now))
        let window = history.filter { .seconds($0.time) > .seconds(now) - policy.within }
        let touched = window.reduce(0) { $0 + $1.touched }
        let share = [policy.removed, policy.rewritten.map { ($0 + 1) / 2 }].compactMap { $0 }.min()
        let isSuspect =
          share.map { touched >= policy.atLeast && touched * 100 >= window[0].before * $0 } ?? false
        #expect((suspicion != nil) == isSuspect, "seed \(random.seed)")
      }
    }
  }
}
