internal import CLinux
internal import Glibc
package import SystemPackage

/// The page cache, as far as one file is in it.
extension Descriptor {
  /// Below this, a file that can't be asked for at little cost is not asked for.
  private static let worthMapping = 128 << 10

  /// The ranges of a part of this file that are not in the page cache, in order; none where that can't
  /// be told (the kernel tells it to a file's owner and to who may write it).
  ///
  /// One call where all of it is there or none; three more where some is.
  package func rangesNotCached(_ range: Range<Int>) -> [Range<Int>] {
    let page = Int(sysconf(Int32(_SC_PAGESIZE)))
    let start = range.lowerBound / page * page
    let count = (range.upperBound - start + page - 1) / page
    var cached: UInt64 = 0
    if unsafe clinux_cached_pages(
      rawValue, UInt64(start), UInt64(range.upperBound - start), &cached) == 0
    {
      if cached == 0 { return [start..<range.upperBound] }
      if cached >= count { return [] }
    } else if range.count < Self.worthMapping {
      // Before Linux 6.5 there is mincore(2) alone.
      return []
    }
    return missingPages(start, count, page).map {
      start + $0.lowerBound * page..<min(range.upperBound, start + $0.upperBound * page)
    }
  }

  private func missingPages(_ start: Int, _ count: Int, _ page: Int) -> [Range<Int>] {
    // Nothing is read through the mapping, so that a file that is cut meanwhile raises no SIGBUS.
    let address = unsafe mmap(nil, count * page, PROT_READ, MAP_SHARED, rawValue, off_t(start))
    guard let address = unsafe address, unsafe address != MAP_FAILED else { return [] }
    defer { unsafe munmap(address, count * page) }
    var isThere = [UInt8](repeating: 1, count: count)
    let status = unsafe isThere.withUnsafeMutableBufferPointer { buffer in
      guard let base = buffer.baseAddress else { return Int32(-1) }
      return unsafe mincore(address, count * page, base)
    }
    if status != 0 { return [] }
    var missing: [Range<Int>] = []
    var index = 0
    while let first = isThere[index...].firstIndex(where: { $0 & 1 == 0 }) {
      let end = isThere[first...].firstIndex { $0 & 1 == 1 } ?? count
      missing.append(first..<end)
      index = end
    }
    return missing
  }

  /// Takes a range of this file out of the page cache, but for what is dirty
  /// (`POSIX_FADV_DONTNEED`).
  package func forgetCached(_ range: Range<Int>) {
    // Advice: what the kernel does with it is its own business.
    _ = posix_fadvise(
      rawValue, off_t(range.lowerBound), off_t(range.count), POSIX_FADV_DONTNEED)
  }

  /// Has the kernel begin to write what is dirty of this file, and does not wait (`SYNC_FILE_RANGE_WRITE`).
  ///
  /// Before a row of fsync(2): the first one's commit of the file system's journal then holds the blocks of
  /// all, instead of a commit for each.
  package func startWriting() {
    // Only haste: what it can't do, fsync(2) does.
    _ = clinux_start_writing(rawValue)
  }

  /// Gives a range's blocks back: it reads as zeros, and the file's size stays (`FALLOC_FL_PUNCH_HOLE`).
  ///
  /// Throws `.notSupportedOnSocket` (`EOPNOTSUPP`) where the file system has no holes.
  package func punchHole(_ range: Range<Int>) throws(Errno) {
    let descriptor = rawValue
    let mode = CLINUX_FALLOC_FL_PUNCH_HOLE | CLINUX_FALLOC_FL_KEEP_SIZE
    _ = try retrying {
      clinux_fallocate(descriptor, mode, Int64(range.lowerBound), Int64(range.count))
    }
  }

  /// Makes this empty file share all blocks of another on the same file system (`FICLONE`): no write(2)
  /// of the other is seen in part.
  package func clone(from source: borrowing Descriptor) throws(Errno) {
    if clinux_clone(rawValue, source.rawValue) != 0 { throw .current }
  }
}
