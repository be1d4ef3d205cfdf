import DTMFolder
import DTMRepository
import DTMSystem
import DTMTestSupport
import SystemPackage
import Testing

struct StateCacheTests {
  private static func record(_ random: inout SplitMix) -> StateRecord {
    var record = StateRecord.unseen
    let kinds: [UInt32] = [0o100644, 0o040755, 0o120777]
    record.mode = kinds[random.below(3)]
    record.uid = UInt32(random.below(3)) * 70000
    record.gid = UInt32.random(in: 0...UInt32.max, using: &random)
    record.links = UInt32(1 + random.below(3))
    record.size = random.next() >> UInt64(random.below(64))
    record.inode = random.next() >> UInt64(random.below(64))
    record.device = random.oneIn(4) ? random.next() : 0
    record.modified = FileTime(
      seconds: Int64(bitPattern: random.next()) >> Int64(random.below(60)),
      nanoseconds: UInt32(random.below(1_000_000_000)))
    record.changed = FileTime(
      seconds: Int64(1_700_000_000 + random.below(1000)),
      nanoseconds: UInt32(random.below(1_000_000_000)))
    record.captureClass = CaptureClass(rawValue: UInt8(random.below(5)))!
    record.isRacy = random.oneIn(2)
    return record
  }

  private static func key(_ random: inout SplitMix) -> PathKey {
    var key = PathKey.root
    for _ in 0...random.below(3) { key = key.appending(Array("n\(random.below(12))".utf8)) }
    return key
  }

  private static func withCache(_ body: (StateCache, [UInt8]) throws -> Void) throws {
    try withTemporaryDirectory { directory in
      let path = Array(directory.appending("x.sqlite").string.utf8)
      try body(StateCache(path: path), path)
    }
  }

  private static let header = StateHeader(
    head: Digest.sha256([1].span), sequence: 7, clock: "c", rules: Digest.sha256([2].span),
    entries: 0)

  private static func all(_ cache: StateCache, beneath: PathKey? = nil) throws -> [PathKey:
    StateRecord]
  {
    var entries = try KnownEntries(cache, beneath: beneath)
    var found: [PathKey: StateRecord] = [:]
    var last: PathKey?
    while let entry = entries.current {
      if let last { #expect(last < entry.key) }
      last = entry.key
      found[entry.key] = entry.record
      try entries.advance()
    }
    return found
  }

  @Test func `random changes leave what a dictionary would hold`() throws {
    var random = SplitMix.fresh("state")
    try Self.withCache { cache, path in
      var model: [PathKey: StateRecord] = [:]
      for _ in 0..<40 {
        var edits: [StateEdit] = []
        for _ in 0..<random.below(random.oneIn(5) ? 900 : 20) {
          let key = Self.key(&random)
          if random.oneIn(3) {
            edits.append(.remove(key))
            model[key] = nil
          } else {
            let record = Self.record(&random)
            edits.append(.put(key, record))
            model[key] = record
          }
        }
        _ = cache.beginReading()
        cache.apply(StateEdit.inOrder(edits))
        #expect(cache.commit(Self.header))
        let header = cache.beginReading()
        #expect(header?.entries == model.count)
        #expect(try Self.all(cache) == model)
        let beneath = Self.key(&random)
        #expect(
          try Self.all(cache, beneath: beneath) == model.filter { $0.key.isBeneath(beneath) })
        let probe = Self.key(&random)
        #expect(try cache.record(probe) == model[probe])
        for (key, record) in model where record.isDirectory {
          if let found = try cache.directory(record.identity) {
            #expect(model[found]?.identity == record.identity, "\(key)")
          }
        }
        let linked = model.filter { $0.value.isLinked }
        for record in linked.values {
          let names = linked.filter { $0.value.identity == record.identity }.keys.sorted()
          #expect(try cache.names(of: record.identity) == names)
        }
      }
      cache.endReading()
      let again = StateCache(path: path)
      #expect(again.beginReading()?.head == Self.header.head)
      #expect(try Self.all(again) == model)
    }
  }

  @Test func `ten changes among many rewrite ten blocks`() throws {
    try Self.withCache { cache, _ in
      var random = SplitMix(seed: 1)
      let record = Self.record(&random)
      let keys = (0..<20_000).map { PathKey("d/\(1_000_000 + $0)")! }
      cache.apply(keys.map { .put($0, record) })
      cache.commit(Self.header)
      _ = cache.beginReading()
      let before = try Self.blocks(cache)
      cache.endReading()
      var changed = record
      changed.size += 1
      cache.apply(stride(from: 500, to: 20_000, by: 2000).map { .put(keys[$0], changed) })
      cache.commit(Self.header)
      _ = cache.beginReading()
      let after = try Self.blocks(cache)
      #expect(before.count > 100)
      #expect(before.count == after.count)
      #expect(zip(before, after).filter { $0 != $1 }.count == 10)
    }
  }

  private static func blocks(_ cache: StateCache) throws -> [[UInt8]] {
    var result: [[UInt8]] = []
    var key = PathKey.root
    while let block = try cache.block(after: key) {
      result.append(block.encoded(0..<block.count))
      key = block.keys[block.count - 1]
    }
    return result
  }

