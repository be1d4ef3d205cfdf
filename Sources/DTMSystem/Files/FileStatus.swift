package import CLinux
internal import Glibc

/// What kind of thing a directory entry is.
package enum FileKind: UInt8, Sendable, Hashable {
  case file = 1
  case directory = 2
  case symlink = 3
  case fifo = 4
  case socket = 5
  case characterDevice = 6
  case blockDevice = 7

  /// The kind in `st_mode`'s type bits, or nil for a type that Linux does not know.
  package init?(mode: UInt32) {
    switch mode & 0o170000 {
    case 0o100000: self = .file
    case 0o040000: self = .directory
    case 0o120000: self = .symlink
    case 0o010000: self = .fifo
    case 0o140000: self = .socket
    case 0o020000: self = .characterDevice
    case 0o060000: self = .blockDevice
    default: return nil
    }
  }
}

/// A file's time: seconds since 1970 (negative before) and 0 … 999,999,999 nanoseconds.
package struct FileTime: Hashable, Comparable, Sendable {
  package var seconds: Int64
  package var nanoseconds: UInt32

  package init(seconds: Int64, nanoseconds: UInt32) {
    self.seconds = seconds
    self.nanoseconds = nanoseconds
  }

  package static func < (left: FileTime, right: FileTime) -> Bool {
    (left.seconds, left.nanoseconds) < (right.seconds, right.nanoseconds)
  }

  /// This time moved by a number of nanoseconds.
  package func advanced(byNanoseconds delta: Int64) -> FileTime {
    let total = Int64(nanoseconds) + delta % 1_000_000_000
    let carry = total < 0 ? -1 : total / 1_000_000_000
    return FileTime(
      seconds: seconds + delta / 1_000_000_000 + carry,
      nanoseconds: UInt32(total - carry * 1_000_000_000))
  }
}

/// The facts of one file, as statx(2) tells them.
package struct FileStatus: Sendable, Hashable {
  /// Type and permission bits, as in `st_mode`.
  package let mode: UInt32
  /// Number of names (hard links).
  package let links: UInt32
  package let uid: UInt32
  package let gid: UInt32
  package let inode: UInt64
  /// Size in bytes.
  package let size: UInt64
  /// Allocated blocks of 512 bytes.
  package let blocks: UInt64
  /// Major number << 32 | minor number of the file system's device.
  package let device: UInt64
  /// The mount's id; 0 where the kernel does not tell.
  package let mount: UInt64
  package let isMountRoot: Bool
  /// Of a device node.
  package let specialMajor: UInt32
  package let specialMinor: UInt32
  /// `FS_IMMUTABLE_FL` (16) and `FS_NODUMP_FL` (64), as far as statx(2) tells them: its attribute
  /// bits have the same values.
  package let inodeFlags: UInt32
  package let modified: FileTime
  package let changed: FileTime
  /// When the inode was made; 1970 where the file system does not tell.
  package let born: FileTime

  package init(_ raw: clinux_stat) {
    mode = raw.mode
    links = raw.links
    uid = raw.uid
    gid = raw.gid
    inode = raw.inode
    size = raw.size
    blocks = raw.blocks
    device = raw.device
    mount = raw.mount
    isMountRoot = raw.attributes & CLINUX_STATX_ATTR_MOUNT_ROOT != 0
    specialMajor = raw.special_major
    specialMinor = raw.special_minor
    inodeFlags = UInt32(truncatingIfNeeded: raw.attributes & 0x50)
    modified = FileTime(seconds: raw.mtime_seconds, nanoseconds: raw.mtime_nanoseconds)
    changed = FileTime(seconds: raw.ctime_seconds, nanoseconds: raw.ctime_nanoseconds)
    born = FileTime(seconds: raw.btime_seconds, nanoseconds: raw.btime_nanoseconds)
  }

  /// Nil for a type that Linux does not know.
  package var kind: FileKind? { FileKind(mode: mode) }
  /// The permission bits with setuid, setgid and sticky: 0o0000 … 0o7777.
  package var permissions: UInt32 { mode & 0o7777 }
}
