internal import CLinux
internal import Glibc
package import SystemPackage

/// All names of one directory, sorted bytewise: one arena of bytes and 16 bytes a name.
///
/// Made for folders of a million names in one directory: no allocation a name, and statx(2) gets
/// its names without a copy. A name that the kernel told twice (files come and go meanwhile) is
/// here once.
package struct DirectoryListing: Sendable {
  private struct Slot {
    /// Eight bytes of the name after what all names share, most significant first: decides most
    /// comparisons without a look at the arena.
    var prefix: UInt64
    let start: UInt32
    let length: UInt16
    let type: UInt8
  }

  /// The names one after the other, each with a NUL at its end.
  private var arena: [UInt8] = []
  private var slots: [Slot] = []

  /// Reads the directory from its beginning to its end; `.` and `..` are left out.
  package init(reading directory: borrowing Descriptor) throws(Errno) {
    let number = directory.rawValue
    if lseek(number, 0, SEEK_SET) < 0 { throw .current }
    // From 64 KiB on, giving it back makes malloc(3) gather all that it has free, at each directory.
    let length = 32 * 1024
    try unsafe withUnsafeTemporaryAllocation(byteCount: length, alignment: 8) {
      buffer throws(Errno) in
      while true {
        let count = try retrying { unsafe clinux_getdents64(number, buffer.baseAddress, length) }
        if count == 0 { return }
        try unsafe append(UnsafeRawBufferPointer(rebasing: buffer[..<Int(count)]))
      }
    }
    sort()
  }

  package var count: Int { slots.count }

  /// The bytes of a name of the listing.
  package func name(at index: Int) -> [UInt8] { Array(nameBytes(at: index)) }

  /// Appends the name to bytes, a path's beginning say.
  package func appendName(at index: Int, to bytes: inout [UInt8]) {
    bytes.append(contentsOf: nameBytes(at: index))
  }

  /// Nil where the file system does not tell.
  package func kind(at index: Int) -> FileKind? {
    // DT_* are the type bits of st_mode, shifted.
    FileKind(mode: UInt32(slots[index].type) << 12)
  }

  /// Where a name stands, by binary search.
  package func index(of name: [UInt8]) -> Int? {
    var low = 0
    var high = slots.count
    while low < high {
      let middle = (low + high) / 2
      let bytes = nameBytes(at: middle)
      if bytes.elementsEqual(name) { return middle }
      if bytes.lexicographicallyPrecedes(name) { low = middle + 1 } else { high = middle }
    }
    return nil
  }

  /// Drops the names for which `isExcluded` says so.
  package mutating func removeAll(where isExcluded: (Int) -> Bool) {
    var kept: [Slot] = []
    kept.reserveCapacity(slots.count)
    for index in slots.indices where !isExcluded(index) { kept.append(slots[index]) }
    slots = kept
  }

  /// statx(2) of the names of a range, in order; links are not followed.
  ///
  /// `body` gets the index and the status, or why there is none.
  package func forEachStatus(
    in directory: borrowing Descriptor, _ range: Range<Int>,
    _ body: (Int, FileStatus) -> Void, failed: (Int, Errno) -> Void
  ) {
    let number = directory.rawValue
    let flags = CLINUX_AT_SYMLINK_NOFOLLOW | CLINUX_AT_NO_AUTOMOUNT
    unsafe arena.withUnsafeBytes { bytes in
      guard let base = bytes.baseAddress else { return }
      for index in range {
        var raw = clinux_stat()
        let name = unsafe (base + Int(slots[index].start)).assumingMemoryBound(to: CChar.self)
        var status = unsafe clinux_statx(number, name, flags, &raw)
        while status != 0 && errno == EINTR {
          status = unsafe clinux_statx(number, name, flags, &raw)
        }
        if status == 0 { body(index, FileStatus(raw)) } else { failed(index, .current) }
      }
    }
  }

  private func nameBytes(at index: Int) -> ArraySlice<UInt8> {
    let slot = slots[index]
    return arena[Int(slot.start)..<(Int(slot.start) + Int(slot.length))]
  }

  /// struct linux_dirent64: d_ino 8, d_off 8, d_reclen 2, d_type 1, d_name, NUL.
  private mutating func append(_ bytes: UnsafeRawBufferPointer) throws(Errno) {
    guard let base = bytes.baseAddress else { return }
    var offset = 0
    while offset < bytes.count {
      let recordLength = Int(
        unsafe bytes.loadUnaligned(fromByteOffset: offset + 16, as: UInt16.self))
      let type = unsafe bytes[offset + 18]
      let name = unsafe (base + offset + 19).assumingMemoryBound(to: CChar.self)
      let length = unsafe strlen(name)
      offset += recordLength
      if unsafe name[0] == 0x2E && (length == 1 || (length == 2 && name[1] == 0x2E)) { continue }
      // Names of four gigabytes in one directory.
      guard let start = UInt32(exactly: arena.count) else { throw Errno(rawValue: EOVERFLOW) }
      unsafe arena.append(contentsOf: UnsafeRawBufferPointer(start: name, count: length + 1))
      slots.append(Slot(prefix: 0, start: start, length: UInt16(length), type: type))
    }
  }

  private mutating func sort() {
    let shared = sharedPrefixLength
    unsafe arena.withUnsafeBytes { bytes in
      guard let base = bytes.baseAddress else { return }
      for index in slots.indices {
        let slot = slots[index]
        var prefix: UInt64 = 0
        for place in shared..<(shared + 8) {
          let byte = place < Int(slot.length) ? unsafe bytes[Int(slot.start) + place] : 0
          prefix = prefix << 8 | UInt64(byte)
        }
        slots[index].prefix = prefix
      }
      // The NUL at each end makes strcmp(3), which compares unsigned bytes, the order of names.
      slots.sort { left, right in
        if left.prefix != right.prefix { return left.prefix < right.prefix }
        return unsafe strcmp(
          (base + Int(left.start)).assumingMemoryBound(to: CChar.self),
          (base + Int(right.start)).assumingMemoryBound(to: CChar.self)) < 0
      }
    }
    removeDuplicates()
  }

  private mutating func removeDuplicates() {
    var hasDuplicate = false
    for index in slots.indices.dropFirst()
    where slots[index].prefix == slots[index - 1].prefix
      && slots[index].length == slots[index - 1].length
      && nameBytes(at: index).elementsEqual(nameBytes(at: index - 1))
    {
      hasDuplicate = true
      break
    }
    if !hasDuplicate { return }
    let all = self
    removeAll { index in
      index > 0 && all.nameBytes(at: index).elementsEqual(all.nameBytes(at: index - 1))
    }
  }

  /// How many bytes all names begin with.
  private var sharedPrefixLength: Int {
    guard let first = slots.first else { return 0 }
    var shared = Int(first.length)
    for slot in slots {
      var length = 0
      let limit = min(shared, Int(slot.length))
      while length < limit,
        arena[Int(first.start) + length] == arena[Int(slot.start) + length]
      {
        length += 1
      }
      shared = length
      if shared == 0 { break }
    }
    return shared
  }
}