  @Test func `reading sees the cache as it was when it began`() throws {
    try Self.withCache { cache, _ in
      var random = SplitMix(seed: 2)
      let record = Self.record(&random)
      cache.apply([.put("a", record), .put("b", record)])
      cache.commit(Self.header)
      _ = cache.beginReading()
      cache.apply([.remove("a"), .put("c", record)])
      let seen = try Self.all(cache).keys.sorted()
      #expect(seen == ["a", "b"])
      cache.rollBack()
      _ = cache.beginReading()
      let later = try Self.all(cache).keys.sorted()
      #expect(later == ["a", "b"])
    }
  }

  @Test func `a block holds numbers of every length and keys of every kind`() {
    var random = SplitMix.fresh("blocks of the state")
    for _ in 0..<50 {
      var model: [PathKey: StateRecord] = [:]
      for _ in 0...random.below(40) {
        let length = random.oneIn(8) ? random.below(300) : random.below(5)
        let key = PathKey(bytes: (0..<length).map { _ in UInt8(random.below(3)) })
        model[key] = Self.record(&random)
      }
      var block = StateBlock()
      for key in model.keys.sorted() { block.append(key, model[key] ?? .unseen) }
      guard let decoded = StateBlock(decoding: block.encoded(0..<block.count)) else {
        Issue.record("it can't be read")
        continue
      }
      #expect(decoded.records == block.records)
      #expect(Array(decoded.keys) == model.keys.sorted())
      for key in model.keys { #expect(decoded.record(of: key) == model[key]) }
      let other = PathKey(bytes: (0..<random.below(4)).map { _ in UInt8(random.below(3)) })
      #expect(decoded.record(of: other) == model[other])
      for (index, key) in decoded.keys.enumerated() {
        #expect(decoded.keys.isBeneath(index, other) == key.isBeneath(other))
        let order = decoded.keys.comparison(index, with: other)
        #expect((order < 0) == key.bytes.lexicographicallyPrecedes(other.bytes))
        #expect((order == 0) == (key == other))
      }
    }
  }

  @Test func `a flipped bit in a block is noticed`() {
    var random = SplitMix(seed: 3)
    var block = StateBlock()
    for name in ["", "a", "a/b", "c"] { block.append(PathKey(name) ?? .root, Self.record(&random)) }
    let bytes = block.encoded(0..<4)
    #expect(StateBlock(decoding: bytes)?.records == block.records)
    for index in bytes.indices {
      for bit in 0..<8 {
        var damaged = bytes
        damaged[index] ^= 1 << UInt8(bit)
        #expect(StateBlock(decoding: damaged) == nil)
      }
      #expect(StateBlock(decoding: Array(bytes[..<index])) == nil)
    }
  }

  @Test func `a file that is no cache, or of another version, becomes an empty one`() throws {
    try withTemporaryDirectory { directory in
      let sandbox = Sandbox(path: directory)
      let path = Array(directory.appending("x.sqlite").string.utf8)
      try sandbox.write("x.sqlite", String(repeating: "no database ", count: 1000))
      let cache = StateCache(path: path)
      #expect(cache.beginReading() == nil)
      // The version stands in the file's header once a long log is closed.
      cache.apply((0..<20_000).map { .put(PathKey("f\($0)")!, .unseen) })
      #expect(cache.commit(Self.header))
      #expect(cache.beginReading()?.entries == 20_000)
      cache.endReading()
      cache.close()
      try sandbox.patch("x.sqlite", at: 60, [0, 0, 0, 99])
      let other = StateCache(path: path)
      #expect(other.beginReading() == nil)
    }
  }

  @Test func `a short log is left to the next process, a long one is folded in`() throws {
    try withTemporaryDirectory { directory in
      let path = Array(directory.appending("x.sqlite").string.utf8)
      let files = try SystemFileOperations(path: directory)
      StateCache(path: path).close()
      var lengths: [Int] = []
      for round in 0..<60 {
        let cache = StateCache(path: path)
        // What the one before left counts.
        if round > 0 { #expect(cache.beginReading()?.sequence == UInt64(round)) }
        #expect(try Self.all(cache).count == round)
        cache.apply([.put(PathKey("f\(round)")!, .unseen)])
        var header = Self.header
        header.sequence = UInt64(round + 1)
        #expect(cache.commit(header))
        cache.close()
        let log = try? files.open("x.sqlite-wal", writable: false)
        lengths.append(try log?.size() ?? 0)
      }
      #expect(lengths.max()! < 256 << 10)
      let folded = lengths.count { $0 == 0 }
      #expect(folded > 0 && folded < 10, "\(lengths)")
    }
  }

  @Test func `a cache that can't be kept anywhere is always empty, and no error`() throws {
    let cache = StateCache(path: Array("/nowhere/at/all.sqlite".utf8))
    #expect(cache.beginReading() == nil)
    cache.apply([.put("a", .unseen)])
    #expect(!cache.commit(Self.header))
    #expect(cache.beginReading() == nil)
    #expect(try cache.record("a") == nil)
  }
}
