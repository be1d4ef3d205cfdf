import Glibc
import Testing

/// Files as the tests make and look at them, without the code under test.
enum Files {
  static func makeDirectory(_ path: String) throws {
    let status = unsafe mkdir(path, 0o755)
    try #require(status == 0 || errno == EEXIST, "mkdir \(path)")
  }

  static func write(_ path: String, _ bytes: [UInt8]) throws {
    try write(Array(path.utf8), bytes)
  }

  /// The path may hold any bytes.
  static func write(_ path: [UInt8], _ bytes: [UInt8]) throws {
    let name = path.map { CChar(bitPattern: $0) } + [0]
    let descriptor = unsafe open(name, O_WRONLY | O_CLOEXEC | O_CREAT | O_TRUNC, 0o644)
    try #require(descriptor >= 0, "open \(String(decoding: path, as: UTF8.self)): \(errno)")
    defer { close(descriptor) }
    var done = 0
    while done < bytes.count {
      let count = unsafe bytes.withUnsafeBytes {
        unsafe Glibc.write(descriptor, $0.baseAddress?.advanced(by: done), bytes.count - done)
      }
      try #require(count > 0, "write: \(errno)")
      done += count
    }
  }

  static func read(_ path: String) throws -> [UInt8] {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    try #require(descriptor >= 0, "open \(path): \(errno)")
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 20)
    while true {
      let count = unsafe Glibc.read(descriptor, &buffer, buffer.count)
      try #require(count >= 0, "read \(path): \(errno)")
      if count == 0 { return bytes }
      bytes += buffer[..<count]
    }
  }

  static func exists(_ path: String) -> Bool {
    var result = stat()
    return unsafe lstat(path, &result) == 0
  }

  /// lstat(2).
  static func status(_ path: String) throws -> stat {
    var result = stat()
    try #require(unsafe lstat(path, &result) == 0, "lstat \(path)")
    return result
  }

  static func mode(_ path: String) throws -> UInt32 { try status(path).st_mode & 0o7777 }

  /// Kind, mode, size, mtime and content (or link target) of everything beneath a directory but
  /// `.dtm`, one line each: two equal texts are two equal trees.
  static func listing(_ directory: String) throws -> String {
    // A directory's own time is left out: making the listing's neighbours changes it.
    let script = #"""
      find . -mindepth 1 -name .dtm -prune -o -type d -printf '%y %m %p\n' \
        -o -printf '%y %m %U %G %s %T@ %p %l\n' | sort
      find . -name .dtm -prune -o -type f -print0 | sort -z | xargs -0r sha256sum
      """#
    let child = try ChildProcess(
      ["sh", "-c", script], in: directory, environment: ["PATH": "/usr/bin:/bin", "LC_ALL": "C"])
    let outcome = child.finish()
    try #require(outcome.status == 0, "\(outcome.errorText)")
    return outcome.text
  }
}
