/// The keys of a decoded page, one behind the other in one array: no allocation a key.
struct PageKeys: Sendable {
  private(set) var bytes: [UInt8] = []
  private var ends: [UInt32] = []
  /// The key decoded last: appending a slice of `bytes` to `bytes` would copy the whole array.
  private var last: [UInt8] = []

  var count: Int { ends.count }

  func start(_ index: Int) -> Int { index == 0 ? 0 : Int(ends[index - 1]) }
  func end(_ index: Int) -> Int { Int(ends[index]) }

  /// The key as an array of its own.
  func key(_ index: Int) -> [UInt8] { Array(bytes[start(index)..<end(index)]) }

  mutating func reserve(keys: Int, bytes: Int) {
    ends.reserveCapacity(keys)
    self.bytes.reserveCapacity(bytes)
  }

  /// Reads the next key of a page: how much it shares with the key before, and the rest.
  ///
  /// Holds that the key is greater than the one before, that `shared` is maximal, that the key is one,
  /// and that the page has not ended before it.
  mutating func decode(_ reader: inout ByteReader) throws(DecodingFailure) {
    let index = ends.count
    let before = bytes.count
    if before >= PageBorder.maximumKeyBytes {
      throw reader.failure("a page goes on after \(before) key bytes")
    }
    let shared = try reader.int(limit: KeyRule.maximumLength)
    let rest = try reader.int(limit: KeyRule.maximumLength)
    guard shared <= last.count else { throw reader.failure("a key shares too many bytes") }
    guard rest <= reader.remaining else { throw reader.failure("a key is cut off") }
    let replaced = shared < last.count ? last[shared] : nil
    last.removeLast(last.count - shared)
    try reader.raw(rest, into: &last)
    if index > 0 {
      // This is both: the key is greater, and it shares no more than it says.
      guard rest > 0, replaced.map({ $0 < last[shared] }) ?? true else {
        throw reader.failure("a key is not greater than the one before, or shares more")
      }
    }
    bytes += last
    if let flaw = KeyRule.flaw(bytes, from: before, to: bytes.count, known: shared) {
      throw reader.failure(flaw)
    }
    ends.append(UInt32(bytes.count))
  }

  /// Less than 0, 0 or more: how the key at `index` stands to `key`.
  func compare(_ index: Int, _ key: [UInt8]) -> Int {
    Self.compare(bytes, start(index), end(index), key, 0, key.count)
  }

  func compare(_ index: Int, _ other: PageKeys, _ otherIndex: Int) -> Int {
    Self.compare(
      bytes, start(index), end(index),
      other.bytes, other.start(otherIndex), other.end(otherIndex))
  }

  /// The first index, not below `from`, whose key is not less than `key`.
  func lowerBound(_ key: [UInt8], from: Int = 0) -> Int {
    var low = from
    var high = ends.count
    while low < high {
      let middle = (low + high) / 2
      if compare(middle, key) < 0 { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// The last index whose key is not greater than `key`; 0 where there is none.
  func covering(_ key: [UInt8]) -> Int {
    let bound = lowerBound(key)
    if bound < ends.count && compare(bound, key) == 0 { return bound }
    return max(0, bound - 1)
  }

  private static func compare(
    _ left: [UInt8], _ leftStart: Int, _ leftEnd: Int,
    _ right: [UInt8], _ rightStart: Int, _ rightEnd: Int
  ) -> Int {
    let leftSpan = left.span
    let rightSpan = right.span
    let common = min(leftEnd - leftStart, rightEnd - rightStart)
    var index = 0
    while index < common {
      let one = leftSpan[leftStart + index]
      let other = rightSpan[rightStart + index]
      if one != other { return one < other ? -1 : 1 }
      index += 1
    }
    return (leftEnd - leftStart) - (rightEnd - rightStart)
  }
}

/// Where a key's neighbours are, in bytes.
enum KeyOrder {
  static func isLess(_ left: [UInt8], _ right: [UInt8]) -> Bool {
    let leftSpan = left.span
    let rightSpan = right.span
    let common = min(leftSpan.count, rightSpan.count)
    var index = 0
    while index < common {
      if leftSpan[index] != rightSpan[index] { return leftSpan[index] < rightSpan[index] }
      index += 1
    }
    return leftSpan.count < rightSpan.count
  }

  /// The first possible key after `key`; of a directory, the first beneath it is not before.
  static func successor(of key: [UInt8]) -> [UInt8] { key + [0] }

  /// The end of what is beneath `key`: not in it; nil for the folder itself, which ends nowhere.
  static func endOfSubtree(_ key: [UInt8]) -> [UInt8]? { key.isEmpty ? nil : key + [1] }

  /// The begin of what is beneath `key`.
  static func beginOfSubtree(_ key: [UInt8]) -> [UInt8] { key + [0] }
}
