internal import CLinux
internal import Glibc
package import SystemPackage

/// How rename(2) treats a name that is there already.
package enum RenameRule: Sendable {
  /// Replaced in one step.
  case replace
  /// `.fileExists`.
  case refuse
  /// The two names change places.
  case exchange
}

/// Changes of names in an open directory. A link in the last place is never followed.
extension Descriptor {
  /// mkdir(2); the mode is cut by the process's umask.
  package func makeDirectory(_ name: [UInt8], mode: UInt32) throws(Errno) {
    let descriptor = rawValue
    try unsafe withCString(of: name) { pointer throws(Errno) in
      if unsafe mkdirat(descriptor, pointer, mode) != 0 { throw .current }
    }
  }

  /// unlink(2), or rmdir(2) for an empty directory.
  package func remove(_ name: [UInt8], isDirectory: Bool = false) throws(Errno) {
    let descriptor = rawValue
    try unsafe withCString(of: name) { pointer throws(Errno) in
      if unsafe unlinkat(descriptor, pointer, isDirectory ? CLINUX_AT_REMOVEDIR : 0) != 0 {
        throw .current
      }
    }
  }

  /// Renames within this directory.
  ///
  /// Throws `.invalidArgument` where the file system knows no rule but `.replace`.
  package func rename(
    _ name: [UInt8], to target: [UInt8], _ rule: RenameRule = .replace
  ) throws(Errno) {
    let descriptor = rawValue
    let flags: UInt32 =
      switch rule {
      case .replace: 0
      case .refuse: CLINUX_RENAME_NOREPLACE
      case .exchange: CLINUX_RENAME_EXCHANGE
      }
    try unsafe withCString(of: name) { from throws(Errno) in
      try unsafe withCString(of: target) { to throws(Errno) in
        if unsafe clinux_renameat2(descriptor, from, descriptor, to, flags) != 0 { throw .current }
      }
    }
  }

  /// Gives an open file (opened by name, `.path` is enough) a further name in this directory.
  package func link(_ file: borrowing Descriptor, as name: [UInt8]) throws(Errno) {
    let descriptor = rawValue
    // AT_EMPTY_PATH needs CAP_DAC_READ_SEARCH, this form does not.
    let source = Self.procPath(file.rawValue)
    try unsafe withCString(of: source) { from throws(Errno) in
      try unsafe withCString(of: name) { to throws(Errno) in
        if unsafe linkat(CLINUX_AT_FDCWD, from, descriptor, to, CLINUX_AT_SYMLINK_FOLLOW) != 0 {
          throw .current
        }
      }
    }
  }

  /// symlink(2): `target` may be any bytes but NUL.
  package func makeLink(_ name: [UInt8], to target: [UInt8]) throws(Errno) {
    let descriptor = rawValue
    try unsafe withCString(of: target) { to throws(Errno) in
      try unsafe withCString(of: name) { pointer throws(Errno) in
        if unsafe symlinkat(to, descriptor, pointer) != 0 { throw .current }
      }
    }
  }

  /// mknod(2) of a FIFO, a socket or a device, with mode 0600.
  package func makeSpecial(
    _ name: [UInt8], _ kind: FileKind, major: UInt32 = 0, minor: UInt32 = 0
  ) throws(Errno) {
    let descriptor = rawValue
    let type: UInt32 =
      switch kind {
      case .fifo: S_IFIFO
      case .socket: S_IFSOCK
      case .characterDevice: S_IFCHR
      case .blockDevice: S_IFBLK
      case .file, .directory, .symlink: throw .invalidArgument
      }
    try unsafe withCString(of: name) { pointer throws(Errno) in
      if unsafe clinux_mknodat(descriptor, pointer, type | 0o600, major, minor) != 0 {
        throw .current
      }
    }
  }

  /// The name by which the process reaches an open file of its own.
  static func procPath(_ descriptor: Int32) -> [UInt8] {
    Array("/proc/self/fd/\(descriptor)".utf8)
  }
}

