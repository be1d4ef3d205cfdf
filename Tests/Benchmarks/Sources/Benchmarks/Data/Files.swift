import Glibc

/// Writing files, creating what directories they need.
enum Files {
  static func write(_ bytes: [UInt8], to path: String, mode: mode_t = 0o644) throws {
    try Interruption.check()
    var file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode)
    if file < 0 && errno == ENOENT {
      try makeDirectory(String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)]))
      file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode)
    }
    guard file >= 0 else { throw SystemFailure("open", path) }
    defer { close(file) }
    try put(bytes, into: file, at: 0, path)
    // The umask of the caller has no say in the data.
    guard fchmod(file, mode) == 0 else { throw SystemFailure("fchmod", path) }
  }

  /// Overwrites bytes of a file that is there.
  static func overwrite(_ path: String, at offset: Int, with bytes: [UInt8]) throws {
    let file = open(path, O_WRONLY | O_CLOEXEC)
    guard file >= 0 else { throw SystemFailure("open", path) }
    defer { close(file) }
    try put(bytes, into: file, at: offset, path)
  }

  private static func put(
    _ bytes: [UInt8], into file: CInt, at offset: Int, _ path: String
  ) throws {
    var done = 0
    while done < bytes.count {
      let count = bytes[done...].withUnsafeBytes {
        pwrite(file, $0.baseAddress, $0.count, off_t(offset + done))
      }
      if count < 0 && errno == EINTR {
        try Interruption.check()
        continue
      }
      guard count > 0 else { throw SystemFailure("pwrite", path) }
      done += count
    }
  }

  /// Makes a directory and its ancestors; one that is there is fine.
  static func makeDirectory(_ path: String) throws {
    if mkdir(path, 0o755) == 0 || errno == EEXIST { return }
    guard errno == ENOENT, let slash = path.lastIndex(of: "/"), slash > path.startIndex else {
      throw SystemFailure("mkdir", path)
    }
    try makeDirectory(String(path[..<slash]))
    guard mkdir(path, 0o755) == 0 || errno == EEXIST else { throw SystemFailure("mkdir", path) }
  }

  /// A whole file as text; nil where it cannot be read.
  static func text(_ path: String) -> String? {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return nil }
    defer { close(file) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 64 * 1024)
    while true {
      let count = read(file, &buffer, buffer.count)
      guard count > 0 else { break }
      bytes += buffer[..<count]
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  static func isThere(_ path: String) -> Bool { access(path, F_OK) == 0 }
}

/// A system call that failed.
struct SystemFailure: Error, CustomStringConvertible {
  let description: String

  /// Reads `errno`.
  init(_ call: String, _ path: String) {
    description = "\(call) \(path): \(String(cString: strerror(errno)))"
  }
}
