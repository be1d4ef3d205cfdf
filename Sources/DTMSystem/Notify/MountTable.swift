internal import Glibc
package import SystemPackage

/// The mount points that the calling thread sees (`/proc/thread-self/mountinfo`).
package final class MountTable: Sendable {
  private let table: Descriptor

  /// Opens the table. Throws `.noSuchFileOrDirectory` where /proc is not mounted.
  package init() throws(Errno) {
    table = try Descriptor.open("/proc/thread-self/mountinfo", .readOnly)
  }

  /// `Poll` reports this descriptor as `hungUp` once after each change of the mounts.
  package var descriptor: Int32 { table.rawValue }

  /// The mount points beneath a directory, relative to it; the directory itself is left out.
  ///
  /// `directory`: absolute, without links, as the kernel tells it.
  package static func mountPoints(beneath directory: [UInt8]) throws(Errno) -> [PathKey] {
    let prefix = directory == [UInt8(ascii: "/")] ? directory : directory + [UInt8(ascii: "/")]
    // A second read through one descriptor would begin where the first ended.
    let text = try Descriptor.open("/proc/thread-self/mountinfo", .readOnly).readStream()
    var keys: Set<PathKey> = []
    for line in text.split(separator: UInt8(ascii: "\n")) {
      // Fields (proc(5)): mount id, parent id, major:minor, root, mount point, …
      let fields = line.split(separator: UInt8(ascii: " "), maxSplits: 5)
      guard fields.count > 4 else { continue }
      let point = unescaped(fields[4])
      guard point.starts(with: prefix),
        let key = PathKey(path: Array(point[prefix.count...]))
      else { continue }
      if !key.isRoot { keys.insert(key) }
    }
    return keys.sorted()
  }

  /// Blanks and backslashes stand as `\ooo`, three octal digits.
  static func unescaped(_ field: ArraySlice<UInt8>) -> [UInt8] {
    var result: [UInt8] = []
    var rest = field
    while let byte = rest.popFirst() {
      let digits = rest.prefix(3)
      if byte == UInt8(ascii: "\\"), digits.count == 3,
        digits.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "7")).contains($0) })
      {
        result.append(digits.reduce(0) { $0 &* 8 &+ ($1 - UInt8(ascii: "0")) })
        rest = rest.dropFirst(3)
      } else {
        result.append(byte)
      }
    }
    return result
  }
}

extension Descriptor {
  /// Reads at the file's position into the array, as much as it holds; 0 at the end.
  package func read(into bytes: inout [UInt8]) throws(Errno) -> Int {
    var span = bytes.mutableSpan
    return try unsafe span.withUnsafeMutableBytes { buffer throws(Errno) in
      try unsafe read(into: buffer)
    }
  }

  /// All that the file's position on gives, for files of /proc whose length is not known.
  package func readStream() throws(Errno) -> [UInt8] {
    var result: [UInt8] = []
    var part = [UInt8](repeating: 0, count: 16 * 1024)
    while true {
      let count = try read(into: &part)
      if count == 0 { return result }
      result += part[..<count]
    }
  }

  /// The path of this open file as the kernel has it now (`/proc/self/fd`); a removed file's ends
  /// with " (deleted)". At most 4095 bytes.
  package func currentPath() throws(Errno) -> [UInt8] {
    let link = Array("/proc/self/fd/\(rawValue)".utf8)
    var bytes = [UInt8](repeating: 0, count: 4096)
    let count = try unsafe withCString(of: link) { pointer throws(Errno) in
      var span = bytes.mutableSpan
      return try unsafe span.withUnsafeMutableBytes { buffer throws(Errno) in
        guard let base = buffer.baseAddress else { throw .noMemory }
        return try retrying { unsafe readlink(pointer, base, buffer.count) }
      }
    }
    return Array(bytes[..<count])
  }
}
