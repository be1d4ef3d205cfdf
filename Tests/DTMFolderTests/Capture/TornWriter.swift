import DTMFolder
import DTMSystem
import DTMTestSupport
import Glibc
import Synchronization
import SystemPackage

/// Writes files so that each state of one tells which generations are in it: all of its words are the
/// generation's number, or, of a file that is appended to, each record's words are the record's.
///
/// Every generation is written between opening and closing the file (or mapping and unmapping it, or
/// by a rename): what lies between is open for writing.
final class TornWriter: Sendable {
  enum Way: String, CaseIterable, Sendable {
    /// In place, by several write(2).
    case write
    /// In place, in one pwrite(2) of more bytes than are read at a time.
    case pwrite
    /// Emptied when it is opened, then written.
    case truncate
    /// One record more.
    case append
    /// A new file takes its place.
    case rename
    /// Mapped, stored to, unmapped.
    case mapFresh
    /// Mapped for long, while no descriptor is open; its pages are dirty.
    case mapDirty
    /// Mapped and read before it is stored to.
    case mapRead

    var key: PathKey { PathKey(rawValue) ?? .root }
    var length: Int { self == .pwrite ? 1_200_000 : 196_608 }
  }

  private static let recordWords = 125

  private let sandbox: Sandbox
  /// The last generation, or record, that was written whole; by way.
  private let completed: [Count]
  private let isDone = Atomic(false)

  init(_ sandbox: Sandbox) throws {
    self.sandbox = sandbox
    completed = Way.allCases.map { _ in Count() }
    for way in Way.allCases {
      try sandbox.write(way.key, way == .append ? [] : Self.bytes(0, way.length / 8))
    }
  }

  /// The last generation of each way that was written whole.
  func generations() -> [Way: Int] {
    var result: [Way: Int] = [:]
    for (way, box) in zip(Way.allCases, completed) { result[way] = box.value }
    return result
  }

  func stop() { isDone.store(true, ordering: .relaxed) }

  /// Writes until it is stopped; for a thread of its own.
  func run(_ random: SplitMix) throws {
    var random = random
    var mapping: Mapping?
    var generation = 0
    while !isDone.load(ordering: .relaxed) {
      let index = random.below(Way.allCases.count)
      let way = Way.allCases[index]
      generation += 1
      switch way {
      case .append:
        generation -= 1
        let record = completed[index].value + 1
        try sandbox.open(way.key, O_WRONLY | O_APPEND).write(
          Self.bytes(record, Self.recordWords))
        completed[index].value = record
        continue
      case .mapDirty:
        if mapping == nil { mapping = try Mapping(sandbox, way.key, way.length) }
        for _ in 0..<8 {
          mapping?.store(generation, from: 0)
          generation += 1
        }
        generation -= 1
        if random.oneIn(2) { mapping = nil }
      case .write:
        let file = try sandbox.open(way.key, O_WRONLY)
        for place in stride(from: 0, to: way.length, by: way.length / 4) {
          try file.write(Self.bytes(generation, way.length / 32), at: place)
        }
      case .pwrite:
        try sandbox.open(way.key, O_WRONLY).write(
          Self.bytes(generation, way.length / 8), at: 0)
      case .truncate:
        try sandbox.open(way.key, O_WRONLY | O_TRUNC).write(
          Self.bytes(generation, way.length / 8), at: 0)
      case .rename:
        let temporary: PathKey = "rename.tmp"
        try sandbox.write(temporary, Self.bytes(generation, way.length / 8))
        try sandbox.rename(temporary, to: way.key)
      case .mapFresh, .mapRead:
        let mapping = try Mapping(sandbox, way.key, way.length)
        if way == .mapRead { mapping.touch() }
        mapping.store(generation, from: random.oneIn(2) ? way.length / 16 : 0)
      }
      completed[index].value = generation
      if random.oneIn(3) { usleep(UInt32(random.below(3000))) }
    }
  }

  private static func bytes(_ generation: Int, _ words: Int) -> [UInt8] {
    let word = unsafe withUnsafeBytes(of: UInt64(generation).littleEndian) { unsafe Array($0) }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(words * 8)
    for _ in 0..<words { bytes += word }
    return bytes
  }

  /// The generation that a file's bytes are; nil where they are of none, or of several.
  static func generation(of bytes: [UInt8], _ way: Way) -> Int? {
    let words = unsafe bytes.withUnsafeBytes { buffer in
      (0..<buffer.count / 8).map {
        unsafe Int(buffer.loadUnaligned(fromByteOffset: $0 * 8, as: UInt64.self))
      }
    }
    if way == .append {
      if bytes.count % (recordWords * 8) != 0 { return nil }
      let isWhole = words.indices.allSatisfy { words[$0] == $0 / recordWords + 1 }
      return isWhole ? words.count / recordWords : nil
    }
    // Opened and emptied: a state that it had, of no generation.
    if way == .truncate, bytes.isEmpty { return .max }
    guard bytes.count == way.length, let first = words.first else { return nil }
    return words.allSatisfy { $0 == first } ? first : nil
  }

  /// A file that is mapped writable, while no descriptor of it is open; for one thread.
  @safe private final class Mapping {
    private let words: UnsafeMutableBufferPointer<UInt64>
    private let count: Int

    init(_ sandbox: Sandbox, _ key: PathKey, _ length: Int) throws {
      let file = try sandbox.open(key, O_RDWR)
      let address = unsafe mmap(
        nil, length, PROT_READ | PROT_WRITE, MAP_SHARED, file.rawValue, 0)
      guard let address = unsafe address, unsafe address != MAP_FAILED else { throw Errno.current }
      unsafe words = UnsafeMutableBufferPointer(
        start: address.bindMemory(to: UInt64.self, capacity: length / 8), count: length / 8)
      count = length / 8
    }

    deinit { unsafe munmap(words.baseAddress, count * 8) }

    /// Every word, beginning at an offset and coming round.
    func store(_ generation: Int, from offset: Int) {
      let start = offset / 8
      for index in start..<count { unsafe words[index] = UInt64(generation) }
      for index in 0..<start { unsafe words[index] = UInt64(generation) }
    }

    func touch() {
      var sum: UInt64 = 0
      for index in stride(from: 0, to: count, by: 512) { unsafe sum &+= words[index] }
      if sum == .max { print(sum) }
    }
  }
}

/// A number that one thread writes and another reads.
private final class Count: Sendable {
  private let atomic = Atomic<Int>(0)
  var value: Int {
    get { atomic.load(ordering: .acquiring) }
    set { atomic.store(newValue, ordering: .releasing) }
  }
}
