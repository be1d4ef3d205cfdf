internal import CLinux
internal import Glibc
package import SystemPackage

/// An open file descriptor that is closed exactly once.
///
/// Move-only: the owner closes it when it goes out of scope. Where a descriptor has to live in a
/// collection or be shared between threads, a final class holds it.
package struct Descriptor: ~Copyable, Sendable {
  /// The kernel's number; valid as long as this value lives.
  package let rawValue: Int32

  /// Takes ownership of an open descriptor.
  package init(owning rawValue: Int32) {
    precondition(rawValue >= 0, "a descriptor is not negative")
    self.rawValue = rawValue
  }

  deinit {
    _ = close(rawValue)
  }

  /// Gives up ownership: the caller closes it.
  package consuming func release() -> Int32 {
    let value = rawValue
    discard self
    return value
  }

  /// Closes and reports what close(2) says (a delayed write error, say).
  package consuming func closeReportingErrors() throws(Errno) {
    let status = close(rawValue)
    let code = errno
    discard self
    if status != 0 { throw Errno(rawValue: code) }
  }

  /// A second descriptor of the same open file description (`F_DUPFD_CLOEXEC`).
  package func duplicate() throws(Errno) -> Descriptor {
    let copy = fcntl(rawValue, F_DUPFD_CLOEXEC, 0)
    if copy < 0 { throw .current }
    return Descriptor(owning: copy)
  }
}

extension Errno {
  /// The calling thread's `errno`; read it at once after the call that failed.
  package static var current: Errno { Errno(rawValue: errno) }
}

/// Flags for opening beneath a directory descriptor; `O_CLOEXEC` is always added.
package struct OpenFlags: OptionSet, Sendable {
  package let rawValue: Int32
  package init(rawValue: Int32) { self.rawValue = rawValue }

  /// As each set of options has it, but for Int32 alone: what the library makes for all sets takes 3 % of a
  /// scan, for a list of flags at each directory.
  package init(arrayLiteral elements: OpenFlags...) {
    rawValue = elements.reduce(0) { $0 | $1.rawValue }
  }

  package static let readOnly = OpenFlags(rawValue: O_RDONLY)
  package static let writeOnly = OpenFlags(rawValue: O_WRONLY)
  package static let readWrite = OpenFlags(rawValue: O_RDWR)
  package static let create = OpenFlags(rawValue: O_CREAT)
  package static let exclusive = OpenFlags(rawValue: O_EXCL)
  package static let truncate = OpenFlags(rawValue: O_TRUNC)
  package static let append = OpenFlags(rawValue: O_APPEND)
  package static var directory: OpenFlags { OpenFlags(rawValue: CLINUX_O_DIRECTORY) }
  package static var noFollow: OpenFlags { OpenFlags(rawValue: CLINUX_O_NOFOLLOW) }
  package static var nonBlocking: OpenFlags { OpenFlags(rawValue: CLINUX_O_NONBLOCK) }
  /// A name in the tree only: no read or write, and no permission on the file is needed.
  package static var path: OpenFlags { OpenFlags(rawValue: CLINUX_O_PATH) }
  package static var noAccessTime: OpenFlags { OpenFlags(rawValue: CLINUX_O_NOATIME) }
  /// `O_TMPFILE`: the name is the directory; the file has no name until it is linked.
  package static var unnamed: OpenFlags { OpenFlags(rawValue: CLINUX_O_TMPFILE) }
}

/// Retries a call that returns -1 while a signal interrupts it (`EINTR`), and throws any other error.
@inline(__always)
package func retrying<Result: SignedInteger>(_ call: () -> Result) throws(Errno) -> Result {
  while true {
    let result = call()
    if result != -1 { return result }
    let code = errno
    if code != EINTR { throw Errno(rawValue: code) }
  }
}

/// Calls `body` with the bytes as a NUL-terminated C string.
///
/// Throws `.invalidArgument` when the bytes hold a NUL.
package func withCString<Result>(
  of bytes: [UInt8], _ body: (UnsafePointer<CChar>) throws(Errno) -> Result
) throws(Errno) -> Result {
  if bytes.contains(0) { throw .invalidArgument }
  return try unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: bytes.count + 1) {
    buffer throws(Errno) in
    for index in bytes.indices {
      unsafe buffer[index] = CChar(bitPattern: bytes[index])
    }
    unsafe buffer[bytes.count] = 0
    guard let base = buffer.baseAddress else { throw .noMemory }
    return try unsafe body(UnsafePointer(base))
  }
}
