import DTMFolder
import DTMRepository
import DTMSystem
import DTMTestSupport
import Testing

@Suite struct PrunePlanTests {
  /// What no rule keeps, but for what each snapshot that stays is held by.
  @Test func `the newest snapshot whose checks all passed stays`() throws {
    try withTemporaryDirectory { directory in
      let fixture = try FolderFixture(directory)
      func snapshot(_ number: Int, _ checks: [String: String]) throws -> ObjectID {
        try fixture.sandbox.write("a", "\(number)")
        var request = SnapshotRequest(ChangeSet(basis: .scan), trigger: "manual")
        request.ignoresHotLimit = true
        request.facts = checks.mapValues { Array($0.utf8) }
        return try #require(try fixture.folder.snapshot(request).id)
      }
      let all = [
        try snapshot(0, ["check:rows": "pass"]),
        try snapshot(1, ["check:rows": "pass", "check:sums": "pass"]),
        try snapshot(2, ["check:rows": "pass", "check:sums": "fail"]),
        try snapshot(3, [:]), try snapshot(4, ["check:rows": "error"]),
      ]
      let history = try History(fixture.repository, folder: fixture.folderID)
      let plan = try history.prunePlan { times in times.map { _ in [] } }
      #expect(plan.kept.map(\.known.id) == [all[4], all[1]])
      #expect(plan.kept.map(\.reasons) == [["the newest of main"], ["the newest good one"]])
      #expect(plan.pruned.map(\.known.id) == [all[3], all[2], all[0]])
      // Gone, it is not the newest one that is good any more.
      _ = try history.prune([all[1]], uid: 0, at: SystemTimeSource().now())
      let after = try History(fixture.repository, folder: fixture.folderID)
        .prunePlan { times in times.map { _ in [] } }
      #expect(after.kept.map(\.known.id) == [all[4], all[0]])
    }
  }
}
