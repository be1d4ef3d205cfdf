internal import CLinux
internal import Glibc
internal import SystemPackage

/// The process's memory.
package enum ProcessMemory {
  /// Gives memory back to the kernel that work needed which comes seldom: heap that was freed and that
  /// the allocator keeps for later, and mapped pages of code. Code that is reached again is mapped again
  /// from the page cache, at about a microsecond a page. A few milliseconds for each 100 MiB.
  package static func trim() {
    _ = clinux_trim_heap()
    do throws(Errno) {
      let maps = try Descriptor.open("/proc/self/maps", .readOnly).readToEnd(limit: 1 << 20)
      for line in maps.split(separator: UInt8(ascii: "\n")) { releaseCode(line) }
    } catch {
      // Without /proc the pages stay; the kernel takes them when it is short of memory.
    }
  }

  /// Lets go of the pages of one mapping, if it is code of a file: such pages are never written to, so
  /// that the file has all that is in them.
  private static func releaseCode(_ line: ArraySlice<UInt8>) {
    // 7f0000000000-7f0000001000 r-xp 00000000 08:01 1234   /usr/lib/…
    let fields = line.split(separator: UInt8(ascii: " "), maxSplits: 5)
    guard fields.count == 6, fields[1].elementsEqual("r-xp".utf8),
      fields[5].drop(while: { $0 == UInt8(ascii: " ") }).first == UInt8(ascii: "/")
    else { return }
    let ends = fields[0].split(separator: UInt8(ascii: "-")).map {
      UInt(String(decoding: $0, as: UTF8.self), radix: 16) ?? 0
    }
    guard ends.count == 2, ends[0] < ends[1],
      let start = unsafe UnsafeMutableRawPointer(bitPattern: ends[0])
    else { return }
    // Advice that is refused changes nothing.
    unsafe madvise(start, Int(ends[1] - ends[0]), Int32(MADV_DONTNEED))
  }
}
