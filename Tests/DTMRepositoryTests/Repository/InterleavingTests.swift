import DTMRepository
import DTMSystem
import DTMTestSupport
import SystemPackage
import Testing

/// Several processes write one repository at once, one operation each in turn, in any order; some are
/// killed.
@Suite struct InterleavingTests {
  /// One run, and what is wrong with what it left.
  private struct Run {
    var problem: String?
    var conflicts = 0
    var killed = 0
    var packs = 0
  }

  /// What the processes acknowledged: the objects of each commit, by its branch.
  private final class Ledger: Sendable {
    struct Entry: Sendable {
      let branch: String
      let id: ObjectID
      let objects: [[UInt8]]
    }
    let entries = Monitor<[Entry]>([])
    let failures = Monitor<[String]>([])
    let conflicts = Monitor(0)
  }

  private static let processes = 3
  private static let commits = 3

  private static func limits() -> PackLimits {
    var limits = PackLimits()
    limits.data = 4 << 10
    limits.metadata = 2 << 10
    return limits
  }

  private static func open(_ files: SimulatedFileOperations) throws -> Repository {
    let repository = try Repository(files, segmentLimit: 4 << 10)
    repository.packLimits = limits()
    return repository
  }

  /// Commits to a branch that others commit to as well: who loses begins again.
  private static func commit(
    _ files: SimulatedFileOperations, _ branch: String, _ objects: [[UInt8]], _ ledger: Ledger
  ) throws {
    let ref = "folders/00000000000000000000000000000001/branches/\(branch)"
    while true {
      let repository = try open(files)
      let session = try repository.beginSession()
      let old = try repository.refresh().refs[ref]
      var page = Array("\(branch) ".utf8)
      if case .id(let id)? = old { page += id.bytes }
      for object in objects { page += try session.write(.chunk, object).bytes }
      let id = try session.write(.page, page)
      var draft = RecordDraft(kind: "snapshot", summary: branch)
      draft.moves = [RefMove(ref: ref, old: old, new: .id(id))]
      do {
        _ = try session.commit(draft, at: RepositoryFixture.time)
        ledger.entries.withLock {
          $0.append(Ledger.Entry(branch: ref, id: id, objects: objects + [page]))
        }
        return
      } catch {
        guard error.code == .conflict else { throw error }
        ledger.conflicts.withLock { $0 += 1 }
      }
    }
  }

  private func run(
    _ generator: inout SplitMix, kills: Bool = false,
    withoutLocks isFree: (@Sendable (String) -> Bool)? = nil
  ) throws -> Run {
    let files = SimulatedFileOperations()
    _ = try RepositoryFixture().create(files)
    let settled = files.afterKill()
    if let isFree { settled.ignoreLocks(isFree) }
    settled.recordInstants()
    let ledger = Ledger()
    // Some content is the same for all, and deduplicated.
    var shared = XorShift(seed: generator.next() | 1)
    let common = (0..<4).map { _ in shared.bytes(700) }
    var bodies: [@Sendable (SimulatedFileOperations) -> Void] = []
    for process in 0..<Self.processes {
      let seed = generator.next() | 1
      bodies.append { view in
        var own = XorShift(seed: seed)
        for number in 0..<Self.commits {
          let objects = [common[(process + number) % common.count], own.bytes(900), own.bytes(300)]
          let branch = number == 1 ? "main" : "own\(process)"
          do { try Self.commit(view, branch, objects, ledger) } catch let error as RepositoryError {
            if error.cause == .canceled { return }
            ledger.failures.withLock { $0.append("process \(process): \(error)") }
          } catch {
            ledger.failures.withLock { $0.append("process \(process): \(error)") }
          }
        }
      }
    }
    var killed: [Int: Int] = [:]
    if kills {
      for process in 1..<Self.processes { killed[process] = generator.below(250) }
    }
    let goesOn = try Interleaving.run(settled, using: &generator, kills: killed, bodies)
    var result = Run(conflicts: ledger.conflicts.withLock { $0 }, killed: killed.count)
    if !goesOn { result.problem = "all wait for one another" }
    result.problem = result.problem ?? ledger.failures.withLock { $0.first }
    let entries = ledger.entries.withLock { $0 }
    // After the end, and after a crash of the machine.
    for state in [settled.afterKill()] + settled.crashStates(limit: 6, using: &generator) {
      result.problem = result.problem ?? problem(state, entries)
    }
    result.packs = settled.paths().keys.count { $0.hasPrefix("live/") && $0 != "live/" }
    return result
  }

  /// What is wrong with a repository in which these commits were acknowledged.
  private func problem(_ files: SimulatedFileOperations, _ entries: [Ledger.Entry]) -> String? {
    do {
      let repository = try Self.open(files)
      var recorded: Set<ObjectID> = []
      try repository.refLog.history(newestFirst: false) { operation throws(RepositoryError) in
        for move in operation.moves { if case .id(let id)? = move.new { recorded.insert(id) } }
        return true
      }
      for entry in entries {
        if !recorded.contains(entry.id) { return "a commit to \(entry.branch) is lost" }
        for (index, object) in entry.objects.enumerated() {
          let kind: ObjectKind = index == entry.objects.count - 1 ? .page : .chunk
          if try repository.objects.read(Digest.id(kind, object), kind) != object {
            return "another object was read"
          }
        }
      }
      let verification = try repository.verify([], readsData: true)
      if let damage = verification.damage.first { return damage.message }
      let ledger = Ledger()
      try Self.commit(files, "next", [[1, 2, 3]], ledger)
      return nil
    } catch { return "\(error)" }
  }

  private static let runs = LongForm.isAsked ? 3000 : 150

  @Test func `whatever the order, nothing acknowledged is lost and nobody waits for ever`() throws {
    var generator = SplitMix.fresh("interleavings")
    var conflicts = 0
    for number in 0..<Self.runs {
      let run = try run(&generator)
      conflicts += run.conflicts
      #expect(run.problem == nil, "run \(number)")
      // At most as many packs of a kind as there were writers at one time.
      #expect(run.packs <= 2 * Self.processes)
      if run.problem != nil { return }
    }
    print("\(Self.runs) interleavings of \(Self.processes) writers: \(conflicts) conflicts")
    #expect(conflicts > 0)
  }

  @Test func `whoever is killed, the others go on and lose nothing`() throws {
    var generator = SplitMix.fresh("interleavings with kills")
    for number in 0..<Self.runs {
      let run = try run(&generator, kills: true)
      #expect(run.problem == nil, "run \(number)")
      if run.problem != nil { return }
    }
  }

  /// Each lock that a commit takes, by the file that it is on: a pack is locked as it is made, when it
  /// has no name yet, and as it is adopted. The epoch's keeps a collection away, and there is none yet.
  @Test(arguments: ["locks/refs", "live", "live/"])
  func `without any one of the locks it is noticed`(_ lock: String) throws {
    var generator = SplitMix.fresh("interleavings without \(lock)")
    for number in 1...20 * Self.runs {
      let run = try run(&generator) { name in
        lock.hasSuffix("/") ? name.hasPrefix(lock) : name == lock
      }
      if let problem = run.problem {
        print("without the lock on \(lock), in run \(number): \(problem)")
        return
      }
    }
    Issue.record("nobody misses the lock on \(lock)")
  }
}
