import DTMRepository
import DTMSystem
import DTMTestSupport
import SystemPackage
import Testing

@Suite struct RefLogDamageTests {
  private let fixture: RefLogFixture
  /// The value of the log.
  private let count: Int
  /// A log of two segments, with at least four records in the second.
  private let disk: [String: [UInt8]]
  /// Where the records of the newest segment begin, and its end.
  private let borders: [Int]
  private let newest = "refs/00000002"

  init() throws {
    fixture = try RefLogFixture(segmentLimit: 2600)
    let files = SimulatedFileOperations()
    try fixture.create(files)
    let log = fixture.log(files)
    var count = 1
    var borders: [Int] = []
    repeat {
      count = try fixture.appendNext(log)
      guard let bytes = files.paths()[newest + ".a"] else { continue }
      borders = [64]
      while let last = borders.last, last < bytes.count {
        borders.append(last + Int(bytes[last]) + Int(bytes[last + 1]) << 8)
      }
    } while borders.count < 5 && count < 40
    #expect(borders.count == 5)
    self.count = count
    disk = files.paths()
    let bytes = try #require(disk[newest + ".a"])
    #expect(disk[newest + ".b"] == bytes)
    #expect(disk["refs/00000003.a"] == nil)
    #expect(borders.last == bytes.count)
    self.borders = borders
  }

  private func files(_ changes: [String: [UInt8]?]) throws -> SimulatedFileOperations {
    let files = SimulatedFileOperations()
    for directory in ["refs", "locks"] {
      try files.makeDirectory(directory, mode: 0o700)
    }
    try files.synchronizeDirectory("")
    for (name, bytes) in disk.merging(changes.compactMapValues { $0 }, uniquingKeysWith: { $1 }) {
      if name.hasSuffix("/") || (changes.keys.contains(name) && changes[name] == .some(nil)) {
        continue
      }
      try files.plant(bytes, at: name)
    }
    return files
  }

  private func outcome(_ files: SimulatedFileOperations) -> Result<Int, RepositoryError> {
    do throws(RepositoryError) {
      return .success(RefLogFixture.value(try fixture.log(files).read()))
    } catch {
      return .failure(error)
    }
  }

  private func flipped(_ name: String, _ offset: Int, bit: Int) throws -> [UInt8] {
    var bytes = try #require(disk[name])
    bytes[offset] ^= 1 << UInt8(bit)
    return bytes
  }

  @Test(arguments: ["refs/00000001.a", "refs/00000001.b", "refs/00000002.a", "refs/00000002.b"])
  func `a flipped bit in one copy is read around, reported and mended`(name: String) throws {
    let bytes = try #require(disk[name])
    for offset in bytes.indices {
      let damaged = try files([name: try flipped(name, offset, bit: offset % 8)])
      #expect(try outcome(damaged).get() == count, "\(name) \(offset)")
      let log = fixture.log(damaged)
      let damages = try log.verify()
      #expect(damages.count == 1 && damages[0].kind == .mendable, "\(name) \(offset): \(damages)")
      #expect(damages.first?.file == name)
      // Appending mends the newest segment; mend() all of them.
      if name.hasPrefix(newest), offset % 2 == 0 {
        try fixture.appendNext(log)
        #expect(damaged.paths()["refs/00000002.a"]?.starts(with: bytes) == true)
      } else {
        #expect(try log.mend().count == 1)
        #expect(damaged.paths()[name] == bytes)
      }
      #expect(try log.verify().isEmpty)
      #expect(damaged.paths()["refs/rewrite"] == nil)
    }
  }

