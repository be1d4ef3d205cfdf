import DTMFolder
import DTMRepository
import DTMSystem
import DTMTestSupport
import SystemPackage
import Testing

/// Two processes capture one folder at once, one operation on the repository each in turn.
@Suite struct CaptureLockTests {
  /// One writes the folder between its operations; who captures last must have the last of it.
  ///
  /// Returns what is wrong, and how many were told that the folder is busy.
  private func run(
    _ directory: FilePath, using generator: inout SplitMix,
    withoutLock: Bool = false
  ) throws -> (problem: String?, busy: Int) {
    let scenario = try CrashScenario(directory, using: generator)
    try scenario.create(scenario.files)
    try scenario.sandbox.write("small", "0")
    try scenario.snapshot(scenario.open(scenario.files, remembers: false), "first")
    if withoutLock { scenario.files.ignoreLocks { $0 == "locks/capture" } }
    let outcomes = Monitor<(problems: [String], busy: Int)>(([], 0))
    let paths = (sandbox: scenario.sandbox.path, id: scenario.folderID)
    let delay = generator.below(80)
    let goesOn = try Interleaving.run(
      scenario.files, using: &generator,
      (1...2).map { process in
        { view in
          do {
            // The second one's change comes after the first one may have looked.
            if process == 2 {
              for _ in 0..<delay { _ = try view.list("locks") }
              try Sandbox(path: paths.sandbox).write("small", "1")
            }
            var request = SnapshotRequest(ChangeSet(basis: .scan), trigger: "manual")
            request.ignoresHotLimit = true
            // Asked again by each pause, in which the other goes on.
            request.patience = .seconds(60)
            let folder = try CrashScenario.open(view, paths.sandbox, paths.id)
            let outcome = try folder.snapshot(request)
            if outcome.id == nil { throw Errno.noData }
          } catch {
            if let error = error as? FolderError, error.code == .busy {
              return outcomes.withLock { $0.busy += 1 }
            }
            outcomes.withLock { $0.problems.append("process \(process): \(error)") }
          }
        }
      })
    if !goesOn { return ("both wait", 0) }
    let (problems, busy) = outcomes.withLock { $0 }
    if let problem = problems.first { return (problem, busy) }
    let folder = try scenario.open(scenario.files.afterKill(), remembers: false)
    let history = try History(folder.repository, folder: scenario.folderID)
    let head = try history.snapshot(try #require(history.head))
    let tree = Tree(root: head.snapshot.tree, objects: folder.repository.objects)
    let entry = try #require(try tree.entry("small"))
    let text = try ContentReader(folder.repository.objects)
      .bytes(of: entry.content, size: entry.size)
    if text != Array("1".utf8) { return ("the newest snapshot holds what was there before", busy) }
    return (nil, busy)
  }

  private static let runs = LongForm.isAsked ? 1000 : 60

  @Test func `with its lock the newest snapshot is of the newest look`() throws {
    var generator = SplitMix.fresh("two captures")
    for number in 0..<Self.runs {
      try withTemporaryDirectory { directory in
        let (problem, busy) = try run(directory, using: &generator)
        #expect(problem == nil, "run \(number)")
        #expect(busy == 0)
      }
    }
  }

  @Test func `without its lock an older look overtakes a newer one`() throws {
    var generator = SplitMix.fresh("two captures without their lock")
    for number in 1...20 * Self.runs {
      let problem = try withTemporaryDirectory { directory in
        try run(directory, using: &generator, withoutLock: true).problem
      }
      if let problem {
        print("without the capture lock, in run \(number): \(problem)")
        return
      }
    }
    Issue.record("nobody misses the capture lock")
  }
}
