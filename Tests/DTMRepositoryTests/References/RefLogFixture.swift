import DTMRepository
import DTMSystem
import DTMTestSupport
import SystemPackage
import Testing

/// A ref log whose one branch counts its records: `main` is `v1`, `v2`, …
struct RefLogFixture {
  static let branch = "folders/00112233445566778899aabbccddeeff/branches/main"
  let repository: PackID
  let segmentLimit: Int

  init(segmentLimit: Int = RefLog.defaultSegmentLimit) throws {
    repository = try #require(PackID(hex: "000102030405060708090a0b0c0d0e0f"))
    self.segmentLimit = segmentLimit
  }

  func log(_ files: any FileOperations) -> RefLog {
    RefLog(files: files, repository: repository, segmentLimit: segmentLimit)
  }

  static func time(_ value: Int) -> Timestamp {
    Timestamp(seconds: 1_795_000_000 + Int64(value), nanoseconds: 250_000_000)
  }

  /// A log with `v1`.
  func create(_ files: any FileOperations) throws {
    let move = RefMove(ref: Self.branch, old: nil, new: .name("v1"))
    _ = try RefLog.create(
      files: files, repository: repository,
      first: RecordDraft(kind: "init", summary: "made", moves: [move], pid: 4, uid: 1000),
      at: Self.time(1))
  }

  static func value(_ state: RefLogState) -> Int {
    guard case .name(let name)? = state.refs[branch] else { return 0 }
    return Int(name.dropFirst()) ?? 0
  }

  /// The record that makes `v<value>` of the value before; every third has facts and is long, so
  /// that records of one, two and three sectors occur.
  func draft(_ value: Int) throws -> RecordDraft {
    let subject = try #require(ObjectID([UInt8](repeating: UInt8(value & 255), count: 32)))
    let pack = try #require(PackID([UInt8](repeating: UInt8(value / 4 & 255), count: 16)))
    return RecordDraft(
      kind: value.isMultiple(of: 2) ? "restore" : "snapshot", summary: "the value is \(value)",
      moves: [
        RefMove(ref: Self.branch, old: .name("v\(value - 1)"), new: .name("v\(value)"))
      ],
      facts: value.isMultiple(of: 3)
        ? [
          Fact(subject: subject, key: "label:x", value: [UInt8](repeating: 0x61, count: 500)),
          Fact(subject: subject, key: "storedBytes", value: Array("\(value)".utf8)),
        ] : [],
      livePacks: [LivePack(id: pack, kind: .data, length: value * 1000)],
      details: [("path", "a/b")], pid: 5, uid: 1000)
  }

  /// Appends the next value to what the log has now; returns it.
  @discardableResult
  func appendNext(_ log: RefLog) throws -> Int {
    let value = Self.value(try log.read()) + 1
    let state = try log.append(try draft(value), at: Self.time(value))
    guard Self.value(state) == value else { throw Errno.invalidArgument }
    return value
  }

  /// What is wrong with a log that acknowledged values up to `acknowledged` and may have one more;
  /// nil when it holds all of them in both copies (`isMended`: else one is enough) and takes a new
  /// one.
  func problem(
    _ files: SimulatedFileOperations, acknowledged: Int, unacknowledged: Int = 1,
    isMended: Bool = true
  ) -> String? {
    do {
      let log = log(files)
      let state = try log.read()
      let value = Self.value(state)
      guard (acknowledged...(acknowledged + unacknowledged)).contains(value) else {
        return "acknowledged \(acknowledged), found \(value)"
      }
      var sequences: [UInt64] = []
      try log.history(newestFirst: false) { operation throws(RepositoryError) in
        if operation.kind == "init" || operation.moves.last?.new == .name("v\(sequences.count + 1)")
        {
          sequences.append(operation.sequence)
        }
        return true
      }
      guard sequences.count == value else { return "\(sequences.count) records for \(value)" }
      let safe = acknowledged == 0 ? 0 : sequences[acknowledged - 1]
      for damage in try log.verify() where isMended || damage.kind == .lost {
        guard damage.kind != .lost, let first = damage.sequences?.lowerBound, first > safe else {
          return "record \(safe) is acknowledged, but \(damage)"
        }
      }
      if try appendNext(log) != value + 1 { return "the new record is not there" }
      if let damage = try log.verify().first { return "after a new record: \(damage)" }
      guard Self.value(try self.log(files).read()) == value + 1 else {
        return "not seen by another"
      }
      return nil
    } catch let error as RepositoryError where acknowledged == 0 && error.code == .notFound {
      return nil  // Creating it was not acknowledged.
    } catch {
      return "\(error)"
    }
  }
}
