import DTMRepository
import DTMSystem
import DTMTestSupport
import SystemPackage
import Testing

/// A repair that is cut off anywhere, or in which anything fails, is done again and loses nothing.
@Suite struct RepairCrashTests {
  /// Damage of several kinds, each on its own disk.
  private static let kinds = ["packs", "live", "log", "older log", "format", "all"]

  private func damaged(_ fixture: DamageFixture, _ kind: String) throws -> SimulatedFileOperations {
    var changes: [String: [UInt8]?] = [:]
    func hurt(_ prefix: String, _ suffix: String, at part: Int) {
      for file in fixture.truth where file.name.hasPrefix(prefix) && file.name.hasSuffix(suffix) {
        var bytes = file.bytes
        bytes[bytes.count * part / 100] ^= 0x40
        changes[file.name] = bytes
      }
    }
    if kind == "packs" || kind == "all" { hurt("packs/", ".data", at: 40) }
    if kind == "live" || kind == "all" { hurt("live/", ".data", at: 60) }
    if kind == "live" { hurt("live/", ".meta", at: 60) }
    if kind == "log" || kind == "all" { hurt("refs/", "", at: 70) }
    if kind == "format" { changes["format.json"] = Array("{".utf8) }
    let files = try fixture.damaged(changes)
    if kind == "older log" {
      // A second segment, and the first one damaged in both copies.
      let log = RefLog(
        files: files, repository: try Repository(files).id, segmentLimit: 1)
      for number in 0..<4 {
        _ = try log.append(
          RecordDraft(kind: "label", summary: "\(number)"), at: DamageFixture.time)
      }
      let names = files.paths().keys.filter { $0.hasPrefix("refs/0") }
      try #require(names.count > 2)
      for name in names where name.hasPrefix("refs/00000001") {
        try files.plant(Array("gone".utf8), at: name)
      }
    }
    return files.afterKill()
  }

  private func repair(_ files: SimulatedFileOperations) throws(RepositoryError) {
    _ = try RepositoryRepair(files, RepositoryRepair.Context(time: DamageFixture.time))
  }

  private func losses(
    _ fixture: DamageFixture, _ files: SimulatedFileOperations, _ what: String
  ) throws -> DamageFixture.Losses {
    let repository = try fixture.open(files)
    let found = try repository.verify(readsData: true)
    for damage in found.damage where damage.object == nil || !damage.file.isEmpty {
      Issue.record("\(what): \(damage.message)")
    }
    return try fixture.losses(repository, what)
  }

  /// How many damaged files were set aside; a repair that is done again finds none any more.
  private func setAside(_ files: SimulatedFileOperations) -> Set<[UInt8]> {
    Set(files.paths().filter { $0.key.hasPrefix("trash/damaged-") }.values)
  }

  @Test(arguments: kinds) func `after a crash at any operation`(_ kind: String) throws {
    let fixture = try DamageFixture()
    let start = try damaged(fixture, kind)
    let rehearsal = start.afterKill()
    try repair(rehearsal)
    let expected = try losses(fixture, rehearsal, "undisturbed")
    let aside = setAside(rehearsal)
    #expect(kind == "older log" || kind == "format" || !aside.isEmpty)
    var generator = SplitMix.fresh("crashes of repair, \(kind)")
    let operations = rehearsal.journal.count
    var states = 0
    // The checks read everything each time: every operation once is enough.
    let changing = rehearsal.journal.indices.filter { Self.changes(rehearsal.journal[$0]) }
    for number in changing {
      let files = start.afterKill()
      files.stop(after: number)
      try? repair(files)
      for state in files.crashStates(limit: LongForm.isAsked ? 40 : 3, using: &generator) {
        states += 1
        let what = "\(kind): crash before \(rehearsal.journal[number]), number \(number)"
        do {
          try repair(state)
          if try losses(fixture, state, what) != expected { Issue.record("\(what): losses differ") }
          if !aside.isSubset(of: setAside(state)) { Issue.record("\(what): a file was deleted") }
        } catch { Issue.record("\(what): \(error)") }
      }
    }
    print("crash states of a repair of \(kind): \(states), \(operations) operations")
  }

  private static func changes(_ operation: SimulatedFileOperations.Operation) -> Bool {
    switch operation.kind {
    case .open, .list, .size, .read, .lock, .lockHolder, .identity: false
    default: true
    }
  }

  @Test(arguments: kinds) func `when any operation fails`(_ kind: String) throws {
    let fixture = try DamageFixture()
    let start = try damaged(fixture, kind)
    let rehearsal = start.afterKill()
    try repair(rehearsal)
    let expected = try losses(fixture, rehearsal, "undisturbed")
    let aside = setAside(rehearsal)
    for number in 1...rehearsal.journal.count where LongForm.isAsked || number % 3 == 0 {
      let files = start.afterKill()
      files.fail(operation: number, with: number % 2 == 0 ? .ioError : .noSpace)
      try? repair(files)
      let what = "\(kind): \(rehearsal.journal[number - 1]), number \(number), fails"
      do {
        let state = files.afterKill()
        try repair(state)
        if try losses(fixture, state, what) != expected { Issue.record("\(what): losses differ") }
        if !aside.isSubset(of: setAside(state)) { Issue.record("\(what): a file was deleted") }
      } catch { Issue.record("\(what): \(error)") }
    }
  }

  @Test func `it is refused while somebody captures or writes`() throws {
    let fixture = try DamageFixture()
    let files = fixture.files
    let repository = try Repository(files)
    let lock = try #require(try repository.captureLock())
    #expect(throws: RepositoryError(.locked, "")) { try repair(files) }
    withExtendedLifetime(lock) {}
    let other = files.afterKill()
    let session = try Repository(other).beginSession()
    #expect(throws: RepositoryError(.locked, "")) { try repair(other) }
    withExtendedLifetime(session) {}
  }
}
