internal import Glibc
internal import SystemPackage

/// The files that processes have mapped shared and writable, as far as `/proc` tells it this user.
package struct SharedMappings: Sendable {
  private static let fileLimit = 64 << 20

  /// Inode numbers; those of several file systems may be the same.
  private var inodes: Set<UInt64> = []
  private var paths: [[UInt8]] = []

  /// Nothing is mapped.
  package init() {}

  /// Looks at all processes, this one too. Others' can be looked into by root only.
  package static func find() -> SharedMappings {
    var mappings = SharedMappings()
    do throws(Errno) {
      let processes = try Descriptor.open("/proc", [.readOnly, .directory])
      let listing = try DirectoryListing(reading: processes)
      for index in 0..<listing.count {
        let name = listing.name(at: index)
        guard name.allSatisfy({ (0x30...0x39).contains($0) }) else { continue }
        do throws(Errno) {
          let maps = try processes.open(name + Array("/maps".utf8), [.readOnly])
          mappings.add(try maps.readToEnd(limit: fileLimit))
        } catch {
          // Gone, or another's.
          continue
        }
      }
    } catch {
      // Without /proc nobody is known.
      return mappings
    }
    return mappings
  }

  /// Adds a process's: lines of range, rights, offset, device, inode and path.
  package mutating func add(_ maps: [UInt8]) {
    for line in maps.split(separator: UInt8(ascii: "\n")) {
      let fields = line.split(separator: UInt8(ascii: " "), maxSplits: 5)
      guard fields.count == 6, fields[1].count >= 4,
        fields[1].dropFirst().first == UInt8(ascii: "w"),
        fields[1].dropFirst(3).first == UInt8(ascii: "s")
      else { continue }
      if let inode = UInt64(String(decoding: fields[4], as: UTF8.self)) { inodes.insert(inode) }
      paths.append(Array(fields[5].drop { $0 == UInt8(ascii: " ") }))
    }
  }

  /// Whether a file may be one of them: by its inode, or by how its path ends.
  ///
  /// Both, for overlayfs tells here another number than to stat(2), where its layers are of several
  /// file systems.
  package func mayHold(inode: UInt64, path: [UInt8]) -> Bool {
    if inodes.contains(inode) { return true }
    let end = [UInt8(ascii: "/")] + path
    return paths.contains { $0.suffix(end.count).elementsEqual(end) }
  }
}
