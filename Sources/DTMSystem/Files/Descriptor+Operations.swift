internal import CLinux
internal import Glibc
package import SystemPackage

/// Operations on an open file. Offsets and counts are bytes.
extension Descriptor {
  /// Opens an absolute path, or one relative to the working directory.
  package static func open(
    _ path: FilePath, _ flags: OpenFlags, mode: UInt32 = 0o600
  ) throws(Errno) -> Descriptor {
    let result = unsafe path.withPlatformString { pointer in
      Result { () throws(Errno) in
        try retrying {
          unsafe clinux_open(pointer, flags.rawValue | CLINUX_O_CLOEXEC, mode)
        }
      }
    }
    return Descriptor(owning: try result.get())
  }

  /// Opens a name (or a relative path) beneath this directory.
  package func open(
    _ name: [UInt8], _ flags: OpenFlags, mode: UInt32 = 0o600
  ) throws(Errno) -> Descriptor {
    let descriptor = rawValue
    let number = try unsafe withCString(of: name) { pointer throws(Errno) in
      try retrying {
        unsafe clinux_openat(descriptor, pointer, flags.rawValue | CLINUX_O_CLOEXEC, mode)
      }
    }
    return Descriptor(owning: number)
  }

  /// Opens a relative path of any length beneath this directory, with `openat2(2)` and
  /// `RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS`: no link on the way is
  /// followed, and nothing outside is reached.
  ///
  /// An empty path is the directory itself. Throws `.tooManySymbolicLinkLevels` for a link on the
  /// way (`ELOOP`), `.improperLink` for an escape (`EXDEV`).
  package func openBeneath(
    _ path: [UInt8], _ flags: OpenFlags, mode: UInt32 = 0
  ) throws(Errno) -> Descriptor {
    try openResolving(path, flags, mode: mode, staysOnMount: false)
  }

  /// Reads up to `buffer.count` bytes at the file's position; 0 at its end.
  package func read(into buffer: UnsafeMutableRawBufferPointer) throws(Errno) -> Int {
    let descriptor = rawValue
    return try retrying { unsafe Glibc.read(descriptor, buffer.baseAddress, buffer.count) }
  }

  /// Reads at `offset` until the buffer is full or the file ends; returns the bytes read.
  package func readFully(
    into buffer: UnsafeMutableRawBufferPointer, at offset: Int
  ) throws(Errno) -> Int {
    let descriptor = rawValue
    var done = 0
    while done < buffer.count {
      let start = done
      let count = try retrying {
        unsafe pread(
          descriptor, buffer.baseAddress.map { unsafe $0 + start }, buffer.count - start,
          off_t(offset + start))
      }
      if count == 0 { break }
      done += count
    }
    return done
  }

  /// The bytes `offset ..< offset + count`, fewer where the file ends before.
  package func read(at offset: Int, count: Int) throws(Errno) -> [UInt8] {
    var failure: Errno?
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
      do throws(Errno) {
        initialized = try unsafe readFully(
          into: UnsafeMutableRawBufferPointer(buffer), at: offset)
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
    return bytes
  }

  /// Up to `count` bytes at the file's position (a pipe, a socket); none at its end.
  package func readNext(count: Int) throws(Errno) -> [UInt8] {
    var failure: Errno?
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
      do throws(Errno) {
        initialized = try unsafe read(into: UnsafeMutableRawBufferPointer(buffer))
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
    return bytes
  }

  /// All bytes from the start to the end of the file, at most `limit` (`.fileTooLarge` beyond).
  package func readToEnd(limit: Int = 1 << 30) throws(Errno) -> [UInt8] {
    var result: [UInt8] = []
    while true {
      let part = try read(at: result.count, count: 64 * 1024)
      if part.isEmpty { return result }
      result += part
      if result.count > limit { throw .fileTooLarge }
    }
  }

  /// Writes all bytes at `offset`.
  package func write(_ bytes: [UInt8], at offset: Int) throws(Errno) {
    try unsafe bytes.span.withUnsafeBytes { buffer throws(Errno) in
      try unsafe write(buffer, at: offset)
    }
  }

  /// Writes all bytes of the buffer at `offset`.
  package func write(_ buffer: UnsafeRawBufferPointer, at offset: Int) throws(Errno) {
    let descriptor = rawValue
    var done = 0
    while done < buffer.count {
      let start = done
      let count = try retrying {
        unsafe pwrite(
          descriptor, buffer.baseAddress.map { unsafe $0 + start }, buffer.count - start,
          off_t(offset + start))
      }
      if count == 0 { throw .ioError }
      done += count
    }
  }

  /// Writes all bytes at the file's position (a pipe, a terminal, a socket).
  package func write(_ bytes: [UInt8]) throws(Errno) {
    let descriptor = rawValue
    var done = 0
    while done < bytes.count {
      let start = done
      let count = try unsafe bytes.span.withUnsafeBytes { buffer throws(Errno) in
        try retrying {
          unsafe Glibc.write(
            descriptor, buffer.baseAddress.map { unsafe $0 + start }, buffer.count - start)
        }
      }
      done += count
    }
  }

  /// fdatasync(2). A failure is final for what was written before: never call it again to "retry".
  package func synchronizeData() throws(Errno) {
    if fdatasync(rawValue) != 0 { throw .current }
  }

  /// fsync(2); on a directory it makes names durable.
  package func synchronize() throws(Errno) {
    if fsync(rawValue) != 0 { throw .current }
  }

  /// syncfs(2): the whole file system that holds this file.
  package func synchronizeFileSystem() throws(Errno) {
    if clinux_syncfs(rawValue) != 0 { throw .current }
  }

  package func truncate(to length: Int) throws(Errno) {
    let descriptor = rawValue
    _ = try retrying { ftruncate(descriptor, off_t(length)) }
  }

  package func setMode(_ mode: UInt32) throws(Errno) {
    if fchmod(rawValue, mode) != 0 { throw .current }
  }

  /// statx(2) of this open file.
  package func status() throws(Errno) -> FileStatus {
    try status(of: [], flags: CLINUX_AT_EMPTY_PATH)
  }

  /// statx(2) of a name in this directory; a link is not followed.
  package func status(of name: [UInt8]) throws(Errno) -> FileStatus {
    try status(of: name, flags: CLINUX_AT_SYMLINK_NOFOLLOW | CLINUX_AT_NO_AUTOMOUNT)
  }

  private func status(of name: [UInt8], flags: Int32) throws(Errno) -> FileStatus {
    let descriptor = rawValue
    var result = clinux_stat()
    _ = try unsafe withCString(of: name) { pointer throws(Errno) in
      try retrying { unsafe clinux_statx(descriptor, pointer, flags, &result) }
    }
    return FileStatus(result)
  }
}
