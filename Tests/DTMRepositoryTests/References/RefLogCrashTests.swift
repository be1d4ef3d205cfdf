import DTMRepository
import DTMSystem
import DTMTestSupport
import SystemPackage
import Testing

/// Work on a ref log, step by step; each step ends with something acknowledged.
struct RefLogScenario: Sendable, CustomTestStringConvertible {
  enum Beginning: Sendable {
    /// No log yet.
    case empty
    /// So many values, durable.
    case values(Int)
    /// So many values, of which a process that was killed did not synchronise the last.
    case unsynchronized(Int)
    /// So many values, and damage in one copy that `mend()` mends.
    case damaged(Int, @Sendable (inout [String: [UInt8]]) -> Void)
    /// So many values, of which the last is torn.
    case torn(Int)
  }

  let name: String
  let segmentLimit: Int
  let beginning: Beginning
  let steps: Int
  /// Whether the work begins with flushing the last record again and appends in the same segment.
  var isConfirming = false

  var testDescription: String { name }

  private static let large = 1 << 20

  static let all = [
    RefLogScenario(name: "create and append", segmentLimit: large, beginning: .empty, steps: 3),
    RefLogScenario(name: "rotate", segmentLimit: 1400, beginning: .values(1), steps: 7),
    RefLogScenario(
      name: "append after a kill", segmentLimit: large, beginning: .unsynchronized(3), steps: 2,
      isConfirming: true),
    RefLogScenario(
      name: "rotate after a kill", segmentLimit: 1400, beginning: .unsynchronized(3), steps: 2),
    RefLogScenario(
      name: "mend a flipped bit", segmentLimit: large,
      beginning: .damaged(3) { $0["refs/00000001.b"]?[100] ^= 4 }, steps: 2),
    RefLogScenario(
      name: "mend a missing copy", segmentLimit: large,
      beginning: .damaged(3) { $0["refs/00000001.a"] = nil }, steps: 2),
    RefLogScenario(
      name: "cut a torn record", segmentLimit: large, beginning: .torn(4), steps: 2),
  ]

  func fixture() throws -> RefLogFixture { try RefLogFixture(segmentLimit: segmentLimit) }

  /// What is acknowledged.
  struct Acknowledged {
    var value: Int
    /// Whether both copies must hold it.
    var isMended = true
    /// How many values more may be there.
    var more = 1
  }

  /// A disk on which the work begins.
  func begin() throws -> (files: SimulatedFileOperations, acknowledged: Acknowledged) {
    switch beginning {
    case .empty: return (SimulatedFileOperations(), Acknowledged(value: 0))
    case .values(let count):
      let files = try written(count)
      return (files, Acknowledged(value: count))
    case .unsynchronized(let count):
      let files = try written(count - 1)
      let probe = files.afterKill()
      try fixture().appendNext(fixture().log(probe))
      let flush = try #require(probe.journal.firstIndex { $0.kind == .synchronizeData })
      files.stop(after: flush)
      #expect(throws: RepositoryError.self) { try fixture().appendNext(fixture().log(files)) }
      return (files.afterKill(), Acknowledged(value: count - 1, more: 2))
    case .damaged(let count, let damage):
      let files = try written(count)
      let before = files.paths()
      var after = before
      damage(&after)
      for name in before.keys where before[name] != after[name] {
        try files.plant(after[name], at: name)
      }
      return (files, Acknowledged(value: count, isMended: false))
    case .torn(let count):
      let files = try written(count)
      for (name, cut) in [("refs/00000001.a", 40), ("refs/00000001.b", 140)] {
        try files.plant(files.paths()[name].map { Array($0.dropLast(cut)) }, at: name)
      }
      // Nobody has noted a record as durable that never came to the disk.
      try files.plant(nil, at: "locks/refs")
      return (files, Acknowledged(value: count - 1))
    }
  }

  private func written(_ count: Int) throws -> SimulatedFileOperations {
    let files = SimulatedFileOperations()
    let fixture = try fixture()
    try fixture.create(files)
    let log = fixture.log(files)
    while RefLogFixture.value(try log.read()) < count { try fixture.appendNext(log) }
    // The marker's removal is pending: settle it.
    try files.synchronizeDirectory("refs")
    try files.synchronizeDirectory("locks")
    return files.afterKill()
  }

  /// Does the work; returns what it acknowledged. A step that fails is not tried again.
  func run(
    _ files: SimulatedFileOperations, from start: Acknowledged
  ) throws -> Acknowledged {
    let fixture = try fixture()
    var acknowledged = start
    let log = fixture.log(files)
    if case .damaged = beginning, (try? log.mend()) != nil { acknowledged.isMended = true }
    for step in 0..<steps {
      do {
        if start.value == 0 && step == 0 {
          try fixture.create(files)
          acknowledged.value = 1
        } else {
          acknowledged.value = try fixture.appendNext(log)
        }
        (acknowledged.isMended, acknowledged.more) = (true, 1)
      } catch {
        continue
      }
    }
    return acknowledged
  }
}

