internal import DTMSystem
internal import SystemPackage

/// Where large files that somebody writes are cloned to, to be read whole: into a file without a name,
/// on the folder's file system but in no directory that is watched, or each reading would be a change.
final class CloneHome {
  private let places: [FilePath]
  private var directory: OpenEntry?
  /// No place is of use.
  private var isUseless: Bool

  /// `places`: the first that can be cloned to is used.
  init(_ places: [FilePath], on fileSystem: FileSystemType) {
    self.places = places
    isUseless = !fileSystem.sharesBlocks
  }

  /// A clone of a file as it is at one moment, between two write(2); nil where none can be had.
  func clone(of file: borrowing Descriptor, _ calls: SystemCalls) -> OpenEntry? {
    if isUseless { return nil }
    for place in places {
      do throws(Errno) {
        let found: OpenEntry
        if let directory {
          found = directory
        } else {
          found = OpenEntry(try Descriptor.open(place, [.readOnly, .directory]))
        }
        let clone = try Self.clone(of: file, in: found.descriptor, calls)
        directory = found
        return clone
      } catch {
        // Once it has worked, or where it is for the file (one without checksums on btrfs, say), the
        // next file may be luckier.
        if directory != nil || error == .invalidArgument { return nil }
      }
    }
    isUseless = true
    return nil
  }

  private static func clone(
    of file: borrowing Descriptor, in directory: borrowing Descriptor, _ calls: SystemCalls
  ) throws(Errno) -> OpenEntry {
    calls.add(2)
    let unnamed = try directory.open(
      [UInt8(ascii: ".")], OpenFlags.readWrite.union(.unnamed), mode: 0o600)
    try unnamed.clone(from: file)
    return OpenEntry(unnamed)
  }
}
