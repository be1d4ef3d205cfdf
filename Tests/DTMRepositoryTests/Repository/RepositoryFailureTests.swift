import DTMRepository
import DTMSystem
import DTMTestSupport
import SystemPackage
import Testing

/// Any one operation fails, and the same process goes on.
@Suite struct RepositoryFailureTests {
  private let fixture = RepositoryFixture()

  /// Commits with one and the same `Repository`, each step until it is acknowledged.
  ///
  /// Returns the last step, and the errors on the way; nil where a step fails three times.
  private func run(
    _ files: SimulatedFileOperations, from first: Int, steps: Int
  ) -> (last: Int, errors: [RepositoryError])? {
    var repository: Repository?
    var errors: [RepositoryError] = []
    for number in (first + 1)...(first + steps) {
      var attempts = 0
      while true {
        do {
          let opened = try repository ?? fixture.open(files)
          repository = opened
          try fixture.commit(number, to: opened)
          break
        } catch let error as RepositoryError {
          errors.append(error)
        } catch { return nil }
        attempts += 1
        if attempts == 3 { return nil }
      }
    }
    return (first + steps, errors)
  }

  private func settled(_ steps: Int) throws -> SimulatedFileOperations {
    let files = SimulatedFileOperations()
    _ = try fixture.create(files)
    if steps > 0 { #expect(run(files, from: 0, steps: steps)?.last == steps) }
    return files.afterKill()
  }

  /// `stays`: after a failed flush the system shows the new bytes (ext4, XFS); else the old (btrfs).
  @Test(arguments: [Errno.ioError, .noSpace, .tooManyOpenFiles, .interrupted], [true, false])
  func `the same process goes on, and loses nothing`(_ error: Errno, stays: Bool) throws {
    var generator = SplitMix.fresh("failures, \(error), \(stays ? "kept" : "reverted")")
    var states = 0
    var operations = 0
    var reported = 0
    for (before, steps) in [(0, 3), (14, 4)] {
      let start = try settled(before)
      let rehearsal = start.afterKill()
      _ = run(rehearsal, from: before, steps: steps)
      #expect(before == 0 || rehearsal.journal.contains { $0.name.hasSuffix(".index") })
      for number in 1...rehearsal.journal.count {
        let operation = rehearsal.journal[number - 1]
        // What the system shows makes a difference after a failed flush only.
        if !stays && operation.kind != .synchronizeData { continue }
        operations += 1
        let what = "\(error) at \(number), \(operation)"
        let files = start.afterKill()
        if !stays { files.revertFailedFlushes() }
        files.fail(operation: number, with: error)
        guard let (last, errors) = run(files, from: before, steps: steps) else {
          Issue.record("\(what): the process can't go on")
          continue
        }
        reported += errors.count
        // One failure is told once, by its cause, or made good.
        #expect(errors.count <= 1, "\(what): \(errors)")
        #expect(errors.allSatisfy { $0.cause == error }, "\(what): \(errors)")
        if operation.name.hasPrefix("index") { #expect(errors.isEmpty, "a cache: \(what)") }
        for state in [files.afterKill()] + files.crashStates(limit: 3, using: &generator) {
          states += 1
          let next = try fixture.open(state)
          #expect(try fixture.check(next) == last, "\(what)")
          try fixture.commit(last + 1, to: next)
          let damage = try fixture.open(state).verify([], readsData: true).damage
          #expect(damage.isEmpty, "\(what)")
        }
      }
    }
    print("\(error): \(operations) failures, \(reported) reported, \(states) states afterwards")
  }

  /// From one operation on everything that needs room fails, and then there is room again.
  @Test func `a disk that is full from any instant on is refused clearly, and work goes on`()
    throws
  {
    let start = try settled(14)
    let rehearsal = start.afterKill()
    _ = run(rehearsal, from: 14, steps: 3)
    for number in 0..<rehearsal.journal.count {
      let files = start.afterKill()
      var repository = try fixture.open(files)
      files.fail(
        every: [.write, .create, .createUnnamed, .link, .makeDirectory], with: .noSpace,
        after: number)
      var last = 14
      for step in 15...17 {
        do {
          try fixture.commit(step, to: repository)
          last = step
        } catch {
          #expect(error as? RepositoryError == RepositoryError(.noSpace, ""), "from \(number) on")
        }
      }
      // Reading never needs room.
      let reader = try fixture.open(files)
      let found = try fixture.check(reader)
      #expect((last...last + 1).contains(found), "from \(number) on")
      files.clearFailures()
      try fixture.commit(found + 1, to: repository)
      repository = try fixture.open(files.afterKill())
      #expect(try fixture.check(repository) == found + 1)
      #expect(try repository.verify([], readsData: true).isSound)
    }
  }

  /// The descriptors of a failed flush are not used again, and what they held is written anew.
  @Test func `a failed flush is never repeated on its file`() throws {
    let start = try settled(3)
    let rehearsal = start.afterKill()
    _ = run(rehearsal, from: 3, steps: 3)
    for number in rehearsal.journal.indices
    where rehearsal.journal[number].kind == .synchronizeData {
      let files = start.afterKill()
      files.recordFlushes()
      files.fail(operation: number + 1, with: .ioError)
      #expect(run(files, from: 3, steps: 3)?.last == 6)
      #expect(files.repeatedFlushes.isEmpty, "\(rehearsal.journal[number])")
    }
  }
}