  @Test func `a flipped bit in both copies is damage and never a shorter log`() throws {
    let bytes = try #require(disk[newest + ".a"])
    for offset in bytes.indices {
      for bit in [offset % 8, (offset + 3) % 8] {
        let damaged = try files([
          newest + ".a": try flipped(newest + ".a", offset, bit: bit),
          newest + ".b": try flipped(newest + ".b", offset, bit: (bit + offset) % 8),
        ])
        #expect(throws: RepositoryError(.corrupt, ""), "\(offset) \(bit)") {
          try outcome(damaged).get()
        }
        #expect(try fixture.log(damaged).verify().contains { $0.kind == .lost })
        #expect(throws: RepositoryError(.corrupt, "")) {
          try fixture.log(damaged).append(RecordDraft(kind: "x"), at: RefLogFixture.time(0))
        }
      }
    }
  }

  @Test func `flips in different records of both copies lose nothing`() throws {
    let bytes = try #require(disk[newest + ".a"])
    for (first, second) in [(0, 1), (1, 0), (2, 1), (1, borders.count - 2)] {
      for part in 0..<8 {
        let damaged = try files([
          newest + ".a": try flipped(newest + ".a", borders[first] + 8 * part, bit: 1),
          newest + ".b": try flipped(newest + ".b", borders[second] + 8 * part + 1, bit: 5),
        ])
        #expect(try outcome(damaged).get() == count)
        #expect(try fixture.log(damaged).verify().count == 2)
        try fixture.appendNext(fixture.log(damaged))
        #expect(damaged.paths()[newest + ".a"]?.starts(with: bytes) == true)
        #expect(try fixture.log(damaged).verify().isEmpty)
      }
    }
  }

  @Test(arguments: ["refs/00000001.a", "refs/00000001.b", "refs/00000002.a", "refs/00000002.b"])
  func `a copy cut at any byte is read around and mended`(name: String) throws {
    let bytes = try #require(disk[name])
    for length in 0..<bytes.count {
      let damaged = try files([name: Array(bytes[..<length])])
      #expect(try outcome(damaged).get() == count)
      let log = fixture.log(damaged)
      let damages = try log.verify()
      #expect(!damages.isEmpty, "\(length)")
      #expect(damages.allSatisfy { $0.kind != .lost && $0.file == name }, "\(length)")
      _ = try log.mend()
      #expect(damaged.paths()[name] == bytes)
      #expect(try log.verify().isEmpty)
    }
  }

  @Test func `both copies cut alike end the log at a whole record or are damage`() throws {
    let bytes = try #require(disk[newest + ".a"])
    for length in 0..<bytes.count {
      let cut = Array(bytes[..<length])
      let damaged = try files([newest + ".a": cut, newest + ".b": cut])
      let whole = borders.lastIndex { $0 <= length } ?? 0
      if whole < 1 {
        // Segments are published whole: not even a checkpoint is damage.
        #expect(throws: RepositoryError(.corrupt, "")) { try outcome(damaged).get() }
      } else {
        let missing = borders.count - 1 - whole
        #expect(try outcome(damaged).get() == count - missing, "\(length)")
        try fixture.appendNext(fixture.log(damaged))
        #expect(try fixture.log(damaged).verify().isEmpty)
      }
    }
  }

  @Test func `copies cut at different bytes keep what either has`() throws {
    var generator = SplitMix.fresh("two cuts")
    let bytes = try #require(disk[newest + ".a"])
    for _ in 0..<500 {
      let (first, second) = (generator.below(bytes.count + 1), generator.below(bytes.count + 1))
      let damaged = try files([
        newest + ".a": Array(bytes[..<first]), newest + ".b": Array(bytes[..<second]),
      ])
      let whole = borders.lastIndex { $0 <= max(first, second) } ?? 0
      if whole < 1 || (first < 64 && second < 64) { continue }
      #expect(try outcome(damaged).get() == count - (borders.count - 1 - whole))
      try fixture.appendNext(fixture.log(damaged))
      #expect(try fixture.log(damaged).verify().isEmpty)
    }
  }

  @Test func `a sector of zeros ends the log only in its last record`() throws {
    let bytes = try #require(disk[newest + ".a"])
    for sector in stride(from: 0, to: bytes.count, by: 512) {
      var zeroed = bytes
      for offset in sector..<min(sector + 512, bytes.count) { zeroed[offset] = 0 }
      let damaged = try files([newest + ".a": zeroed, newest + ".b": zeroed])
      if sector >= borders[borders.count - 2] {
        #expect(try outcome(damaged).get() == count - 1)
      } else {
        #expect(throws: RepositoryError(.corrupt, "")) { try outcome(damaged).get() }
      }
    }
  }

  @Test func `a record whose first sector never came ends the log only where it is the last`()
    throws
  {
    let bytes = try #require(disk[newest + ".a"])
    for index in 1..<(borders.count - 1) {
      var zeroed = bytes
      let sectorEnd = (borders[index] / 512 + 1) * 512
      for offset in borders[index]..<min(sectorEnd, borders[index + 1]) { zeroed[offset] = 0 }
      let damaged = try files([newest + ".a": zeroed, newest + ".b": zeroed])
      if index == borders.count - 2 {
        #expect(try outcome(damaged).get() == count - 1)
      } else {
        #expect(throws: RepositoryError(.corrupt, ""), "\(index)") { try outcome(damaged).get() }
      }
    }
  }

  @Test func `a missing, emptied or foreign copy is mended from the other`() throws {
    for copy in ["a", "b"] {
      let name = "\(newest).\(copy)"
      for bytes in [nil, [], disk["refs/00000001.a"], [UInt8](repeating: 0, count: 5000)] {
        let damaged = try files([name: bytes])
        #expect(try outcome(damaged).get() == count)
        #expect(try fixture.log(damaged).verify().count >= 1)
        try fixture.appendNext(fixture.log(damaged))
        #expect(try fixture.log(damaged).verify().isEmpty)
      }
    }
  }

  @Test func `a missing segment and a broken chain are found`() throws {
    let gone = try files(["refs/00000001.a": nil, "refs/00000001.b": nil])
    #expect(try outcome(gone).get() == count)
    #expect(try fixture.log(gone).verify().map(\.kind) == [.lost])
    // The same segment number of another history: the digests do not match.
    let other = SimulatedFileOperations()
    try fixture.create(other)
    let log = fixture.log(other)
    _ = try log.append(RecordDraft(kind: "branch"), at: RefLogFixture.time(77))
    let foreign = try #require(other.paths()["refs/00000001.a"])
    let broken = try files(["refs/00000001.a": foreign, "refs/00000001.b": foreign])
    #expect(try outcome(broken).get() == count)
    #expect(try fixture.log(broken).verify().contains { $0.kind == .lost })
    #expect(throws: RepositoryError(.corrupt, "")) {
      try fixture.log(broken).history { _ in true }
    }
  }

  @Test func `a reader that has seen a record which was taken back reads again`() throws {
    let files = try files([:])
    let reader = fixture.log(files)
    #expect(RefLogFixture.value(try reader.read()) == count)
    // Both copies lose the last record; one of the same length comes in its place.
    let name = newest + ".a"
    let cut = Array(try #require(disk[name])[..<borders[borders.count - 2]])
    try files.plant(cut, at: name)
    try files.plant(cut, at: newest + ".b")
    let other = RecordDraft(
      kind: "snapshot", summary: "another value",
      moves: [
        RefMove(ref: RefLogFixture.branch, old: .name("v\(count - 1)"), new: .name("w\(count)"))
      ])
    _ = try fixture.log(files).append(other, at: RefLogFixture.time(count))
    #expect(try reader.read().refs[RefLogFixture.branch] == .name("w\(count)"))
  }

  @Test func `random damage never gives a wrong log`() throws {
    var generator = SplitMix.fresh("random ref log damage")
    for _ in 0..<3000 {
      var changes: [String: [UInt8]?] = [:]
      for _ in 0...generator.below(3) {
        let name = "\(newest).\(generator.below(2) == 0 ? "a" : "b")"
        guard var bytes = changes[name] ?? disk[name], !bytes.isEmpty else { continue }
        switch generator.below(4) {
        case 0: bytes[generator.below(bytes.count)] ^= UInt8(1 << generator.below(8))
        case 1: bytes[generator.below(bytes.count)] = UInt8(generator.below(256))
        case 2: bytes += (0..<generator.below(100)).map { _ in UInt8(generator.below(256)) }
        default:
          let from = generator.below(bytes.count)
          for offset in from..<min(bytes.count, from + generator.below(64)) {
            bytes[offset] = UInt8(generator.below(256))
          }
        }
        changes[name] = bytes
      }
      // No cuts and no sectors of zeros among these: the whole log, or damage.
      switch outcome(try files(changes)) {
      case .success(let value): #expect(value == count, "\(changes)")
      case .failure(let error): #expect(error.code == .corrupt)
      }
    }
  }
}
