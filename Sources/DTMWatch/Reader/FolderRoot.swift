internal import DTMSystem
internal import SystemPackage

/// The place of the protected folder, and which directory is there.
struct FolderRoot: Sendable {
  let path: FilePath

  /// One directory, wherever it is moved.
  struct Identity: Sendable, Equatable {
    let device: UInt64
    let inode: UInt64
    /// An inode number is soon given out again: ext4 gives a removed directory's to the next one.
    let birth: FileTime?
    let fileSystem: FileSystemIdentity

    func isSameDirectory(as other: Identity) -> Bool {
      device == other.device && inode == other.inode && birth == other.birth
    }

    /// A device number may change when a disk is mounted again; the file system's own does not.
    func isSameFileSystem(as other: Identity) -> Bool {
      device == other.device || fileSystem.identity == other.fileSystem.identity
    }
  }

  /// What is at the path.
  enum Look: Sendable {
    case directory(Identity)
    case missing
    case notDirectory
    case unreadable(Errno)
  }

  /// Opens the directory for reaching what is beneath; while it is open, its file system cannot be
  /// unmounted.
  func open() throws(Errno) -> Descriptor {
    try Descriptor.open(path, [.path, .directory])
  }

  func identity(of directory: borrowing Descriptor) throws(Errno) -> Identity {
    let status = try directory.status()
    return Identity(
      device: status.device, inode: status.inode, birth: try directory.birthTime(),
      fileSystem: try directory.fileSystem())
  }

  /// Looks what is there now.
  func look() -> Look {
    do throws(Errno) {
      return .directory(try identity(of: try open()))
    } catch .noSuchFileOrDirectory {
      return .missing
    } catch .notDirectory {
      return .notDirectory
    } catch {
      return .unreadable(error)
    }
  }

  /// Whether there is anything in it that is not excluded.
  func hasContent(_ isExcluded: (PathKey, Bool) -> Bool) throws(Errno) -> Bool {
    var found = false
    try Descriptor.open(path, [.readOnly, .directory]).forEachEntry { entry throws(Errno) in
      let key = PathKey.root.appending(entry.name)
      if !found, !isExcluded(key, entry.kind == .directory) { found = true }
    }
    return found
  }

  /// The directories above it, from the outermost on.
  var outerDirectories: [FilePath] {
    var result: [FilePath] = []
    var current = path
    while current.removeLastComponent() { result.append(current) }
    return result.reversed()
  }
}
