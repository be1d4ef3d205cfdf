internal import CLinux
internal import Glibc
package import SystemPackage

/// An extended attribute: its whole name (`user.x`) and its value.
package struct ExtendedAttribute: Hashable, Sendable {
  package let name: [UInt8]
  package let value: [UInt8]

  package init(name: [UInt8], value: [UInt8]) {
    self.name = name
    self.value = value
  }
}

/// What a file's extended attributes are, and which of them could not be read.
package struct ExtendedAttributes: Hashable, Sendable {
  /// Ascending by name.
  package var readable: [ExtendedAttribute] = []
  package var unreadable: [[UInt8]] = []

  package init() {}
}

extension Descriptor {
  /// Opens a relative path beneath this directory, on the same mount, with no link on the way.
  ///
  /// Throws `.improperLink` where the path leaves the directory or crosses a mount point, and
  /// `.tooManySymbolicLinkLevels` at a link.
  package func openOnSameMount(_ path: [UInt8], _ flags: OpenFlags) throws(Errno) -> Descriptor {
    try openResolving(path, flags.union(.noFollow), staysOnMount: true)
  }

  /// The target of a symbolic link in this directory.
  package func readLink(_ name: [UInt8]) throws(Errno) -> [UInt8] {
    let descriptor = rawValue
    // A target is shorter than PATH_MAX on every file system of Linux.
    let capacity = Int(PATH_MAX) + 1
    var failure: Errno?
    let target = unsafe [UInt8](unsafeUninitializedCapacity: capacity) { buffer, count in
      do throws(Errno) {
        count = try unsafe withCString(of: name) { pointer throws(Errno) in
          try retrying {
            unsafe buffer.withMemoryRebound(to: CChar.self) { text in
              guard let base = text.baseAddress else { return -1 }
              return unsafe readlinkat(descriptor, pointer, base, capacity)
            }
          }
        }
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
    return target
  }

  /// The first offset at or after `offset` that holds data; nil when only a hole follows.
  package func nextData(from offset: Int) throws(Errno) -> Int? {
    let result = lseek(rawValue, off_t(offset), CLINUX_SEEK_DATA)
    if result >= 0 { return Int(result) }
    let code = Errno.current
    if code == .noSuchAddressOrDevice { return nil }
    throw code
  }

  /// The first offset at or after `offset` where a hole begins; the file's end counts as one.
  package func nextHole(from offset: Int) throws(Errno) -> Int {
    let result = lseek(rawValue, off_t(offset), CLINUX_SEEK_HOLE)
    if result < 0 { throw .current }
    return Int(result)
  }

  /// All extended attributes of this open file; none where the file system has none.
  package func extendedAttributes() throws(Errno) -> ExtendedAttributes {
    let descriptor = rawValue
    return try unsafe Self.extendedAttributes(
      list: { unsafe clinux_flistxattr(descriptor, $0, $1) },
      value: { unsafe clinux_fgetxattr(descriptor, $0, $1, $2) })
  }

  /// The same of what may be open by its name alone (`.path`), a symbolic link too.
  package func extendedAttributesByName() throws(Errno) -> ExtendedAttributes {
    try unsafe withCString(of: Self.procPath(rawValue)) { pointer throws(Errno) in
      try unsafe Self.extendedAttributes(
        list: { unsafe clinux_listxattr(pointer, $0, $1) },
        value: { unsafe clinux_getxattr(pointer, $0, $1, $2) })
    }
  }

  /// All extended attributes of a name in this directory; a link is not followed.
  package func extendedAttributes(of name: [UInt8]) throws(Errno) -> ExtendedAttributes {
    // There are no llistxattrat(2) and lgetxattrat(2) before Linux 6.13.
    let path = Array("/proc/self/fd/\(rawValue)/".utf8) + name
    return try unsafe withCString(of: path) { pointer throws(Errno) in
      try unsafe Self.extendedAttributes(
        list: { unsafe clinux_llistxattr(pointer, $0, $1) },
        value: { unsafe clinux_lgetxattr(pointer, $0, $1, $2) })
    }
  }

  private static func extendedAttributes(
    list: (UnsafeMutablePointer<CChar>?, Int) -> Int,
    value: (UnsafePointer<CChar>, UnsafeMutableRawPointer?, Int) -> Int
  ) throws(Errno) -> ExtendedAttributes {
    var result = ExtendedAttributes()
    let names: [UInt8]
    do throws(Errno) {
      names = try unsafe bytes { unsafe list($0?.assumingMemoryBound(to: CChar.self), $1) }
    } catch {
      if error == .notSupported || error == Errno(rawValue: ENOSYS) { return result }
      throw error
    }
    for name in names.split(separator: 0).map(Array.init) where !isDuplicate(name) {
      do throws(Errno) {
        let content = try unsafe withCString(of: name) { pointer throws(Errno) in
          try unsafe bytes { unsafe value(pointer, $0, $1) }
        }
        result.readable.append(ExtendedAttribute(name: name, value: content))
      } catch {
        // ENODATA: it is gone since it was listed.
        if error != .noData { result.unreadable.append(name) }
      }
    }
    result.readable.sort { $0.name.lexicographicallyPrecedes($1.name) }
    return result
  }

  /// XFS tells root its ACLs twice: by their own names, and as it keeps them.
  private static func isDuplicate(_ name: [UInt8]) -> Bool {
    name.starts(with: Array("trusted.SGI_ACL_".utf8))
  }

  /// What a call of the kind "returns the length, and ERANGE when the buffer is too small" gives.
  private static func bytes(
    _ call: (UnsafeMutableRawPointer?, Int) -> Int
  ) throws(Errno) -> [UInt8] {
    var capacity = 256
    while true {
      var failure: Errno?
      let result = unsafe [UInt8](unsafeUninitializedCapacity: capacity) { buffer, count in
        do throws(Errno) {
          count = try retrying {
            unsafe call(UnsafeMutableRawPointer(buffer.baseAddress), capacity)
          }
        } catch {
          failure = error
        }
      }
      guard let failure else { return result }
      // XATTR_SIZE_MAX and XATTR_LIST_MAX are 64 KiB.
      if failure != Errno(rawValue: ERANGE) || capacity > 1 << 20 { throw failure }
      capacity *= 4
    }
  }
}
