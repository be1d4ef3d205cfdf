internal import CLinux
internal import Glibc
internal import Synchronization
package import SystemPackage

/// Paths that must not lead elsewhere: `openat2(2)`, or the same name by name.
///
/// seccomp can't look into openat2's structure, so filters that forbid to make set-user-ID files
/// (systemd's RestrictSUIDSGID) take the whole call away.
extension Descriptor {
  /// The kernel or a filter has no openat2(2) for this process.
  private static let lacksOpenat2 = Atomic<Bool>(false)

  /// Opens a path beneath this directory, and nowhere else, through no link, and on its mount where
  /// `staysOnMount` wants it.
  func openResolving(
    _ path: [UInt8], _ flags: OpenFlags, mode: UInt32 = 0, staysOnMount: Bool
  ) throws(Errno) -> Descriptor {
    if !Self.lacksOpenat2.load(ordering: .relaxed) {
      let descriptor = rawValue
      let bits = UInt64(UInt32(bitPattern: flags.rawValue | CLINUX_O_CLOEXEC))
      let resolve =
        CLINUX_RESOLVE_BENEATH | CLINUX_RESOLVE_NO_SYMLINKS | CLINUX_RESOLVE_NO_MAGICLINKS
        | (staysOnMount ? CLINUX_RESOLVE_NO_XDEV : 0)
      do throws(Errno) {
        let number = try unsafe withCString(of: path.isEmpty ? [UInt8(ascii: ".")] : path) {
          pointer throws(Errno) in
          try retrying {
            unsafe clinux_openat2(descriptor, pointer, bits, UInt64(mode), resolve)
          }
        }
        return Descriptor(owning: number)
      } catch {
        if error != .noFunction { throw error }
        Self.lacksOpenat2.store(true, ordering: .relaxed)
      }
    }
    return try openNameByName(path, flags, mode: mode, staysOnMount: staysOnMount)
  }

  /// What openat2(2) does with `RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS`, and
  /// `RESOLVE_NO_XDEV` where it stays on its mount; each directory on the way is opened by its name in
  /// the one before, so that whoever swaps names meanwhile gains nothing.
  ///
  /// Stricter in one thing: `..` is `.improperLink` wherever it stands. Cost: two calls a name.
  package func openNameByName(
    _ path: [UInt8], _ flags: OpenFlags, mode: UInt32 = 0, staysOnMount: Bool
  ) throws(Errno) -> Descriptor {
    if path.first == UInt8(ascii: "/") { throw .improperLink }
    let names = path.split(separator: UInt8(ascii: "/")).filter { $0 != [UInt8(ascii: ".")] }
    if names.contains([UInt8(ascii: "."), UInt8(ascii: ".")]) { throw .improperLink }
    let mount = staysOnMount ? try identity().mount : nil
    // A slash at the end asks for a directory, as it does in every call.
    let flags = path.last == UInt8(ascii: "/") ? flags.union(.directory) : flags
    guard names.count > 1, let first = names.first, let last = names.last else {
      return try openName(
        names.first.map { Array($0) } ?? [UInt8(ascii: ".")], flags, mode: mode, mount: mount)
    }
    var current = try openName(Array(first), [.path, .directory], mode: 0, mount: mount)
    for name in names.dropFirst().dropLast() {
      current = try current.openName(Array(name), [.path, .directory], mode: 0, mount: mount)
    }
    return try current.openName(Array(last), flags, mode: mode, mount: mount)
  }

  private func openName(
    _ name: [UInt8], _ flags: OpenFlags, mode: UInt32, mount: UInt64?
  ) throws(Errno) -> Descriptor {
    let opened: Descriptor
    do throws(Errno) {
      opened = try open(name, flags.union(.noFollow), mode: mode)
    } catch {
      // With O_DIRECTORY a link is "no directory"; openat2(2) says what it is.
      if error == .notDirectory, try status(of: name).kind == .symlink {
        throw .tooManySymbolicLinkLevels
      }
      throw error
    }
    let isPathOnly = flags.contains(.path)
    if mount == nil, !isPathOnly || flags.contains(.noFollow) { return opened }
    let found = try opened.identity()
    if let mount, found.mount != mount { throw .improperLink }
    // O_PATH with O_NOFOLLOW opens a link itself, which only who asked for that is to get.
    if isPathOnly, !flags.contains(.noFollow), found.isLink { throw .tooManySymbolicLinkLevels }
    return opened
  }

  private func identity() throws(Errno) -> (mount: UInt64, isLink: Bool) {
    let descriptor = rawValue
    var result = clinux_stat()
    _ = try unsafe withCString(of: []) { pointer throws(Errno) in
      try retrying { unsafe clinux_statx(descriptor, pointer, CLINUX_AT_EMPTY_PATH, &result) }
    }
    return (result.mount, result.mode & UInt32(S_IFMT) == UInt32(S_IFLNK))
  }
}
