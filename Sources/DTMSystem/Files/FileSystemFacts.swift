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

  private static let network: Set<UInt32> = [
    0x6969,  // nfs
    0xFF53_4D42, 0xFE53_4D42,  // cifs, smb2
    0x517B,  // smb
    0x0102_1997,  // 9p
    0x00C3_6400,  // ceph
    0x6573_5546,  // fuse
    0x5346_414F,  // afs
    0x7461_636F,  // ocfs2
    0x0116_1970,  // gfs2
    0x0BD0_0BD0,  // lustre
  ]

  /// Whether timestamps may come from another machine's clock, and changes from other machines.
  package var isRemote: Bool { Self.network.contains(magic) }

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
