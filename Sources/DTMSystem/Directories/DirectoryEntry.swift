internal import CLinux
internal import Glibc
package import SystemPackage

/// One name in a directory, as getdents64(2) gives it.
package struct DirectoryEntry: Sendable {
  /// Without `/`; any other bytes.
  package let name: [UInt8]
  package let inode: UInt64
  /// Nil where the file system does not tell (`DT_UNKNOWN`).
  package let kind: FileKind?
}

extension Descriptor {
  /// Reads this directory's names from the descriptor's position on; `.` and `..` are left out.
  package func forEachEntry(_ body: (DirectoryEntry) throws(Errno) -> Void) throws(Errno) {
    let length = 64 * 1024
    let descriptor = rawValue
    try unsafe withUnsafeTemporaryAllocation(byteCount: length, alignment: 8) {
      buffer throws(Errno) in
      while true {
        let count = try retrying {
          unsafe clinux_getdents64(descriptor, buffer.baseAddress, length)
        }
        if count == 0 { return }
        try unsafe Self.forEachEntry(
          in: UnsafeRawBufferPointer(rebasing: buffer[..<Int(count)]), body)
      }
    }
  }

  /// struct linux_dirent64: d_ino 8, d_off 8, d_reclen 2, d_type 1, d_name, NUL.
  private static func forEachEntry(
    in bytes: UnsafeRawBufferPointer, _ body: (DirectoryEntry) throws(Errno) -> Void
  ) throws(Errno) {
    var offset = 0
    while offset < bytes.count {
      let inode = unsafe bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
      let recordLength = Int(
        unsafe bytes.loadUnaligned(fromByteOffset: offset + 16, as: UInt16.self))
      let type = unsafe bytes[offset + 18]
      var end = offset + 19
      while unsafe bytes[end] != 0 { end += 1 }
      let name = unsafe [UInt8](UnsafeRawBufferPointer(rebasing: bytes[(offset + 19)..<end]))
      offset += recordLength
      if name == [UInt8(ascii: ".")] || name == [UInt8(ascii: "."), UInt8(ascii: ".")] { continue }
      // DT_* are the type bits of st_mode, shifted.
      try body(
        DirectoryEntry(name: name, inode: inode, kind: FileKind(mode: UInt32(type) << 12)))
    }
  }
}
