internal import CLinux
internal import Glibc
package import SystemPackage

/// Which file system an open file is on, and of what type.
package struct FileSystemIdentity: Hashable, Sendable {
  /// `f_fsid` of statfs(2): for ext4 and btrfs it stays the same over a remount.
  package let identity: UInt64
  package let type: FileSystemType

  /// Where changes made elsewhere raise no event here: it has to be polled.
  package var needsPolling: Bool { type.isRemote }
}

extension Descriptor {
  /// The file system that holds this open file.
  package func fileSystem() throws(Errno) -> FileSystemIdentity {
    var type: Int64 = 0
    var identity: UInt64 = 0
    if unsafe clinux_fstatfs_identity(rawValue, &type, &identity) != 0 { throw .current }
    return FileSystemIdentity(
      identity: identity, type: FileSystemType(magic: UInt32(truncatingIfNeeded: type)))
  }
}

extension Descriptor {
  /// When this file was made; nil where the file system does not tell.
  ///
  /// Tells a file from another one that got the same inode number after it was removed.
  package func birthTime() throws(Errno) -> FileTime? {
    // STATX_BTIME of <linux/stat.h>.
    let hasBirthTime: UInt32 = 0x800
    let descriptor = rawValue
    var result = clinux_stat()
    _ = try unsafe withCString(of: []) { pointer throws(Errno) in
      try retrying { unsafe clinux_statx(descriptor, pointer, CLINUX_AT_EMPTY_PATH, &result) }
    }
    if result.mask & hasBirthTime == 0 { return nil }
    return FileTime(seconds: result.btime_seconds, nanoseconds: result.btime_nanoseconds)
  }
}
