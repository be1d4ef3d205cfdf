internal import Glibc
package import SystemPackage

/// Standard output and standard error, which nobody owns.
package enum StandardStream: Int32, Sendable {
  case output = 1
  case error = 2

  /// Whether a person looks at it.
  package var isTerminal: Bool { isatty(rawValue) == 1 }

  /// A descriptor of standard input, which is nobody's either.
  package static func input() throws(Errno) -> Descriptor {
    let copy = fcntl(0, F_DUPFD_CLOEXEC, 0)
    if copy < 0 { throw .current }
    return Descriptor(owning: copy)
  }

  /// Writes all bytes; one call is one write(2) where the system takes them at once.
  package func write(_ bytes: [UInt8]) throws(Errno) {
    let number = rawValue
    var done = 0
    while done < bytes.count {
      let start = done
      done += try unsafe bytes.span.withUnsafeBytes { buffer throws(Errno) in
        try retrying {
          unsafe Glibc.write(
            number, buffer.baseAddress.map { unsafe $0 + start }, buffer.count - start)
        }
      }
    }
  }
}
