import DTMRepository
import DTMSystem
import DTMTestSupport
import SystemPackage
import Testing

/// Repositories as they are after years. The times are printed; what they are is no matter of passing.
@Suite struct `A large repository` {
  /// An index over packs that are not there to be read, written from the description of its format.
  private struct WrittenIndex {
    let rows: Int
    let packs: [PackID]
    /// Whether ids are spread evenly, as those of objects are; else they stand close together in heaps.
    let isEven: Bool

    init(rows: Int, packs: Int, isEven: Bool) {
      self.isEven = isEven
      var names = SplitMix(seed: 7)
      self.rows = rows
      self.packs = (0..<packs).map { _ in
        PackID((0..<16).map { _ in UInt8(names.below(256)) }) ?? .random()
      }
    }

    /// Ascending; `isThere`: else one that lies between.
    func id(_ row: Int, isThere: Bool = true) -> ObjectID {
      var rest = SplitMix(seed: UInt64(row))
      let step = UInt64.max / UInt64(rows)
      let heap: UInt64 = 64
      if !isEven {
        let (place, number) = UInt64(row).quotientAndRemainder(dividingBy: heap)
        let first = step * heap * place + 4 * number + (isThere ? 0 : 2)
        return ObjectID(words: (first, rest.next(), rest.next(), rest.next()))
      }
      let first = step * UInt64(row) + rest.next() % (step / 2) + (isThere ? 0 : step / 2)
      return ObjectID(words: (first, rest.next(), rest.next(), rest.next()))
    }

    func write(_ file: any OpenFile) throws {
      let bits = max(0, Int.bitWidth - rows.leadingZeroBitCount - 4)
      var head = Array("DTMINDX1".utf8)
      func add(_ value: UInt64, bytes: Int, to head: inout [UInt8]) {
        head += (0..<bytes).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * $0)) }
      }
      add(UInt64(bits), bytes: 4, to: &head)
      add(UInt64(packs.count), bytes: 4, to: &head)
      add(UInt64(rows), bytes: 8, to: &head)
      for pack in packs { head += pack.bytes + [1] }
      add(Digest.checksum(head.span), bytes: 8, to: &head)
      while !head.count.isMultiple(of: 8) { head.append(0) }
      var counts = [Int](repeating: 0, count: 1 << bits)
      var part: [UInt8] = []
      var position = head.count + (4 << bits)
      for row in 0..<rows {
        let id = id(row)
        counts[Int(id.words.0 >> UInt64(64 - bits))] += 1
        part += id.bytes
        add(UInt64(row % packs.count) << 40 | 64, bytes: 8, to: &part)
        if part.count >= 4 << 20 || row == rows - 1 {
          try file.write(part, at: position)
          position += part.count
          part.removeAll(keepingCapacity: true)
        }
      }
      var total = 0
      for count in counts {
        total += count
        add(UInt64(total), bytes: 4, to: &head)
      }
      try file.write(head, at: 0)
    }
  }

  /// 1 TB of 64 KiB chunks in packs of 64 MiB are 16 million rows and 16,000 packs.
  @Test(arguments: [true, false])
  func `is opened without a look at its packs, and its objects are found`(_ isEven: Bool) throws {
    let isLarge = LongForm.isAsked && isEven
    let index = WrittenIndex(
      rows: isLarge ? 16_000_000 : 500_000, packs: isLarge ? 16_000 : 2000, isEven: isEven)
    try withTemporaryDirectory { path in
      let files = try SystemFileOperations(path: path)
      _ = try RepositoryFixture().create(files)
      // Whoever reads one of them finds it damaged.
      for pack in index.packs { _ = try files.create("packs/\(pack.hex).data", mode: 0o444) }
      try index.write(try files.create("index/\(PackID.random().hex).index", mode: 0o600))
      let clock = ContinuousClock()
      var opened: Repository?
      let opening = try clock.measure {
        opened = try Repository(files)
        _ = try opened?.refresh()
      }
      let repository = try #require(opened)
      var generator = SplitMix.fresh("rows of a large index")
      let asked = (0..<200_000).map { _ in generator.below(index.rows) }
      let there = asked.map { index.id($0) }
      let missing = asked.map { index.id($0, isThere: false) }
      var found = 0
      let hits = clock.measure {
        for id in there where repository.isIndexed(id, .chunk) { found += 1 }
      }
      #expect(found == asked.count)
      let misses = clock.measure {
        for id in missing where repository.isIndexed(id, .chunk) { found -= 1 }
      }
      #expect(found == asked.count)
      print(
        "\(index.rows) rows, \(index.packs.count) packs: opened in \(opening), looked up in",
        "\(hits / asked.count), missed in \(misses / asked.count)")
    }
  }

  @Test func `is opened after many operations by its newest segment`() throws {
    let count = LongForm.isAsked ? 1_000_000 : 10_000
    // In memory, where the kernel has such a place: a million flushes would take hours.
    let place = FilePath("/dev/shm").appending("dtm-log-\(PackID.random().hex)")
    do throws(Errno) { try Descriptor.makeDirectory(at: place, mode: 0o700) } catch {
      print("SKIPPED: opening after many operations: /dev/shm: \(error)")
      return
    }
    defer { try? removeTree(place) }
    let files = try SystemFileOperations(path: place)
    let fixture = try RefLogFixture()
    try fixture.create(files)
    let writer = fixture.log(files)
    for value in 2...count {
      _ = try writer.append(try snapshot(value), at: RefLogFixture.time(value))
    }
    let segments = try files.list("refs").filter { $0.hasSuffix(".a") }.sorted()
    #expect(segments.count > count / 1000)
    let newest = try files.open("refs/\(segments[segments.count - 1])", writable: false)
    #expect(try newest.size() <= 128 << 10)
    var value = 0
    let opening = try ContinuousClock().measure {
      value = RefLogFixture.value(try fixture.log(files).read())
    }
    #expect(value == count)
    print("\(count) operations in \(segments.count) segments: opened in \(opening)")
  }

  /// A record as snapshots make them: a branch that moves, two facts, the two live packs.
  private func snapshot(_ value: Int) throws -> RecordDraft {
    let id = Digest.id(.snapshot, Array("\(value)".utf8).span)
    let packs = [PackKind.data, .metadata].map { kind in
      LivePack(
        id: PackID(hex: String(repeating: "\(kind.rawValue)", count: 32)) ?? .random(),
        kind: kind, length: 2000 * value)
    }
    return RecordDraft(
      kind: "snapshot", summary: "quiet",
      moves: [
        RefMove(ref: RefLogFixture.branch, old: .name("v\(value - 1)"), new: .name("v\(value)"))
      ],
      facts: [
        Fact(subject: id, key: RefLog.durationFact, value: Array("8123".utf8)),
        Fact(subject: id, key: "storedBytes", value: Array("12345".utf8)),
      ],
      livePacks: packs, pid: 4711, uid: 1000)
  }
}
