package import DTMSystem

/// What vouches for a captured file (design: Capture that never lies).
package enum CaptureClass: UInt8, Sendable, Hashable {
  /// Not captured as it is now: it could not be read, or nothing is known. Looked at again always.
  case unknown = 0
  /// Nobody had it open for writing, it stayed the same while it was read, and any later change
  /// shows in its times.
  case proven = 1
  /// It stayed the same while it was read.
  case stable = 2
  /// Somebody had it open for writing.
  case hot = 3
  /// It was never the same twice.
  case changing = 4
}

/// What the state cache knows of one entry: how it looked when it was captured.
package struct StateRecord: Hashable, Sendable {
  /// Type and permission bits.
  package var mode: UInt32
  package var uid: UInt32
  package var gid: UInt32
  package var links: UInt32
  package var size: UInt64
  package var inode: UInt64
  /// The device's number, or 0 where it is the folder's own (device numbers change when a machine
  /// starts again).
  package var device: UInt64
  package var modified: FileTime
  package var changed: FileTime
  package var captureClass: CaptureClass
  /// Whether a later change may show in no time: it is read again at the next scan.
  package var isRacy: Bool

  /// `rootDevice`: the device of the folder itself.
  package init(
    _ status: FileStatus, rootDevice: UInt64, captureClass: CaptureClass, isRacy: Bool
  ) {
    mode = status.mode
    uid = status.uid
    gid = status.gid
    links = status.links
    size = status.size
    inode = status.inode
    device = status.device == rootDevice ? 0 : status.device
    modified = status.modified
    changed = status.changed
    self.captureClass = captureClass
    self.isRacy = isRacy
  }

  /// A record that no status matches: for an entry that was carried forward and never seen.
  package static let unseen = StateRecord()

  private init() {
    mode = 0
    uid = 0
    gid = 0
    links = 0
    size = 0
    inode = 0
    device = 0
    modified = FileTime(seconds: 0, nanoseconds: 0)
    changed = FileTime(seconds: 0, nanoseconds: 0)
    captureClass = .unknown
    isRacy = true
  }

  /// The same for something of a kind.
  static func unseen(_ kind: FileKind?) -> StateRecord {
    var record = unseen
    record.mode = kind?.modeBits ?? 0
    return record
  }

  package var kind: FileKind? { FileKind(mode: mode) }
  package var isDirectory: Bool { mode & 0o170000 == 0o040000 }
  /// Whether it is a name of several of one file.
  package var isLinked: Bool { links > 1 && !isDirectory && captureClass != .unknown }
  package var identity: InodeIdentity { InodeIdentity(device: device, inode: inode) }

  /// Whether the entry is, by all that stat tells, as it was captured, and that is to be trusted.
  func vouches(for status: FileStatus, rootDevice: UInt64) -> Bool {
    inode == status.inode && changed == status.changed && modified == status.modified
      && size == status.size && mode == status.mode && uid == status.uid && gid == status.gid
      && links == status.links && device == (status.device == rootDevice ? 0 : status.device)
      && !isRacy && (captureClass == .proven || captureClass == .stable)
  }
}

/// A file, whatever its names: device (0 for the folder's own) and inode.
package struct InodeIdentity: Hashable, Sendable {
  package let device: UInt64
  package let inode: UInt64

  package init(device: UInt64, inode: UInt64) {
    self.device = device
    self.inode = inode
  }
}
