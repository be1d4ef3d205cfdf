import DTMRepository
import DTMSystem
import DTMTestSupport
import SystemPackage
import Testing

/// Every kind of damage: it is found and named, nothing wrong is ever read, a repair saves what there
/// is, and writing the same content again heals the rest.
@Suite struct DamageTests {
  private var fixture: DamageFixture

  init() throws {
    fixture = try DamageFixture()
    let names = fixture.truth.map(\.name)
    #expect(names.count { $0.hasPrefix("packs/") && $0.hasSuffix(".data") } >= 2)
    #expect(names.count { $0.hasPrefix("packs/") && $0.hasSuffix(".meta") } >= 1)
    #expect(names.count { $0.hasPrefix("live/") } >= 1)
    #expect(try fixture.losses(fixture.open(fixture.files), "sound").isEmpty)
    #expect(try fixture.open(fixture.files).verify(readsData: true).damage.isEmpty)
  }

  /// Damages one file, and holds everything that must be true then.
  private func check(_ name: String, _ changes: [String: [UInt8]?], _ what: String) throws {
    let files = try fixture.damaged(changes)
    var before: DamageFixture.Losses?
    do throws(RepositoryError) {
      let repository = try Repository(files)
      let found = try repository.verify(readsData: true)
      if !found.damage.contains(where: { $0.file == name || $0.file.isEmpty }) {
        Issue.record("\(what) is not found: \(found.damage.map(\.message))")
      }
      let losses = try readLosses(repository, what)
      fixture.expect(found, names: losses, what)
      before = losses
    } catch {
      // Both copies of the ref log.
      #expect(error.code == .corrupt, "\(what): \(error.message)")
    }
    try checkRepaired(files, before, what)
  }

  private func readLosses(
    _ repository: Repository, _ what: String
  ) throws(RepositoryError) -> DamageFixture.Losses {
    do { return try fixture.losses(repository, what) } catch let error as RepositoryError {
      throw error
    } catch {
      Issue.record("\(what): \(error)")
      return DamageFixture.Losses()
    }
  }

  private func checkRepaired(
    _ files: SimulatedFileOperations, _ before: DamageFixture.Losses?, _ what: String
  ) throws {
    do {
      let names = Set(files.paths().keys)
      let report = try RepositoryRepair(
        files, RepositoryRepair.Context(time: DamageFixture.time)
      ).report
      for name in names where name.hasPrefix("trash/damaged") {
        #expect(files.paths()[name] != nil, "\(what): \(name) was deleted")
      }
      let repository = try fixture.open(files)
      let found = try repository.verify(readsData: true)
      let losses = try fixture.losses(repository, what)
      // What a branch was taken back from is named by the repair, and by verify no more.
      // Nor is what neither the packs nor the log tell of any more.
      var named = losses
      if report.isLogRebuilt { named.snapshots.formIntersection(found.lostSnapshots) }
      named.snapshots.formIntersection(
        losses.snapshots.subtracting(report.lostSnapshots).union(found.lostSnapshots))
      fixture.expect(found, names: named, what)
      for damage in found.damage where damage.object == nil || !damage.file.isEmpty {
        Issue.record("\(what): after the repair there is: \(damage.message)")
      }
      if let before { expect(losses, atMost: before, what) }
      // Nothing is taken for stored that is lost: the same content heals what needs it.
      try fixture.writeAgain(to: repository)
      let after = try fixture.open(files)
      let healed = try fixture.losses(after, what)
      if !healed.isEmpty { Issue.record("\(what): not healed: \(healed)") }
      let verified = try after.verify(readsData: true)
      if !verified.isSound { Issue.record("\(what): \(verified.damage.map(\.message))") }
    } catch { Issue.record("\(what): \(error)") }
  }

  /// A repair never makes less readable.
  private func expect(
    _ losses: DamageFixture.Losses, atMost before: DamageFixture.Losses, _ what: String
  ) {
    if !losses.snapshots.isSubset(of: before.snapshots) {
      Issue.record("\(what): the repair lost snapshots")
    }
    for (path, ids) in losses.paths
    where !ids.isSubset(of: (before.paths[path] ?? []).union(before.snapshots)) {
      Issue.record("\(what): the repair lost \(Quoting.path(path.path))")
    }
  }

  // MARK: - Packs and the ref log

  @Test func `a flipped bit is found, named and repaired`() throws {
    var generator = SplitMix.fresh("flipped bits")
    let flips = flips.shuffled(using: &generator).prefix(5000)
    for flip in flips { try check(flip) }
  }

  /// Of a repository that has everything, but little of it; in the short form not each.
  @Test mutating func `each flipped bit of a small repository is found, named and repaired`() throws
  {
    fixture = try DamageFixture(count: 8)
    var generator = SplitMix.fresh("bits of a small repository")
    let all = flips
    let flips = LongForm.isAsked ? all : Array(all.shuffled(using: &generator).prefix(500))
    for flip in flips { try check(flip) }
    print("flipped bits: \(flips.count) of all \(all.count)")
  }

  private var flips: [(file: Int, bit: Int)] {
    fixture.truth.enumerated().flatMap { index, file in
      (0..<(file.bytes.count * 8)).map { (index, $0) }
    }
  }

  private func check(_ flip: (file: Int, bit: Int)) throws {
    var (name, bytes) = fixture.truth[flip.file]
    bytes[flip.bit / 8] ^= 1 << UInt8(flip.bit % 8)
    try check(name, [name: bytes], "bit \(flip.bit) of \(name)")
  }

