package import DTMSystem

/// Keys in a row, with all their bytes in one array: a key by itself is made when it is asked for.
package struct KeyRun: RandomAccessCollection, Sendable {
  private var bytes: [UInt8] = []
  /// Where each key ends.
  private var ends: [Int] = []

  package init() {}

  /// As in an array.
  package var startIndex: Int { 0 }
  package var endIndex: Int { ends.count }

  /// The key at an index, made anew.
  package subscript(index: Int) -> PathKey {
    PathKey(bytes: Array(bytes[start(index)..<ends[index]]))
  }

  /// Negative where a key comes before another, 0 where both are the same, else positive.
  package func comparison(_ index: Int, with key: PathKey) -> Int {
    bytes.span.extracting(start(index)..<ends[index]).comparison(with: key.bytes.span)
  }

  /// Whether a key is beneath a directory.
  package func isBeneath(_ index: Int, _ directory: PathKey) -> Bool {
    let start = start(index)
    let length = directory.bytes.count
    if length == 0 { return ends[index] > start }
    return ends[index] - start > length && bytes[start + length] == 0
      && bytes.span.extracting(start..<(start + length)).comparison(with: directory.bytes.span) == 0
  }

  mutating func reserve(keys: Int, bytes count: Int) {
    ends.reserveCapacity(keys)
    bytes.reserveCapacity(count)
  }

  mutating func append(_ key: PathKey) {
    bytes += key.bytes
    ends.append(bytes.count)
  }

  /// Appends a key that begins with so many bytes of the one before; false where that has fewer.
  mutating func append(sharing shared: Int, _ rest: Span<UInt8>) -> Bool {
    let last = ends.isEmpty ? 0 : start(ends.count - 1)
    guard shared <= bytes.count - last else { return false }
    bytes.appendAgain(last..<(last + shared))
    bytes.append(rest)
    ends.append(bytes.count)
    return true
  }

  private func start(_ index: Int) -> Int { index == 0 ? 0 : ends[index - 1] }
}
