internal import Glibc
package import SystemPackage

/// Where this process runs.
package enum ProcessPlace {
  /// The working directory, absolute.
  ///
  /// Throws `.noSuchFileOrDirectory` where it was removed.
  package static func workingDirectory() throws(Errno) -> FilePath {
    var capacity = 4096
    while true {
      var buffer = [CChar](repeating: 0, count: capacity)
      if unsafe getcwd(&buffer, buffer.count) != nil {
        let bytes = buffer.prefix { $0 != 0 }
        // "(unreachable)/…": outside of this process's root (getcwd(3)).
        guard bytes.first == CChar(bitPattern: UInt8(ascii: "/")) else {
          throw .noSuchFileOrDirectory
        }
        return unsafe buffer.withUnsafeBufferPointer { pointer in
          guard let base = pointer.baseAddress else { return "/" }
          return unsafe FilePath(platformString: base)
        }
      }
      let failure = Errno.current
      guard failure == .outOfRange, capacity < 1 << 20 else { throw failure }
      capacity *= 4
    }
  }

  /// The path without links, `.` and `..`, absolute (realpath(3)). All of it has to be there.
  package static func canonical(_ path: FilePath) throws(Errno) -> FilePath {
    try unsafe withCString(of: path.bytes) { name throws(Errno) in
      guard let found = unsafe realpath(name, nil) else { throw .current }
      defer { unsafe free(found) }
      return unsafe FilePath(platformString: found)
    }
  }
}

extension ProcessPlace {
  /// The machine's name in the network, as uname(2) tells it.
  package static var hostName: String {
    var name = utsname()
    guard unsafe uname(&name) == 0 else { return "" }
    return unsafe withUnsafeBytes(of: &name.nodename) { bytes in
      unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
  }
}
