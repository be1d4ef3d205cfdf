package import DTMRepository
internal import DTMSystem
package import SystemPackage

/// Where a folder is, and where its repository.
package struct FolderLocation: Sendable, Hashable {
  /// The name of the repository, or of the pointer to it, in the folder.
  package static let repositoryName = ".dtm"

  /// Absolute.
  package let folder: FilePath
  /// Absolute: `folder/.dtm`, or elsewhere.
  package let repository: FilePath
  /// As a pointer file or the configuration says it; nil where the repository's only folder is meant.
  package let folderID: PackID?

  package init(folder: FilePath, repository: FilePath, folderID: PackID?) {
    self.folder = folder
    self.repository = repository
    self.folderID = folderID
  }

  package var isInside: Bool { repository == folder.appending(Self.repositoryName) }

  /// The nearest ancestor of an absolute directory (itself first) that has a `.dtm`; nil when none has.
  ///
  /// Throws `.corrupt` for a `.dtm` that is neither a directory nor a pointer, `.permissionDenied`
  /// for one that belongs neither to the caller nor to root.
  package static func find(from directory: FilePath) throws(FolderError) -> FolderLocation? {
    var candidate = directory
    while true {
      if let found = try at(candidate) { return found }
      let parent = candidate.removingLastComponent()
      if parent == candidate || candidate.components.isEmpty { return nil }
      candidate = parent
    }
  }

  /// The location of exactly this folder; nil where it has no `.dtm`.
  package static func at(_ folder: FilePath) throws(FolderError) -> FolderLocation? {
    let entry = folder.appending(repositoryName)
    guard let status = try status(of: entry) else { return nil }
    let caller = ThreadIdentity.current.uid
    if status.uid != caller && status.uid != 0 && caller != 0 {
      throw FolderError(
        .permissionDenied,
        "\(entry) belongs to \(UserDirectory.name(ofUser: status.uid) ?? String(status.uid)), "
          + "neither to you nor to root",
        hint: "run dtm as its owner")
    }
    switch status.kind {
    case .directory: return FolderLocation(folder: folder, repository: entry, folderID: nil)
    case .file: return try pointer(openPointer(entry, status), folder: folder, entry: entry)
    case .symlink:
      throw FolderError(
        .permissionDenied, "\(entry) is a symbolic link; it is not followed",
        hint: "make it a directory, or a pointer by dtm init --repository PATH")
    default: throw FolderError(.corrupt, "\(entry) is neither a directory nor a pointer")
    }
  }

  /// How the entry itself looks, whoever may read it; nil where there is none.
  private static func status(of entry: FilePath) throws(FolderError) -> FileStatus? {
    do throws(Errno) {
      return try Descriptor.open(entry, [.path, .noFollow]).status()
    } catch {
      if error == .noSuchFileOrDirectory || error == .notDirectory { return nil }
      throw FolderError(error, "open", entry.string)
    }
  }

  /// Opens the file that was looked at, and no other that took its name since.
  private static func openPointer(
    _ entry: FilePath, _ status: FileStatus
  ) throws(FolderError) -> Descriptor {
    do throws(Errno) {
      let file = try Descriptor.open(entry, [.readOnly, .noFollow, .nonBlocking])
      let found = try file.status()
      if found.inode != status.inode || found.device != status.device || found.uid != status.uid {
        throw .noSuchFileOrDirectory
      }
      return file
    } catch {
      throw FolderError(error, "open", entry.string)
    }
  }

  private static func pointer(
    _ file: consuming Descriptor, folder: FilePath, entry: FilePath
  ) throws(FolderError) -> FolderLocation {
    let bytes: [UInt8]
    do throws(Errno) { bytes = try file.readToEnd(limit: 64 << 10) } catch {
      throw FolderError(error, "read", entry.string)
    }
    let node: JSONNode
    do throws(JSONSyntaxError) { node = try JSONNode(parsing: bytes) } catch {
      throw FolderError(
        .corrupt, "\(entry) is no pointer to a repository: \(error.message)",
        hint: "write it anew: dtm init --repository PATH")
    }
    guard let path = node["repository"]?.string, path.hasPrefix("/"),
      let id = node["folder"]?.string.flatMap(PackID.init(hex:))
    else {
      throw FolderError(
        .corrupt, "\(entry) lacks the repository's absolute path or the folder's id",
        hint: "write it anew: dtm init --repository PATH")
    }
    return FolderLocation(folder: folder, repository: FilePath(path), folderID: id)
  }

  /// The bytes of the pointer file that stands in the folder when the repository is elsewhere.
  package static func pointer(to repository: FilePath, folder: PackID) -> [UInt8] {
    var writer = JSONWriter()
    writer.object { writer in
      writer.field("repository", repository.string)
      writer.field("folder", folder.hex)
    }
    return writer.bytes + [UInt8(ascii: "\n")]
  }
}