/// Changes of what is known about an open file, which may be open by its name alone (`.path`).
extension Descriptor {
  /// chown(2); nil leaves an id as it is.
  package func setOwner(user: UInt32?, group: UInt32?) throws(Errno) {
    if clinux_set_owner(rawValue, user ?? UInt32.max, group ?? UInt32.max) != 0 { throw .current }
  }

  /// chmod(2); not for symbolic links, which have no mode.
  package func setPermissions(_ permissions: UInt32) throws(Errno) {
    if fchmod(rawValue, permissions) == 0 { return }
    // EBADF: open by name only.
    guard Errno.current == .badFileDescriptor else { throw .current }
    try unsafe withCString(of: Self.procPath(rawValue)) { path throws(Errno) in
      if unsafe chmod(path, permissions) != 0 { throw .current }
    }
  }

  /// Sets the modification time, and leaves the access time.
  package func setModified(_ time: FileTime) throws(Errno) {
    if clinux_set_modified(rawValue, time.seconds, Int64(time.nanoseconds)) != 0 { throw .current }
  }

  /// Sets an extended attribute, new or not.
  package func setAttribute(_ attribute: ExtendedAttribute) throws(Errno) {
    try unsafe withCString(of: Self.procPath(rawValue)) { path throws(Errno) in
      try unsafe withCString(of: attribute.name) { name throws(Errno) in
        try unsafe attribute.value.span.withUnsafeBytes { value throws(Errno) in
          if unsafe clinux_setxattr(path, name, value.baseAddress, value.count, 0) != 0 {
            throw .current
          }
        }
      }
    }
  }

  /// Removes an extended attribute. Throws `.noData` where there is none.
  package func removeAttribute(_ name: [UInt8]) throws(Errno) {
    try unsafe withCString(of: Self.procPath(rawValue)) { path throws(Errno) in
      try unsafe withCString(of: name) { name throws(Errno) in
        if unsafe clinux_removexattr(path, name) != 0 { throw .current }
      }
    }
  }

  /// Sets the inode flags that `mask` names (FS_IOC_SETFLAGS); the file is open for reading.
  package func setInodeFlags(_ flags: UInt32, mask: UInt32) throws(Errno) {
    var present: UInt32 = 0
    if unsafe clinux_get_inode_flags(rawValue, &present) != 0 { throw .current }
    let wanted = present & ~mask | flags & mask
    if wanted != present, clinux_set_inode_flags(rawValue, wanted) != 0 { throw .current }
  }

  /// Copies up to `count` bytes from another file within the kernel, sharing blocks where the file
  /// system can; returns how many, 0 at the other's end.
  package func copyRange(
    from source: borrowing Descriptor, at sourceOffset: Int, to offset: Int, count: Int
  ) throws(Errno) -> Int {
    var from = Int64(sourceOffset)
    var to = Int64(offset)
    while true {
      let result = unsafe clinux_copy_file_range(
        source.rawValue, &from, rawValue, &to, count)
      if result >= 0 { return result }
      let code = Errno.current
      if code != .interrupted { throw code }
    }
  }
}

extension Descriptor {
  /// Whether an open file has an extended attribute; false where that can't be told.
  package func hasAttribute(_ name: [UInt8]) -> Bool {
    let descriptor = rawValue
    do throws(Errno) {
      return try unsafe withCString(of: name) { pointer throws(Errno) in
        unsafe clinux_fgetxattr(descriptor, pointer, nil, 0) >= 0
      }
    } catch { return false }
  }

  /// Removes an extended attribute, if it is there.
  package func removeAttributeIfPresent(_ name: [UInt8]) throws(Errno) {
    do throws(Errno) { try removeAttribute(name) } catch {
      if error != .noData && error != .notSupported { throw error }
    }
  }
}

extension Descriptor {
  /// mkdir(2) of an absolute path, or one relative to the working directory. Throws `.fileExists`.
  package static func makeDirectory(at path: FilePath, mode: UInt32) throws(Errno) {
    if unsafe path.withPlatformString({ unsafe mkdir($0, mode) }) != 0 { throw .current }
  }
}
