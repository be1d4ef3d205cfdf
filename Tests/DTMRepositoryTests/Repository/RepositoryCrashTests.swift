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

  /// What is wrong with a state, which has to open, have what was acknowledged, and take a new step.
  private func problem(
    _ state: SimulatedFileOperations, acknowledged: Int, more: Int = 1
  ) -> String? {
    let fixture = RepositoryFixture()
    do {
      let found = try fixture.check(try fixture.open(state))
      guard (acknowledged...acknowledged + more).contains(found) else {
        return "step \(acknowledged) was acknowledged, \(found) is there"
      }
      try fixture.commit(found + 1, to: try fixture.open(state))
      let next = try fixture.open(state)
      guard try fixture.check(next) == found + 1 else { return "the new step is not there" }
      let verification = try next.verify([], readsData: true)
      return verification.damage.first.map { "\($0.message)" }
    } catch { return "\(error)" }
  }

  /// The disk at each instant of some steps, and how many operations there were at each's end.
  private func record(
    _ files: SimulatedFileOperations, from first: Int, steps: Int
  ) throws -> (instants: [CrashInstant], ends: [Int]) {
    files.recordInstants()
    var ends: [Int] = []
    for number in (first + 1)...(first + steps) {
      let fixture = RepositoryFixture()
      try fixture.commit(number, to: try fixture.open(files))
      ends.append(files.journal.count)
    }
    return (files.instants(), ends)
  }

  // Enough steps to create, adopt and seal packs, to merge tables, and to begin segments.
  static let works = [(0, 4), (3, 3), (14, 6)]

  @Test func `after a crash at any operation every acknowledged step is whole`() throws {
    var generator = SplitMix.fresh("crashes of commits")
    for (before, steps) in Self.works {
      let (instants, ends) = try record(try settled(before), from: before, steps: steps)
      let result = CrashEnumeration(instants, budget: 2500, using: &generator) { state, instant in
        let acknowledged = before + ends.count { $0 <= instant.operations }
        return problem(state, acknowledged: acknowledged)
      }
      print("\(steps) commits after \(before): \(result.summary)")
      #expect(result.problem == nil)
      #expect(result.states > 2 * instants.count)
    }
  }

  /// What a killed process left unsynchronised, the next one may build on.
  @Test func `after a kill at any operation the next step survives a crash`() throws {
    var generator = SplitMix.fresh("kill, commit, crash")
    var states = 0
    for (before, steps) in Self.works {
      let (instants, ends) = try record(try settled(before), from: before, steps: steps)
      for instant in instants {
        let files = instant.afterKill()
        let fixture = RepositoryFixture()
        let acknowledged = before + ends.count { $0 <= instant.operations }
        let found = try fixture.check(try fixture.open(files))
        #expect((acknowledged...acknowledged + 1).contains(found))
        try fixture.commit(found + 1, to: try fixture.open(files))
        for name in try files.list("packs") {
          // Whoever committed has made the names of all sealed packs durable, and said so.
          #expect(try files.open("packs/" + name, writable: false).mode() == 0o444)
        }
        for state in files.crashStates(limit: LongForm.isAsked ? 200 : 12, using: &generator) {
          states += 1
          if let problem = problem(state, acknowledged: found + 1, more: 0) {
            Issue.record("killed after \(instant.operations), committed, crashed: \(problem)")
          }
        }
      }
    }
    print("kill, commit, crash: \(states) crash states")
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
        if !name.name.hasPrefix("index") && !name.name.hasPrefix("refs/") {
          #expect(isNoticed, "nobody misses \(name), number \(number)")
        }
      }
    }
  }
}