extension RefLogFixture {
  func problem(
    _ files: SimulatedFileOperations, _ acknowledged: RefLogScenario.Acknowledged
  ) -> String? {
    problem(
      files, acknowledged: acknowledged.value, unacknowledged: acknowledged.more,
      isMended: acknowledged.isMended)
  }
}

@Suite struct RefLogCrashTests {
  private static let statesPerInstant = 100

  /// Every crash state at every instant of the work; returns how many, and the first problem.
  private func enumerate(
    _ scenario: RefLogScenario, using generator: inout SplitMix, perInstant: Int = statesPerInstant,
    stopAtProblem: Bool = false, prepare: (SimulatedFileOperations) -> Void = { _ in }
  ) throws -> (states: Int, problem: String?) {
    let fixture = try scenario.fixture()
    let (whole, start) = try scenario.begin()
    prepare(whole)
    _ = try scenario.run(whole, from: start)
    var count = 0
    var problem: String?
    for instant in 0...whole.journal.count {
      let (files, value) = try scenario.begin()
      prepare(files)
      files.stop(after: instant)
      let acknowledged = try scenario.run(files, from: value)
      for state in files.crashStates(limit: perInstant, using: &generator) {
        count += 1
        let found = fixture.problem(state, acknowledged)
        guard let found else { continue }
        problem =
          problem ?? "after operation \(instant) (\(files.journal[max(0, instant - 1)])): \(found)"
        if stopAtProblem { return (count, problem) }
      }
    }
    return (count, problem)
  }

  @Test(arguments: RefLogScenario.all)
  func `every state that a crash may leave holds what was acknowledged`(
    scenario: RefLogScenario
  ) throws {
    var generator = SplitMix.fresh("crash states, \(scenario.name)")
    let (states, problem) = try enumerate(scenario, using: &generator)
    print("crash states of \(scenario.name): \(states)")
    #expect(problem == nil)
    #expect(states > 50)
  }

  @Test(arguments: RefLogScenario.all)
  func `without any one of the synchronisations the enumeration fails`(
    scenario: RefLogScenario
  ) throws {
    var generator = SplitMix.fresh("dropped synchronisations, \(scenario.name)")
    let (files, value) = try scenario.begin()
    _ = try scenario.run(files, from: value)
    func isNoticed(_ kind: SimulatedFileOperations.Kind, _ numbers: [Int]) throws -> Bool {
      try enumerate(scenario, using: &generator, stopAtProblem: true) { files in
        for number in numbers { files.ignore(kind, number: number) }
      }.problem != nil
    }
    for kind in [SimulatedFileOperations.Kind.synchronizeData, .synchronizeDirectory] {
      let calls = files.journal.count { $0.kind == kind }
      for number in stride(from: 1, through: calls, by: 1) {
        if scenario.isConfirming && kind == .synchronizeData && number <= 2 {
          // One copy is enough here: only both together are needed.
          #expect(try isNoticed(kind, [1, 2]))
        } else {
          #expect(try isNoticed(kind, [number]), "\(kind) \(number) of \(calls) is not missed")
        }
      }
      print("dropped in \(scenario.name): \(calls) × \(kind)")
    }
  }

  @Test(arguments: RefLogScenario.all)
  func `a process killed at any instant leaves a log that goes on, and a crash later loses nothing`(
    scenario: RefLogScenario
  ) throws {
    var generator = SplitMix.fresh("kills, \(scenario.name)")
    let fixture = try scenario.fixture()
    let (whole, start) = try scenario.begin()
    _ = try scenario.run(whole, from: start)
    var count = 0
    for instant in 0...whole.journal.count {
      let (files, value) = try scenario.begin()
      files.stop(after: instant)
      let acknowledged = try scenario.run(files, from: value)
      let next = files.afterKill()
      guard let found = try? RefLogFixture.value(fixture.log(next).read()) else {
        #expect(acknowledged.value == 0)
        continue
      }
      #expect((0...acknowledged.more).contains(found - acknowledged.value))
      try fixture.appendNext(fixture.log(next))
      for state in next.crashStates(limit: 60, using: &generator) {
        count += 1
        let problem = fixture.problem(state, acknowledged: found + 1, unacknowledged: 0)
        #expect(problem == nil, "killed after \(instant)")
      }
    }
    print("crash states after kills in \(scenario.name): \(count)")
  }
}
