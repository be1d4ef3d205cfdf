package import DTMConfiguration
internal import DTMFolder
internal import DTMRepository
package import DTMSystem
internal import SystemPackage

/// Opens the engines of real repositories.
package struct RepositoryEngines: FolderEngines {
  package init() {}

  /// Looked at as the daemon's user; nothing of the folder's content is read.
  package func owner(
    of folder: FolderConfiguration
  ) throws(FolderEngineError) -> FolderOwner {
    let location = try RepositoryEngines.location(of: folder)
    let repository = try RepositoryEngines.status(of: location.repository, location)
    if folder.repository == nil, !location.isInside {
      // Whoever may write the folder may write its pointer: it must not lead the daemon to act on
      // the repository of somebody else.
      let pointer = try RepositoryEngines.status(
        of: folder.path.appending(FolderLocation.repositoryName), location)
      if pointer.uid != 0, pointer.uid != repository.uid {
        throw FolderEngineError(
          .permissionDenied,
          "the pointer in \(Quoting.path(folder.path)) belongs to another user than"
            + " the repository \(Quoting.path(location.repository)) that it names")
      }
    }
    return FolderOwner(uid: repository.uid, gid: repository.gid)
  }

  package func open(
    _ folder: FolderConfiguration, progress: WorkProgress
  ) throws(FolderEngineError) -> any FolderEngine {
    try RepositoryEngine(folder, RepositoryEngines.location(of: folder), progress: progress)
  }

  private static func location(
    of folder: FolderConfiguration
  ) throws(FolderEngineError) -> FolderLocation {
    if let repository = folder.repository {
      return FolderLocation(folder: folder.path, repository: repository, folderID: nil)
    }
    do throws(FolderError) {
      if let location = try FolderLocation.at(folder.path) { return location }
    } catch {
      throw FolderEngineError(error)
    }
    let path = Quoting.path(folder.path)
    do throws(Errno) { _ = try Descriptor.open(folder.path, .path) } catch {
      throw FolderEngineError(
        .unavailable,
        error == .noSuchFileOrDirectory
          ? "there is no folder \(path): mount its disk, or take it out of the configuration"
          : "the folder \(path) can't be looked at: \(error)")
    }
    throw FolderEngineError(
      .unavailable,
      "\(path) has no repository; make one with dtm init \(Quoting.shell(folder.path)),"
        + " or say where it is in the configuration")
  }

  /// `path`: of the repository, or of the pointer to it.
  private static func status(
    of path: FilePath, _ location: FolderLocation
  ) throws(FolderEngineError) -> FileStatus {
    let place = Quoting.path(path)
    do throws(Errno) {
      return try Descriptor.open(path, .path).status()
    } catch .noSuchFileOrDirectory {
      throw FolderEngineError(
        .unavailable,
        "there is no repository at \(place): mount its disk, or make a new one:"
          + " dtm init \(Quoting.shell(location.folder)) --repository \(Quoting.shell(path))")
    } catch {
      throw FolderEngineError(
        .unavailable, "the repository \(place) can't be looked at: \(error)")
    }
  }
}

extension FolderEngineError {
  /// What the folder's engine threw, for the daemon.
  init(_ error: FolderError) {
    let code: Code =
      switch error.code {
      case .refused: .refused
      case .busy: .locked
      case .noSpace: .noSpace
      case .permissionDenied: .permissionDenied
      case .notFound, .held, .corrupt, .unsupportedVersion: .unavailable
      default: .failed
      }
    self.init(code, error.message, path: error.path.map { Quoting.path($0) })
  }
}
