internal import CLinux
internal import Glibc
package import SystemPackage

/// What kind of file system holds a file, as far as its promises differ (`f_type` of statfs(2)).
package struct FileSystemType: Hashable, Sendable {
  package let magic: UInt32

  package init(magic: UInt32) {
    self.magic = magic
  }

  // linux/magic.h; ext2 and ext3 share ext4's.
  package static let ext4 = FileSystemType(magic: 0xEF53)
  package static let xfs = FileSystemType(magic: 0x5846_5342)
  package static let btrfs = FileSystemType(magic: 0x9123_683E)
  package static let tmpfs = FileSystemType(magic: 0x0102_1994)
  package static let overlay = FileSystemType(magic: 0x794C_7630)

  /// What mount(8) calls them; `isRemote`: another machine, or a program, may change what is on it.
  private static let known: [UInt32: (name: String, isRemote: Bool)] = [
    ext4.magic: ("ext4", false), xfs.magic: ("xfs", false), btrfs.magic: ("btrfs", false),
    tmpfs.magic: ("tmpfs", false), overlay.magic: ("overlay", false),
    0x2FC1_2FC1: ("zfs", false), 0xF2F5_2010: ("f2fs", false), 0xCA45_1A4E: ("bcachefs", false),
    0x4D44: ("vfat", false), 0x2011_BAB0: ("exfat", false),
    0x6969: ("nfs", true), 0xFF53_4D42: ("smb", true), 0xFE53_4D42: ("smb", true),
    0x517B: ("smb", true), 0x0102_1997: ("9p", true), 0x00C3_6400: ("ceph", true),
    0x6573_5546: ("fuse", true), 0x5346_414F: ("afs", true), 0x6B41_4653: ("afs", true),
    0x7375_7245: ("coda", true), 0x7461_636F: ("ocfs2", true), 0x0116_1970: ("gfs2", true),
    0x0BD0_0BD0: ("lustre", true),
  ]

  /// Whether timestamps may come from another machine's clock, and changes from other machines.
  package var isRemote: Bool { Self.known[magic]?.isRemote ?? false }

  /// What mount(8) calls it; its number where it is none of the usual ones.
  package var name: String {
    Self.known[magic]?.name ?? "file system 0x" + String(magic, radix: 16)
  }

  /// Whether a directory has a link from each of its subdirectories, their `..`: with two links, its
  /// name and its `.`, it has none. (With more than 65,000 ext4 says 1, as others always do.)
  ///
  /// The count changes before the event of the mkdir(2), rmdir(2) or rename(2) is queued.
  package var countsSubdirectories: Bool { self == .ext4 || self == .xfs || self == .tmpfs }

  /// Whether inode times are multigrain from Linux 6.13 on: a change after a stat is always seen.
  package var canHaveMultigrainTimes: Bool {
    self == .ext4 || self == .xfs || self == .btrfs || self == .tmpfs
  }
}

extension Descriptor {
  /// The kind of file system that holds this open file.
  package func fileSystemType() throws(Errno) -> FileSystemType {
    var type: Int64 = 0
    var available: UInt64 = 0
    var total: UInt64 = 0
    var flags: UInt64 = 0
    if unsafe clinux_fstatfs(rawValue, &type, &available, &total, &flags) != 0 { throw .current }
    return FileSystemType(magic: UInt32(truncatingIfNeeded: type))
  }
}

/// The running kernel.
package enum Kernel {
  /// Major and minor version; (0, 0) where uname(2) says something else.
  package static var version: (major: Int, minor: Int) {
    var name = utsname()
    guard unsafe uname(&name) == 0 else { return (0, 0) }
    let release = unsafe withUnsafeBytes(of: &name.release) { bytes in
      unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
    let numbers = release.split(separator: ".").prefix(2).map { part in
      Int(part.prefix { $0.isNumber }) ?? 0
    }
    return numbers.count == 2 ? (numbers[0], numbers[1]) : (0, 0)
  }

  /// How far apart two times of the coarse clock are: the tick, from which inode times come.
  package static var tick: Duration {
    var resolution = timespec()
    guard unsafe clock_getres(CLOCK_REALTIME_COARSE, &resolution) == 0 else {
      return .milliseconds(10)
    }
    return .seconds(resolution.tv_sec) + .nanoseconds(resolution.tv_nsec)
  }
}
