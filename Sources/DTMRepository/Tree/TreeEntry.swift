package import DTMSystem

/// A user or a group: its number, and its name where that was known.
package struct Owner: Hashable, Sendable {
  /// The uid or gid.
  package let id: UInt32
  /// Empty where it was not known.
  package let name: [UInt8]

  /// An owner; without a name where it is not known.
  /// An entry; not checked before it is written to a tree.
  package init(id: UInt32, name: [UInt8] = []) {
    self.id = id
    self.name = name
  }
}

/// Extended attributes and ACLs, in the format's encoding.
package enum Attributes: Hashable, Sendable {
  case none
  /// 1 … 127 bytes.
  case inline([UInt8])
  /// A chunk that holds 128 bytes and more.
  case object(ObjectID)
}

/// One path of a snapshot with everything that is kept of it (format: Leaf page).
package struct TreeEntry: Hashable, Sendable {
  /// Where the entry stands beneath the folder; empty: the folder itself.
  package var key: PathKey
  /// What it is; decides which `content` fits.
  package var kind: FileKind
  /// 0o0000 … 0o7777.
  package var permissions: UInt32
  /// The user.
  package var owner: Owner
  /// The group.
  package var group: Owner
  /// Last change of the content.
  package var modified: FileTime
  /// Content bytes of a file, the target's length of a symlink, else 0.
  package var size: UInt64
  /// Fits `kind` and `size`.
  package var content: Content
  /// As FS_IOC_GETFLAGS has them, only immutable (16) and nodump (64).
  package var inodeFlags: UInt32
  /// Extended attributes and ACLs.
  package var attributes: Attributes
  /// The first key, in key order, of the hard links to one file, this one included.
  package var linkGroup: PathKey?
  /// Whether the content has a hole.
  package var isSparse: Bool
  /// Read while somebody had the file open for writing.
  package var isHot: Bool

  /// An entry; not checked before it is written to a tree.
  package init(
    key: PathKey, kind: FileKind, permissions: UInt32 = 0, owner: Owner = Owner(id: 0),
    group: Owner = Owner(id: 0), modified: FileTime = FileTime(seconds: 0, nanoseconds: 0),
    size: UInt64 = 0, content: Content = .none, inodeFlags: UInt32 = 0,
    attributes: Attributes = .none, linkGroup: PathKey? = nil, isSparse: Bool = false,
    isHot: Bool = false
  ) {
    self.key = key
    self.kind = kind
    self.permissions = permissions
    self.owner = owner
    self.group = group
    self.modified = modified
    self.size = size
    self.content = content
    self.inodeFlags = inodeFlags
    self.attributes = attributes
    self.linkGroup = linkGroup
    self.isSparse = isSparse
    self.isHot = isHot
  }
}

extension TreeEntry {
  /// Content up to this length stands in the entry.
  package static let inlineContentLimit = 128
  /// Attributes up to this length stand in the entry.
  package static let inlineAttributesLimit = 127
  static let permissionsMask: UInt32 = 0o7777
  /// FS_IMMUTABLE_FL and FS_NODUMP_FL.
  static let inodeFlagsMask: UInt32 = 16 | 64
  static let nanosecondsPerSecond: UInt32 = 1_000_000_000

  /// What the format does not allow in this entry, or nil.
  ///
  /// A page decoder refuses the same, so that nothing is written that cannot be read back.
  func flaw() -> String? {
    if key.isRoot && kind != .directory { return "the folder itself is a directory" }
    if permissions & ~Self.permissionsMask != 0 { return "its permissions are out of range" }
    if modified.nanoseconds >= Self.nanosecondsPerSecond { return "its time is out of range" }
    if inodeFlags & ~Self.inodeFlagsMask != 0 { return "its inode flags are out of range" }
    if case .inline(let bytes) = attributes {
      if bytes.isEmpty || bytes.count > Self.inlineAttributesLimit {
        return "its inline attributes have \(bytes.count) bytes"
      }
    }
    if let flaw = KeyRule.flaw(key.bytes, from: 0, to: key.bytes.count) { return flaw }
    if let linkGroup {
      if kind == .directory { return "a directory has no link group" }
      if linkGroup.isRoot { return "its link group is empty" }
      if let flaw = KeyRule.flaw(linkGroup.bytes, from: 0, to: linkGroup.bytes.count) {
        return "its link group: \(flaw)"
      }
    }
    return contentFlaw()
  }

  private func contentFlaw() -> String? {
    let fits =
      switch (kind, content) {
      case (.file, .inline(let bytes)):
        UInt64(bytes.count) == size && bytes.count <= Self.inlineContentLimit
      case (.file, .chunk): size > UInt64(Self.inlineContentLimit)
      case (.file, .list): size > 0
      case (.symlink, .target(let bytes)): UInt64(bytes.count) == size
      case (.characterDevice, .device), (.blockDevice, .device): size == 0
      case (.directory, .none), (.fifo, .none), (.socket, .none): size == 0
      default: false
      }
    return fits ? nil : "its kind, size and content do not fit together"
  }
}
