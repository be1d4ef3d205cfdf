internal import Glibc

extension Array where Element == UInt8 {
  /// Appends a span's bytes with one copy.
  package mutating func append(_ span: Span<UInt8>) {
    unsafe span.withUnsafeBufferPointer { unsafe append(contentsOf: $0) }
  }

  /// The bytes of a span, copied once.
  package init(copying span: Span<UInt8>) {
    self = unsafe span.withUnsafeBufferPointer { unsafe Array($0) }
  }

  /// Appends what stands in a part of itself.
  package mutating func appendAgain(_ part: Range<Int>) {
    precondition(part.lowerBound >= 0 && part.upperBound <= count, "no part of the bytes")
    let end = count
    append(contentsOf: repeatElement(0, count: part.count))
    unsafe withUnsafeMutableBytes { buffer in
      guard let base = buffer.baseAddress else { return }
      unsafe (base + end).copyMemory(from: base + part.lowerBound, byteCount: part.count)
    }
  }

  /// Moves the bytes from `start` on to the front and drops the rest; one move, no allocation.
  package mutating func dropFront(_ start: Int) {
    if start == 0 { return }
    let rest = count - start
    unsafe withUnsafeMutableBytes { buffer in
      if rest > 0, let base = buffer.baseAddress {
        unsafe base.copyMemory(from: UnsafeRawPointer(base) + start, byteCount: rest)
      }
    }
    removeLast(count - rest)
  }
}

extension Span where Element == UInt8 {
  /// Eight bytes as a little-endian number, in one load; they have to be in bounds.
  @inlinable package func littleEndianWord(at offset: Int) -> UInt64 {
    precondition(offset >= 0 && offset <= count - 8, "a read beyond the bytes")
    let word = unsafe withUnsafeBytes {
      unsafe $0.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
    }
    return word.littleEndian
  }

  /// Negative where these bytes come before others, 0 where both are the same, else positive.
  package func comparison(with other: Span<UInt8>) -> Int {
    let length = min(count, other.count)
    let order = unsafe withUnsafeBufferPointer { mine in
      unsafe other.withUnsafeBufferPointer { others in
        guard let left = mine.baseAddress, let right = others.baseAddress else { return Int32(0) }
        return unsafe memcmp(left, right, length)
      }
    }
    return order == 0 ? count - other.count : Int(order)
  }
}