  @Test func `a file cut at any length is found, named and repaired`() throws {
    for file in fixture.truth {
      // All lengths would take minutes; near the ends of things each counts.
      let step = isLong ? 1 : 61
      for length in stride(from: 0, to: file.bytes.count, by: step) {
        // The newest record may be missing in one copy: a crash leaves that, and the next writer mends.
        if file.name.hasPrefix("refs/") && !isLong && length % 7 != 0 { continue }
        try checkCut(file.name, file.bytes, length)
      }
    }
  }

  private func checkCut(_ name: String, _ bytes: [UInt8], _ length: Int) throws {
    let what = "\(name) cut to \(length)"
    let files = try fixture.damaged([name: Array(bytes[..<length])])
    if name.hasPrefix("refs/") {
      // The other copy has everything.
      let repository = try fixture.open(files)
      #expect(try fixture.losses(repository, what).isEmpty)
      return try checkRepaired(files, DamageFixture.Losses(), what)
    }
    try check(name, [name: Array(bytes[..<length])], what)
  }

  @Test func `a file that is gone is repaired, and what is lost with it is named`() throws {
    for file in fixture.truth {
      let what = "without \(file.name)"
      let files = try fixture.damaged([file.name: Optional.none])
      let repository = try fixture.open(files)
      let found = try repository.verify(readsData: true)
      #expect(!found.isSound, "\(what)")
      let losses = try fixture.losses(repository, what)
      fixture.expect(found, names: losses, what)
      try checkRepaired(files, losses, what)
    }
  }

  @Test func `after a repair history leads to each snapshot that can be read`() throws {
    let truth = fixture.truth
    let logs = truth.filter { $0.name.hasPrefix("refs/") }
    let packs = truth.filter { $0.name.hasPrefix("packs/") && $0.name.hasSuffix(".meta") }
    var lost = 0
    for pack in packs {
      for at in stride(from: 40, to: pack.bytes.count, by: isLong ? 23 : 211) {
        var bytes = pack.bytes
        bytes[at] ^= 0x10
        // The log has lost its end in both copies: what came after is known from the packs alone.
        for length in stride(from: 150, to: logs[0].bytes.count, by: isLong ? 40 : 200) {
          var changes: [String: [UInt8]?] = [pack.name: bytes]
          for log in logs { changes[log.name] = .some(Array(log.bytes.prefix(length))) }
          let files = try fixture.damaged(changes)
          _ = try RepositoryRepair(files, RepositoryRepair.Context(time: DamageFixture.time))
          let repository = try fixture.open(files)
          let what = "\(pack.name) at \(at), the log cut to \(length)"
          let gone = try fixture.losses(repository, what).snapshots
          lost += gone.count
          let missing = Set(fixture.snapshots.map(\.id)).subtracting(gone)
            .subtracting(try fixture.reached(repository))
          if !missing.isEmpty { Issue.record("\(what): nothing leads to \(missing)") }
        }
      }
    }
    #expect(lost > 0, "some snapshots have to be lost for this to tell anything")
  }

  @Test func `files that took each other's place are found and repaired`() throws {
    let truth = fixture.truth
    for first in truth {
      for second in truth where second.name != first.name && second.bytes != first.bytes {
        guard first.name.suffix(5) == second.name.suffix(5) || first.name.hasPrefix("refs/"),
          first.name.hasPrefix("refs/") == second.name.hasPrefix("refs/")
        else { continue }
        try check(
          first.name, [first.name: second.bytes], "\(second.name) in the place of \(first.name)")
        try check(
          first.name, [first.name: second.bytes, second.name: first.bytes],
          "\(first.name) and \(second.name) exchanged")
      }
    }
  }

  @Test func `random damage of several files never gives wrong bytes`() throws {
    var generator = SplitMix.fresh("random damage")
    let truth = fixture.truth
    for round in 0..<(isLong ? 20_000 : 300) {
      var changes: [String: [UInt8]?] = [:]
      for _ in 0...generator.below(4) {
        let file = truth[generator.below(truth.count)]
        var bytes = file.bytes
        switch generator.below(5) {
        case 0: bytes[generator.below(bytes.count)] ^= UInt8(1 << generator.below(8))
        case 1: bytes.removeLast(generator.below(bytes.count))
        case 2: bytes += (0..<generator.below(300)).map { _ in UInt8(generator.below(256)) }
        case 3:
          let start = generator.below(bytes.count)
          for at in start..<min(bytes.count, start + generator.below(600)) {
            bytes[at] = UInt8(generator.below(256))
          }
        default:
          if file.name.hasPrefix("packs/") { changes[file.name] = .some(.none) }
          continue
        }
        changes[file.name] = bytes
      }
      let what = "round \(round): \(changes.keys.sorted())"
      let files = try fixture.damaged(changes)
      do {
        let repository = try fixture.open(files)
        let found = try repository.verify(readsData: true)
        let losses = try fixture.losses(repository, what)
        // Without its end the log does not know the newest snapshots; verify says that it is missing.
        if !found.damage.contains(where: { $0.message.contains("went on to a record") }) {
          fixture.expect(found, names: losses, what)
        }
      } catch let error as RepositoryError {
        #expect(error.code == .corrupt, "\(what): \(error.message)")
      }
      try checkRepaired(files, nil, what)
    }
  }

  private var isLong: Bool { LongForm.isAsked }
}
