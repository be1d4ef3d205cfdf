internal import Glibc
internal import SystemPackage

/// Which file: its file system's device, as `FileStatus` has it, and its inode.
package struct FileIdentity: Hashable, Sendable {
  /// As `FileStatus` has it.
  package let device: UInt64
  /// Of one device.
  package let inode: UInt64

  /// Of the file that a status is of.
  package init(_ status: FileStatus) {
    device = status.device
    inode = status.inode
  }
}

/// A process that has a file open for writing.
package struct FileWriter: Hashable, Sendable {
  /// Of the process.
  package let pid: Int32
  /// As `ps` names it.
  package let name: String

  /// Nothing is looked up.
  package init(pid: Int32, name: String) {
    self.pid = pid
    self.name = name
  }
}

/// Finds who has files open for writing, as far as `/proc` tells it this user.
package enum FileWriters {
  private static let nameLimit = 64
  private static let infoLimit = 4096

  /// The writers of each file that has one, ascending by pid: one look at all processes but this one.
  ///
  /// Others' processes can be looked into by root only; a file that is written through a mapping alone
  /// is not found.
  package static func find(_ files: Set<FileIdentity>) -> [FileIdentity: [FileWriter]] {
    var found: [FileIdentity: [FileWriter]] = [:]
    if files.isEmpty { return found }
    let own = getpid()
    do throws(Errno) {
      let processes = try Descriptor.open("/proc", [.readOnly, .directory])
      let listing = try DirectoryListing(reading: processes)
      var pids: [Int32] = []
      for index in 0..<listing.count {
        if let pid = Int32(String(decoding: listing.name(at: index), as: UTF8.self)), pid != own {
          pids.append(pid)
        }
      }
      for pid in pids.sorted() {
        for file in written(by: pid, files, processes) {
          found[file, default: []].append(FileWriter(pid: pid, name: name(of: pid, processes)))
        }
      }
    } catch {
      // Without /proc nobody is known.
      return found
    }
    return found
  }

  private static func written(
    by pid: Int32, _ files: Set<FileIdentity>, _ processes: borrowing Descriptor
  ) -> Set<FileIdentity> {
    var written: Set<FileIdentity> = []
    do throws(Errno) {
      let process = try processes.open(Array("\(pid)".utf8), [.path, .directory])
      let descriptors = try process.open(Array("fd".utf8), [.readOnly, .directory])
      let listing = try DirectoryListing(reading: descriptors)
      for index in 0..<listing.count {
        let number = listing.name(at: index)
        do throws(Errno) {
          // Such a link leads to the file itself, whatever its name is now.
          let file = FileIdentity(try descriptors.open(number, [.path]).status())
          guard files.contains(file), !written.contains(file) else { continue }
          let info = try process.open(Array("fdinfo/".utf8) + number, [.readOnly])
            .readToEnd(limit: infoLimit)
          if writes(info) { written.insert(file) }
        } catch { continue }
      }
    } catch {
      // Gone, or another's.
      return written
    }
    return written
  }

  /// Whether the flags in a descriptor's facts (octal) allow writing.
  private static func writes(_ info: [UInt8]) -> Bool {
    for line in String(decoding: info, as: UTF8.self).split(separator: "\n") {
      guard line.hasPrefix("flags:") else { continue }
      let digits = line.dropFirst(6).filter { $0.isNumber }
      return (Int32(digits, radix: 8) ?? 0) & O_ACCMODE != O_RDONLY
    }
    return false
  }

  private static func name(of pid: Int32, _ processes: borrowing Descriptor) -> String {
    do throws(Errno) {
      let bytes = try processes.open(Array("\(pid)/comm".utf8), [.readOnly])
        .readToEnd(limit: nameLimit)
      return String(decoding: bytes.filter { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    } catch { return "?" }
  }
}
