import DTMFolder
import DTMRepository
import DTMSystem
import DTMTestSupport
import Glibc
import SystemPackage
import Testing

/// Two processes restore one folder at once, one operation on the repository each in turn.
@Suite struct RestoreLockTests {
  private static let files: [PathKey] = ["f0", "f1", "f2", "f3"]

  /// Each wants another state; afterwards the folder has one of them whole, and its history says so.
  private func run(
    _ directory: FilePath, using generator: inout SplitMix, withoutLock: Bool = false
  ) throws -> (problem: String?, refused: Int) {
    let scenario = try CrashScenario(directory, using: generator)
    try scenario.create(scenario.files)
    var states: [KnownSnapshot] = []
    for state in 0..<3 {
      for file in Self.files { try scenario.sandbox.write(file, "state \(state)") }
      let folder = try scenario.open(scenario.files, remembers: false)
      let id = try scenario.snapshot(folder, "state \(state)")
      states.append(try History(folder.repository, folder: scenario.folderID).snapshot(id))
    }
    if withoutLock { scenario.files.ignoreLocks { $0.hasPrefix("locks/restore-") } }
    let outcomes = Monitor<(problems: [String], refused: Int)>(([], 0))
    let (path, id) = (scenario.sandbox.path, scenario.folderID)
    let wanted = Array(states.prefix(2))
    let goesOn = try Interleaving.run(
      scenario.files, using: &generator,
      wanted.map { target in
        { view in
          do {
            var request = RestoreRequest(.snapshot(target))
            request.takesSafetySnapshot = false
            let folder = try CrashScenario.open(view, path, id)
            let outcome = try folder.restore(request)
            guard let problem = outcome.problems.first else { return }
            outcomes.withLock { $0.problems.append("\(problem)") }
          } catch {
            if let error = error as? FolderError, error.code == .busy {
              return outcomes.withLock { $0.refused += 1 }
            }
            outcomes.withLock { $0.problems.append("\(error)") }
          }
        }
      })
    if !goesOn { return ("both wait", 0) }
    let (problems, refused) = outcomes.withLock { $0 }
    if let problem = problems.first { return (problem, refused) }
    let texts = try Set(
      Self.files.map { file in
        let opened = try scenario.sandbox.open(file, O_RDONLY)
        return String(decoding: try opened.readToEnd(limit: 64), as: UTF8.self)
      })
    if texts.count > 1 { return ("the folder is \(texts.sorted()) at once", refused) }
    let folder = try scenario.open(scenario.files.afterKill(), remembers: false)
    if try folder.needsRecovery() { return ("a journal is left", refused) }
    let history = try History(folder.repository, folder: scenario.folderID)
    let head = try history.snapshot(try #require(history.head))
    let isSame = try folder.working().tree.root == head.snapshot.tree
    return (isSame ? nil : "the newest snapshot is not the folder", refused)
  }

  private static let runs = LongForm.isAsked ? 1000 : 40

  @Test func `with its lock the folder is in one state, and the history says in which`() throws {
    var generator = SplitMix.fresh("two restores")
    for number in 0..<Self.runs {
      try withTemporaryDirectory { directory in
        let (problem, refused) = try run(directory, using: &generator)
        #expect(problem == nil, "run \(number)")
        #expect(refused < 2)
      }
    }
  }

  @Test func `without its lock one takes the other's work for a crash`() throws {
    var generator = SplitMix.fresh("two restores without their lock")
    for number in 1...20 * Self.runs {
      let problem = try withTemporaryDirectory { directory in
        try run(directory, using: &generator, withoutLock: true).problem
      }
      if let problem {
        print("without the restore lock, in run \(number): \(problem)")
        return
      }
    }
    Issue.record("nobody misses the restore lock")
  }
}
