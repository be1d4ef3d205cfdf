internal import CLinux

/// Bytes from the kernel's random generator; nothing else draws random numbers.
package enum SecureRandom {
  /// `count` bytes, at most 256 (getrandom(2) never fails nor shortens such a request once the
  /// generator is seeded, which it waits for).
  package static func bytes(_ count: Int) -> [UInt8] {
    precondition((0...256).contains(count), "at most 256 random bytes at a time")
    return unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
      while unsafe clinux_getrandom(buffer.baseAddress, count) != count {}
      initialized = count
    }
  }
}
