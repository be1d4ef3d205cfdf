package import DTMSystem
package import SystemPackage

/// An open directory or file of the folder; closed with the last reference.
package final class OpenEntry: Sendable {
  package let descriptor: Descriptor

  init(_ descriptor: consuming Descriptor) {
    self.descriptor = descriptor
  }
}

/// The folder's own directory, opened once: everything in it is reached from here, beneath it, on
/// its mount, and never through a link.
package final class FolderRoot: Sendable {
  /// Path bytes that one system call gets; PATH_MAX is 4096.
  private static let pieceLimit = 3000

  private let directory: OpenEntry
  /// How the folder looked when it was opened.
  package let status: FileStatus
  package let fileSystem: FileSystemType
  package let calls: SystemCalls

  package init(_ path: FilePath, calls: SystemCalls = SystemCalls()) throws(Errno) {
    calls.add(3)
    let descriptor = try Descriptor.open(path, [.readOnly, .directory])
    status = try descriptor.status()
    fileSystem = try descriptor.fileSystemType()
    directory = OpenEntry(descriptor)
    self.calls = calls
  }

  /// The folder's device, which records hold as 0.
  var device: UInt64 { status.device }

  /// Whether this is the same directory, on the same mount.
  func isSame(as other: FolderRoot) -> Bool {
    status.inode == other.status.inode && status.device == other.status.device
      && status.mount == other.status.mount
  }

  /// Whether there is nothing in the folder, but for its own repository.
  func isEmpty() throws(Errno) -> Bool {
    calls.add(3)
    let listing = try DirectoryListing(reading: directory.descriptor)
    return listing.count == (listing.index(of: repositoryName) == nil ? 0 : 1)
  }

  /// How the folder itself looks now.
  func currentStatus() throws(Errno) -> FileStatus {
    calls.add()
    return try directory.descriptor.status()
  }

  /// Whether an entry stands for another mount.
  func isElsewhere(_ entry: FileStatus) -> Bool {
    if entry.mount == 0 || status.mount == 0 { return entry.device != status.device }
    return entry.mount != status.mount
  }

  /// Opens a directory by its key, however long.
  ///
  /// `expecting`: the inode it has to be; `.noSuchFileOrDirectory` when it is another.
  func openDirectory(
    _ key: PathKey, expecting: FileStatus? = nil
  ) throws(Errno) -> OpenEntry {
    if key.isRoot { return directory }
    var current = directory
    var rest = key.path[...]
    while !rest.isEmpty {
      var piece = rest
      if piece.count > Self.pieceLimit {
        let head = rest.prefix(Self.pieceLimit)
        // A name has at most 255 bytes, so there is a slash.
        guard let cut = head.lastIndex(of: UInt8(ascii: "/")) else { throw .fileNameTooLong }
        piece = rest[..<cut]
        rest = rest[(cut + 1)...]
      } else {
        rest = []
      }
      current = try openDirectory(Array(piece), in: current)
    }
    if let expecting {
      calls.add()
      let found = try current.descriptor.status()
      if found.inode != expecting.inode || found.device != expecting.device {
        throw .noSuchFileOrDirectory
      }
    }
    return current
  }

  /// Opens a directory beneath another.
  func openDirectory(_ name: [UInt8], in parent: OpenEntry) throws(Errno) -> OpenEntry {
    calls.add()
    return OpenEntry(
      try parent.descriptor.openOnSameMount(name, [.readOnly, .directory, .nonBlocking]))
  }

  /// How a name in a directory looks; nil when it is not there.
  func status(of name: [UInt8], in parent: OpenEntry) throws(Errno) -> FileStatus? {
    calls.add()
    do throws(Errno) {
      return try parent.descriptor.status(of: name)
    } catch .noSuchFileOrDirectory {
      return nil
    }
  }

  /// The patterns of a directory's ignore file; none where it has none, or one that can't be read
  /// (which the capture of the file reports).
  func scope(
    _ outer: IgnoreScope, in opened: OpenEntry, _ key: PathKey
  ) -> IgnoreScope {
    calls.add(4)
    do throws(Errno) {
      let file = try opened.descriptor.openOnSameMount(
        IgnoreScope.fileName, [.readOnly, .nonBlocking])
      guard try file.status().kind == .file else { return outer }
      return outer.entering(key, file: try file.read(at: 0, count: IgnoreScope.fileLimit))
    } catch {
      return outer
    }
  }
}

/// The name of a repository, or of the file that tells where it is.
let repositoryName = Array(".dtm".utf8)
