internal import Glibc

/// Copies of strings as C has them, ended by a null pointer; freed with the last reference.
@safe final class CStrings {
  let pointers: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
  private let count: Int

  convenience init(_ strings: [String]) {
    self.init(strings.map { Array($0.utf8) })
  }

  /// Each ends at its first NUL.
  init(_ strings: [[UInt8]]) {
    count = strings.count
    unsafe pointers = .allocate(capacity: strings.count + 1)
    for (index, bytes) in strings.enumerated() {
      let text = unsafe (bytes + [0]).withUnsafeBufferPointer { buffer in
        unsafe buffer.withMemoryRebound(to: CChar.self) { buffer in
          unsafe buffer.baseAddress.flatMap { unsafe strdup($0) }
        }
      }
      unsafe (pointers + index).initialize(to: text)
    }
    unsafe (pointers + count).initialize(to: nil)
  }

  deinit {
    for index in 0..<count { unsafe free(pointers[index]) }
    unsafe pointers.deallocate()
  }
}
