internal import DTMRepository
internal import DTMSystem
internal import SystemPackage

/// Sets on an open entry what the tree says of it: owner, mode, attributes, time.
///
/// What privilege does not allow is a problem and stays undone.
struct MetadataWriter: Sendable {
  /// Bits that must not come to an owner they were not made for.
  private static let setUser: UInt32 = 0o4000
  private static let setGroup: UInt32 = 0o2000
  static let immutable: UInt32 = 16
  static let noDump: UInt32 = 64

  let problems: RestoreProblems

  /// Sets everything but inode flags.
  ///
  /// The entry is not immutable, or nothing can be set.
  /// `status`: how it is now; `attributes`: the wanted ones; `isExact`: removes others that may be
  /// there.
  func apply(
    _ entry: TreeEntry, _ attributes: [ExtendedAttribute], to file: borrowing Descriptor,
    _ status: FileStatus, isExact: Bool
  ) {
    let hasOwner = setOwner(entry, file, status)
    let present = isExact ? removeOthers(entry, attributes, file) : []
    setPermissions(entry, file, status, hasOwner: hasOwner)
    for attribute in attributes where !present.contains(attribute) {
      change(entry, file) { () throws(Errno) in try file.setAttribute(attribute) }
    }
    setModified(entry, file)
  }

  func setModified(_ entry: TreeEntry, _ file: borrowing Descriptor) {
    attempt(.times, entry.key) { () throws(Errno) in try file.setModified(entry.modified) }
  }

  /// Sets the flags that a tree keeps; the file is open for reading.
  func setFlags(_ flags: UInt32, of key: PathKey, _ file: borrowing Descriptor) {
    attempt(.flags, key) { () throws(Errno) in
      try file.setInodeFlags(flags, mask: Self.immutable | Self.noDump)
    }
  }

  /// Gives what was just made its wanted flags but for the immutable one, which would be in the way:
  /// it inherits some from its directory.
  ///
  /// `status`: how it is; it is open for reading.
  func setFirstFlags(
    _ entry: TreeEntry, _ file: borrowing Descriptor, _ status: FileStatus
  ) {
    if (entry.inodeFlags ^ status.inodeFlags) & Self.noDump == 0 { return }
    attempt(.flags, entry.key) { () throws(Errno) in
      try file.setInodeFlags(entry.inodeFlags, mask: Self.noDump)
    }
  }

  /// Makes what is immutable changeable for now; false, and a problem, where that is not allowed.
  func release(
    _ key: PathKey, _ file: borrowing Descriptor, _ status: FileStatus
  ) -> Bool {
    if status.inodeFlags & Self.immutable == 0 { return true }
    do throws(Errno) {
      try file.setInodeFlags(0, mask: Self.immutable)
      return true
    } catch {
      problems.add(.flags, key, error)
      return false
    }
  }

  private func attempt(
    _ refusal: RestoreProblems.Refusal, _ key: PathKey, _ body: () throws(Errno) -> Void
  ) {
    do throws(Errno) { try body() } catch { problems.add(refusal, key, error) }
  }

  /// Changes an attribute. Of a file that its owner may not write it can't change those of people;
  /// for that moment it may be written.
  private func change(
    _ entry: TreeEntry, _ file: borrowing Descriptor, _ body: () throws(Errno) -> Void
  ) {
    attempt(.attributes, entry.key) { () throws(Errno) in
      do throws(Errno) { return try body() } catch {
        guard error == .permissionDenied, entry.kind != .symlink else { throw error }
      }
      let status = try file.status()
      guard status.uid == ThreadIdentity.current.uid, status.permissions & 0o200 == 0 else {
        throw .permissionDenied
      }
      try file.setPermissions(status.permissions | 0o200)
      let outcome = Result { () throws(Errno) in try body() }
      try file.setPermissions(status.permissions)
      try outcome.get()
    }
  }

  private func setOwner(
    _ entry: TreeEntry, _ file: borrowing Descriptor, _ status: FileStatus
  ) -> (user: Bool, group: Bool) {
    let user = entry.owner.id == status.uid ? nil : entry.owner.id
    let group = entry.group.id == status.gid ? nil : entry.group.id
    if user == nil && group == nil { return (true, true) }
    do throws(Errno) {
      try file.setOwner(user: user, group: group)
      return (true, true)
    } catch {
      problems.add(.owner, entry.key, error)
    }
    // Without privilege a group of one's own can be given, a user can't.
    guard let group, user != nil else { return (user == nil, group == nil) }
    do throws(Errno) {
      try file.setOwner(user: nil, group: group)
      return (false, true)
    } catch {
      return (false, false)
    }
  }

  private func setPermissions(
    _ entry: TreeEntry, _ file: borrowing Descriptor, _ status: FileStatus,
    hasOwner: (user: Bool, group: Bool)
  ) {
    if entry.kind == .symlink { return }
    var permissions = entry.permissions
    if !hasOwner.user { permissions &= ~Self.setUser }
    // A directory's bit is about its files' group, and harmless.
    if !hasOwner.group && entry.kind != .directory { permissions &= ~Self.setGroup }
    // chown(2) clears the bits that status still has.
    let isChanged = entry.owner.id != status.uid || entry.group.id != status.gid
    if permissions == status.permissions && !isChanged { return }
    attempt(.permissions, entry.key) { () throws(Errno) in
      try file.setPermissions(permissions)
    }
  }

  /// Removes the attributes that are not wanted, and returns those that are there.
  private func removeOthers(
    _ entry: TreeEntry, _ attributes: [ExtendedAttribute], _ file: borrowing Descriptor
  ) -> [ExtendedAttribute] {
    let present: [ExtendedAttribute]
    do throws(Errno) { present = try file.extendedAttributesByName().readable } catch {
      problems.add(.attributes, entry.key, error)
      return []
    }
    let names = Set(attributes.map(\.name))
    for attribute in present where !names.contains(attribute.name) && Self.isOurs(attribute.name) {
      change(entry, file) { () throws(Errno) in
        try file.removeAttributeIfPresent(attribute.name)
      }
    }
    return present
  }

  /// Attributes that people set; labels and digests of the kernel's security modules are the
  /// system's own.
  private static func isOurs(_ name: [UInt8]) -> Bool {
    if name.starts(with: Array("system.".utf8)) {
      return name == accessList || name == defaultList
    }
    return !systemsOwn.contains { name.starts(with: $0) }
  }

  private static let systemsOwn = [
    "security.selinux", "security.SMACK64", "security.apparmor", "security.ima", "security.evm",
  ].map { Array($0.utf8) }

  static let accessList = Array("system.posix_acl_access".utf8)
  /// The default ACL, which what is made in a directory inherits.
  static let defaultList = Array("system.posix_acl_default".utf8)
}

extension Attributes {
  /// The attributes, read and decoded (format: Leaf page).
  func decoded(_ objects: any ObjectReader) throws(FolderError) -> [ExtendedAttribute] {
    let bytes: [UInt8]
    switch self {
    case .none: return []
    case .inline(let inline): bytes = inline
    case .object(let id):
      bytes = try onRepository { () throws(RepositoryError) in try objects.read(id, .chunk) }
    }
    var reader = ByteReader(bytes)
    do throws(DecodingFailure) {
      let list = try reader.list(minimumLength: 2) { reader throws(DecodingFailure) in
        ExtendedAttribute(name: try reader.counted(), value: try reader.counted())
      }
      if !reader.isAtEnd { throw reader.failure("bytes are left") }
      return list
    } catch {
      throw FolderError(.corrupt, "attributes do not decode: \(error.message)")
    }
  }
}
