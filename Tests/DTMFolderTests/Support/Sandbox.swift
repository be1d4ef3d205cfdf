import CLinux
import DTMFolder
import DTMRepository
import DTMSystem
import DTMTestSupport
import Glibc
import SystemPackage

/// A directory for a test to make things in, by keys; names are any bytes.
struct Sandbox {
  let path: FilePath

  private func text(_ key: PathKey) -> [UInt8] {
    Array(path.string.utf8) + [UInt8(ascii: "/")] + key.path + [0]
  }

  private func call(_ key: PathKey, _ body: (UnsafePointer<CChar>) -> Int32) throws {
    let bytes = text(key)
    let status = unsafe bytes.withUnsafeBufferPointer { buffer in
      unsafe buffer.withMemoryRebound(to: CChar.self) { unsafe body($0.baseAddress!) }
    }
    if status != 0 { throw Errno(rawValue: errno) }
  }

  func directory(_ key: PathKey, mode: UInt32 = 0o755) throws {
    try unsafe call(key) { unsafe mkdir($0, mode) }
  }

  func write(_ key: PathKey, _ bytes: [UInt8]) throws {
    try unsafe call(key) { name in
      let file = unsafe clinux_open(name, O_WRONLY | O_CLOEXEC | O_CREAT | O_TRUNC, 0o644)
      if file < 0 { return -1 }
      defer { _ = close(file) }
      let count = unsafe bytes.withUnsafeBytes {
        unsafe Glibc.write(file, $0.baseAddress, $0.count)
      }
      return count == bytes.count ? 0 : -1
    }
  }

  func write(_ key: PathKey, _ text: String) throws {
    try write(key, Array(text.utf8))
  }

  /// Writes bytes at an offset of an existing file.
  func patch(_ key: PathKey, at offset: Int, _ bytes: [UInt8]) throws {
    let file = try open(key, O_WRONLY)
    try file.write(bytes, at: offset)
  }

  func open(_ key: PathKey, _ flags: Int32) throws -> Descriptor {
    var number: Int32 = -1
    try unsafe call(key) { name in
      unsafe number = clinux_open(name, flags | CLINUX_O_CLOEXEC, 0o644)
      return number < 0 ? -1 : 0
    }
    return Descriptor(owning: number)
  }

  func truncate(_ key: PathKey, _ length: Int) throws {
    try unsafe call(key) { unsafe Glibc.truncate($0, off_t(length)) }
  }

  func symlink(_ key: PathKey, to target: [UInt8]) throws {
    let target = target + [0]
    try unsafe call(key) { name in
      unsafe target.withUnsafeBufferPointer { buffer in
        unsafe buffer.withMemoryRebound(to: CChar.self) {
          unsafe Glibc.symlink($0.baseAddress!, name)
        }
      }
    }
  }

  func link(_ key: PathKey, from old: PathKey) throws {
    let source = text(old)
    try unsafe call(key) { name in
      unsafe source.withUnsafeBufferPointer { buffer in
        unsafe buffer.withMemoryRebound(to: CChar.self) { unsafe Glibc.link($0.baseAddress!, name) }
      }
    }
  }

  func rename(_ old: PathKey, to key: PathKey) throws {
    let source = text(old)
    try unsafe call(key) { name in
      unsafe source.withUnsafeBufferPointer { buffer in
        unsafe buffer.withMemoryRebound(to: CChar.self) {
          unsafe Glibc.rename($0.baseAddress!, name)
        }
      }
    }
  }

  func remove(_ key: PathKey) throws {
    let status = try status(key)
    if status.kind == .directory {
      let bytes = text(key)
      let whole = unsafe bytes.withUnsafeBufferPointer { buffer in
        unsafe buffer.withMemoryRebound(to: CChar.self) {
          unsafe FilePath(platformString: $0.baseAddress!)
        }
      }
      try removeTree(whole)
    } else {
      try unsafe call(key) { unsafe unlink($0) }
    }
  }

  func removeEmptyDirectory(_ key: PathKey) throws {
    try unsafe call(key) { unsafe rmdir($0) }
  }

  func fifo(_ key: PathKey) throws {
    try unsafe call(key) { unsafe mkfifo($0, 0o600) }
  }

  func chmod(_ key: PathKey, _ mode: UInt32) throws {
    try unsafe call(key) { unsafe Glibc.chmod($0, mode) }
  }

  func chown(_ key: PathKey, _ uid: UInt32) throws {
    try unsafe call(key) { unsafe lchown($0, uid, uid) }
  }

  func setTime(_ key: PathKey, seconds: Int, nanoseconds: Int = 0) throws {
    try unsafe call(key) { name in
      let time = timespec(tv_sec: seconds, tv_nsec: nanoseconds)
      let times = [time, time]
      return unsafe utimensat(AT_FDCWD, name, times, AT_SYMLINK_NOFOLLOW)
    }
  }

  func setAttribute(_ key: PathKey, _ name: String, _ value: [UInt8]) throws {
    try unsafe call(key) { path in
      unsafe value.withUnsafeBytes {
        unsafe clinux_lsetxattr(path, name, $0.baseAddress, $0.count, 0)
      }
    }
  }

  func status(_ key: PathKey) throws -> FileStatus {
    let directory = try Descriptor.open(path, [.readOnly, .directory])
    if key.isRoot { return try directory.status() }
    return try directory.status(of: key.path)
  }
}

extension PathKey: ExpressibleByStringLiteral {
  /// A path with `/` between its components; for tests.
  public init(stringLiteral path: String) {
    self = PathKey(path)!
  }
}

/// Runs a program and returns what it printed.
func run(_ arguments: [String], in directory: FilePath, input: [UInt8] = []) throws -> [UInt8] {
  try withTemporaryDirectory { scratch in
    let sandbox = Sandbox(path: scratch)
    try sandbox.write("in", input)
    // A shell keeps this free of a process module: quoting is by single quotes.
    let command = arguments.map { "'" + $0 + "'" }.joined(separator: " ")
    let line =
      "cd '\(directory.string)' && \(command) < '\(scratch.string)/in' > '\(scratch.string)/out'"
    let status = unsafe system(line)
    // git check-ignore says 1 where nothing is ignored.
    if status != 0 && status != 256 { throw Errno.ioError }
    return try sandbox.open("out", O_RDONLY).readToEnd()
  }
}
