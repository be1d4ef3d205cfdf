internal import CLinux
internal import Glibc
package import SystemPackage

/// What a file system can do, found out by trying.
package struct FileSystemAbilities: Sendable, Hashable {
  /// Copies share their blocks (FICLONE).
  package var clones: Bool
  /// Times are finer than a second.
  package var hasFineTimes: Bool
  /// A file can be mapped shared and written (SQLite's write-ahead log needs it).
  package var mapsShared: Bool

  package init(clones: Bool, hasFineTimes: Bool, mapsShared: Bool) {
    self.clones = clones
    self.hasFineTimes = hasFineTimes
    self.mapsShared = mapsShared
  }
}

/// How much room a file system has, for those who are not root.
package struct FileSystemSpace: Sendable, Hashable {
  package var freeBytes: Int
  package var totalBytes: Int
  /// 0 of 0 where the file system makes inodes as it needs them.
  package var freeInodes: Int
  package var totalInodes: Int

  package init(freeBytes: Int, totalBytes: Int, freeInodes: Int, totalInodes: Int) {
    self.freeBytes = freeBytes
    self.totalBytes = totalBytes
    self.freeInodes = freeInodes
    self.totalInodes = totalInodes
  }
}

extension Descriptor {
  /// Tries what the file system of this directory can do, with files that have no name: nothing is
  /// left, and nobody sees them.
  ///
  /// Throws `.notSupportedOnSocket` (`EOPNOTSUPP`) where there are no such files,
  /// `.permissionDenied` where this user may not write here.
  package func abilities() throws(Errno) -> FileSystemAbilities {
    let flags = OpenFlags.readWrite.union(OpenFlags(rawValue: CLINUX_O_TMPFILE))
    let one = try open([UInt8(ascii: ".")], flags, mode: 0o600)
    let other = try open([UInt8(ascii: ".")], flags, mode: 0o600)
    let length = 4096
    try one.write([UInt8](repeating: 1, count: length), at: 0)
    let clones = clinux_clone(other.rawValue, one.rawValue) == 0
    let time = try one.status().modified
    let number = one.rawValue
    let mapped = unsafe mmap(nil, length, PROT_READ | PROT_WRITE, MAP_SHARED, number, 0)
    let mapsShared = unsafe mapped != MAP_FAILED
    if mapsShared { unsafe munmap(mapped, length) }
    return FileSystemAbilities(
      clones: clones, hasFineTimes: time.nanoseconds != 0, mapsShared: mapsShared)
  }

  /// The room on the file system that holds this open file. The corresponding C function is
  /// `fstatvfs(3)`.
  package func space() throws(Errno) -> FileSystemSpace {
    var result = statvfs()
    if unsafe fstatvfs(rawValue, &result) != 0 { throw .current }
    let block = UInt64(result.f_frsize)
    func bytes(_ blocks: UInt64) -> Int {
      let (product, isTooLarge) = blocks.multipliedReportingOverflow(by: block)
      return isTooLarge ? Int.max : Int(clamping: product)
    }
    return FileSystemSpace(
      freeBytes: bytes(UInt64(result.f_bavail)), totalBytes: bytes(UInt64(result.f_blocks)),
      freeInodes: Int(clamping: result.f_favail), totalInodes: Int(clamping: result.f_files))
  }
}
