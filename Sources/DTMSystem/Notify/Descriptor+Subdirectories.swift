internal import CLinux
internal import Glibc
package import SystemPackage

/// Walking directories for their subdirectories alone.
extension Descriptor {
  /// PATH_MAX is 4096 with the NUL; a longer path is opened piece by piece.
  private static let pathPieceLimit = 4000

  /// Opens a directory beneath this one for reading, by names of any total length.
  ///
  /// No link is followed, and no mount point crossed: `openat2(2)` with `RESOLVE_BENEATH`,
  /// `RESOLVE_NO_SYMLINKS` and `RESOLVE_NO_XDEV`. An empty path is the directory itself. Throws
  /// `.improperLink` at a mount point (bind mounts too), `.tooManySymbolicLinkLevels` at a link,
  /// `.notDirectory` at anything else.
  package func openDirectory(beneath path: [UInt8]) throws(Errno) -> Descriptor {
    if path.count <= Self.pathPieceLimit { return try openPiece(path[...], last: true) }
    var rest = path[...]
    var current = try openPiece([], last: false)
    while rest.count > Self.pathPieceLimit {
      // A name is at most 255 bytes, so a slash stands in the first 4000.
      let window = rest.prefix(Self.pathPieceLimit)
      guard let cut = window.lastIndex(of: UInt8(ascii: "/")) else { throw .fileNameTooLong }
      current = try current.openPiece(rest[..<cut], last: false)
      rest = rest[(cut + 1)...]
    }
    return try current.openPiece(rest, last: true)
  }

  /// Opens a subdirectory by its name, as `openDirectory(beneath:)` does.
  package func openChild(_ name: [UInt8]) throws(Errno) -> Descriptor {
    try openPiece(name[...], last: true)
  }

  /// Returns when every change of names in this directory that could be seen before is over, its
  /// events queued.
  ///
  /// Looking a name up waits for nobody: it may see a rename whose event is not queued yet. Reading
  /// the directory does wait, since the kernel holds the directory's lock until the events are
  /// queued (vfs_rename(), vfs_rmdir() …), and takes it for reading (iterate_dir()).
  package func awaitChangesOfNames() throws(Errno) {
    let descriptor = rawValue
    // One entry of the longest name is 280 bytes.
    let length = 512
    do throws(Errno) {
      _ = try unsafe withUnsafeTemporaryAllocation(byteCount: length, alignment: 8) {
        buffer throws(Errno) in
        try retrying { unsafe clinux_getdents64(descriptor, buffer.baseAddress, length) }
      }
    } catch .noSuchFileOrDirectory {
      // The directory was removed: nothing changes in it any more.
      return
    }
  }

  private func openPiece(_ path: ArraySlice<UInt8>, last: Bool) throws(Errno) -> Descriptor {
    try openResolving(
      Array(path), last ? [.readOnly, .directory] : [.path, .directory], staysOnMount: true)
  }

  /// The next subdirectories' names from this directory's position on, in no order; nil at the end.
  ///
  /// Reads up to 64 KiB of entries in one call, so that the caller can do something else between.
  /// Links are no subdirectories. Where the file system tells no kinds, each name is looked at.
  package func nextSubdirectories() throws(Errno) -> [[UInt8]]? {
    let length = 64 * 1024
    let descriptor = rawValue
    var names: [[UInt8]] = []
    var unknown: [[UInt8]] = []
    let count = try unsafe withUnsafeTemporaryAllocation(byteCount: length, alignment: 8) {
      buffer throws(Errno) in
      let count = try retrying {
        unsafe clinux_getdents64(descriptor, buffer.baseAddress, length)
      }
      unsafe Self.subdirectories(
        in: UnsafeRawBufferPointer(rebasing: buffer[..<Int(count)]), &names, &unknown)
      return count
    }
    if count == 0 { return nil }
    for name in unknown {
      do throws(Errno) {
        if try status(of: name).kind == .directory { names.append(name) }
      } catch .noSuchFileOrDirectory {
        continue
      }
    }
    return names
  }

  /// struct linux_dirent64: d_ino 8, d_off 8, d_reclen 2, d_type 1, d_name, NUL.
  private static func subdirectories(
    in bytes: UnsafeRawBufferPointer, _ names: inout [[UInt8]], _ unknown: inout [[UInt8]]
  ) {
    var offset = 0
    while offset < bytes.count {
      let recordLength = Int(
        unsafe bytes.loadUnaligned(fromByteOffset: offset + 16, as: UInt16.self))
      let type = unsafe bytes[offset + 18]
      let start = offset + 19
      offset += recordLength
      if type != UInt8(DT_DIR), type != UInt8(DT_UNKNOWN) { continue }
      var end = start
      while unsafe bytes[end] != 0 { end += 1 }
      let name = unsafe [UInt8](UnsafeRawBufferPointer(rebasing: bytes[start..<end]))
      if isSelfOrParent(name) { continue }
      if type == UInt8(DT_DIR) { names.append(name) } else { unknown.append(name) }
    }
  }

  private static func isSelfOrParent(_ name: [UInt8]) -> Bool {
    let dot = UInt8(ascii: ".")
    return name[0] == dot && (name.count == 1 || (name.count == 2 && name[1] == dot))
  }
}
