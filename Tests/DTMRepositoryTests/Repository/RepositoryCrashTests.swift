import DTMRepository
import DTMSystem
import DTMTestSupport
import SystemPackage
import Testing

@Suite struct RepositoryCrashTests {
  /// Runs `steps` commits, each by a new opening, and returns the last that was acknowledged.
  private func run(_ files: SimulatedFileOperations, from first: Int, steps: Int) -> Int {
    let fixture = RepositoryFixture()
    var acknowledged = first
    for number in (first + 1)...(first + steps) {
      do {
        try fixture.commit(number, to: try fixture.open(files))
        acknowledged = number
      } catch { break }
    }
    return acknowledged
  }

  /// A repository with some steps, all of it durable.
  private func settled(_ steps: Int) throws -> SimulatedFileOperations {
    let files = SimulatedFileOperations()
    _ = try RepositoryFixture().create(files)
    if steps > 0 { #expect(run(files, from: 0, steps: steps) == steps) }
    return files.afterKill()
  }

  /// Every state opens, has what was acknowledged, and takes a new step.
  private func check(_ state: SimulatedFileOperations, acknowledged: Int, _ what: String) throws {
    let fixture = RepositoryFixture()
    let found: Int
    do {
      found = try fixture.check(try fixture.open(state))
    } catch {
      Issue.record("\(what): \(error)")
      return
    }
    if found < acknowledged || found > acknowledged + 1 {
      Issue.record("\(what): step \(acknowledged) was acknowledged, \(found) is there")
    }
    try fixture.commit(found + 1, to: try fixture.open(state))
    #expect(try fixture.check(try fixture.open(state)) == found + 1)
  }

  @Test func `after a crash at any operation every acknowledged step is whole`() throws {
    var generator = SplitMix.fresh("crashes of commits")
    // Enough steps to create, adopt and seal packs, and to merge tables.
    for (before, steps) in [(0, 4), (3, 3), (14, 4)] {
      let start = try settled(before)
      let rehearsal = start.afterKill()
      _ = run(rehearsal, from: before, steps: steps)
      let operations = rehearsal.journal.count
      var states = 0
      for number in 0..<operations {
        let files = start.afterKill()
        files.stop(after: number)
        let acknowledged = run(files, from: before, steps: steps)
        for state in files.crashStates(limit: 6, using: &generator) {
          states += 1
          try check(
            state, acknowledged: acknowledged, "crash after operation \(number) of \(operations)")
        }
      }
      print("crash states of \(steps) commits after \(before): \(states), \(operations) operations")
      #expect(states > operations)
    }
  }

  @Test func `after a crash while it is made there is a repository or none`() throws {
    var generator = SplitMix.fresh("crashes of creation")
    let rehearsal = SimulatedFileOperations()
    _ = try RepositoryFixture().create(rehearsal)
    for number in 0..<rehearsal.journal.count {
      let files = SimulatedFileOperations()
      files.stop(after: number)
      _ = try? RepositoryFixture().create(files)
      for state in files.crashStates(limit: 12, using: &generator) {
        let fixture = RepositoryFixture()
        do {
          _ = try fixture.open(state)
        } catch let error as RepositoryError where error.code == .notFound {
          _ = try fixture.create(state)
        }
        try fixture.commit(1, to: try fixture.open(state))
        #expect(try fixture.check(try fixture.open(state)) == 1)
      }
    }
  }

  @Test(arguments: [Errno.ioError, .noSpace, .tooManyOpenFiles])
  func `when any one operation fails nothing acknowledged is lost`(_ error: Errno) throws {
    for (before, steps) in [(0, 3), (14, 3)] {
      let start = try settled(before)
      let rehearsal = start.afterKill()
      _ = run(rehearsal, from: before, steps: steps)
      for number in 1...rehearsal.journal.count {
        let files = start.afterKill()
        files.fail(operation: number, with: error)
        let acknowledged = run(files, from: before, steps: steps)
        files.clearFailures()
        let what = "\(error) at operation \(number), \(rehearsal.journal[number - 1])"
        try check(files.afterKill(), acknowledged: acknowledged, what)
      }
    }
  }

  @Test func `a flush that is left out is noticed`() throws {
    let start = try settled(3)
    let rehearsal = start.afterKill()
    #expect(run(rehearsal, from: 3, steps: 3) == 6)
    var generator = SplitMix.fresh("flushes left out")
    for kind in [SimulatedFileOperations.Kind.synchronizeData, .synchronizeDirectory] {
      let count = rehearsal.journal.filter { $0.kind == kind }.count
      for number in 0..<count {
        let files = start.afterKill()
        files.ignore(kind, number: number + 1)
        var isNoticed = false
        // Right after each step: the next one's flush covers what this one left out.
        for step in 0..<3 where !isNoticed {
          let acknowledged = run(files, from: 3 + step, steps: 1)
          for state in files.crashStates(limit: 60, using: &generator) where !isNoticed {
            let fixture = RepositoryFixture()
            let found = try? fixture.check(try fixture.open(state))
            isNoticed = found.map { $0 < acknowledged } ?? true
          }
        }
        let name = rehearsal.journal.filter { $0.kind == kind }[number]
        // A merged index is a cache; of the ref log one copy is enough (its own tests drop both).
        if !name.name.hasPrefix("index/") && !name.name.hasPrefix("refs/") {
          #expect(isNoticed, "nobody misses \(name), number \(number)")
        }
      }
    }
  }
}
