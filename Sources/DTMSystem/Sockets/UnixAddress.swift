internal import CLinux
internal import Glibc
internal import SystemPackage

/// The address of a unix socket in the file system, of any length.
enum UnixAddress {
  /// What `sun_path` holds with its NUL (unix(7)).
  private static let limitInBytes = 108

  /// Calls `body` with the address of `path`.
  ///
  /// A path that `sun_path` can't hold goes through an open directory, as
  /// `/proc/self/fd/N/name`. Throws `.fileNameTooLong` where even the name is too long.
  static func with<Result>(
    _ path: FilePath, _ body: (UnsafePointer<sockaddr>, socklen_t) throws(Errno) -> Result
  ) throws(Errno) -> Result {
    let bytes = Array(path.string.utf8)
    if bytes.count < limitInBytes { return try unsafe withAddress(bytes, body) }
    guard let name = path.lastComponent else { throw .fileNameTooLong }
    let directory = try Descriptor.open(path.removingLastComponent(), [.path, .directory])
    let short = Array("/proc/self/fd/\(directory.rawValue)/\(name.string)".utf8)
    if short.count >= limitInBytes { throw .fileNameTooLong }
    return try unsafe withAddress(short, body)
  }

  private static func withAddress<Result>(
    _ path: [UInt8], _ body: (UnsafePointer<sockaddr>, socklen_t) throws(Errno) -> Result
  ) throws(Errno) -> Result {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path) }
    return try unsafe withUnsafePointer(to: address) { pointer throws(Errno) in
      try unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        address throws(Errno) in
        try unsafe body(address, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
  }
}
