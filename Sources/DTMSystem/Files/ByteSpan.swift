extension Array where Element == UInt8 {
  /// Appends a span's bytes with one copy.
  package mutating func append(_ span: Span<UInt8>) {
    unsafe span.withUnsafeBufferPointer { unsafe append(contentsOf: $0) }
  }

  /// The bytes of a span, copied once.
  package init(copying span: Span<UInt8>) {
    self = unsafe span.withUnsafeBufferPointer { unsafe Array($0) }
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
