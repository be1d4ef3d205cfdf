internal import Glibc
package import SystemPackage

/// A file mapped for reading. Only for files that are replaced by rename and never cut, so that no
/// access meets a missing page.
package final class MappedFile: Sendable {
  /// Length in bytes.
  package let length: Int
  private let address: UInt

  /// Maps the whole file; an empty one maps nothing.
  package init(_ file: borrowing Descriptor) throws(Errno) {
    length = Int(try file.status().size)
    if length == 0 {
      address = 0
      return
    }
    guard let start = unsafe mmap(nil, length, PROT_READ, MAP_SHARED, file.rawValue, 0),
      unsafe start != UnsafeMutableRawPointer(bitPattern: -1)
    else { throw .current }
    address = UInt(bitPattern: start)
  }

  deinit {
    if length > 0 { _ = unsafe munmap(UnsafeMutableRawPointer(bitPattern: address), length) }
  }

  /// Eight bytes as a big-endian word; the offset must be in bounds.
  package func bigEndianWord(at offset: Int) -> UInt64 {
    precondition(offset >= 0 && offset <= length - 8, "a read beyond the mapped file")
    return unsafe pointer(offset).loadUnaligned(as: UInt64.self).bigEndian
  }

  /// Eight bytes as a little-endian word; the offset must be in bounds.
  package func littleEndianWord(at offset: Int) -> UInt64 {
    bigEndianWord(at: offset).byteSwapped
  }

  /// Four bytes as a little-endian number; the offset must be in bounds.
  package func littleEndianHalf(at offset: Int) -> UInt32 {
    precondition(offset >= 0 && offset <= length - 4, "a read beyond the mapped file")
    return unsafe UInt32(littleEndian: pointer(offset).loadUnaligned(as: UInt32.self))
  }

  /// A copy of a part; the range must be in bounds.
  package func bytes(_ range: Range<Int>) -> [UInt8] {
    precondition(range.lowerBound >= 0 && range.upperBound <= length, "beyond the mapped file")
    if range.isEmpty { return [] }
    return unsafe Array(
      UnsafeRawBufferPointer(start: pointer(range.lowerBound), count: range.count))
  }

  private func pointer(_ offset: Int) -> UnsafeRawPointer {
    guard let start = unsafe UnsafeRawPointer(bitPattern: address) else {
      preconditionFailure("an empty file has no bytes")
    }
    return unsafe start + offset
  }

  /// Gives the memory of the mapping back: what is read later comes from the page cache again.
  package func release() {
    // Advice: that it is not taken is no failure.
    if length > 0 {
      _ = unsafe madvise(UnsafeMutableRawPointer(bitPattern: address), length, MADV_DONTNEED)
    }
  }
}
