internal import DTMConfiguration
internal import DTMFolder
internal import DTMSystem
internal import SystemPackage

/// Finds the data folder that a command is about.
struct FolderFinder {
  let invocation: Invocation

  /// The folder: the one that `-C` or `DTM_FOLDER` names, or the nearest around the working
  /// directory; one that is gone is found in the daemon's configuration.
  func find() throws -> FolderLocation {
    if let named = invocation.folderOption ?? invocation.environment["DTM_FOLDER"], !named.isEmpty {
      return try find(named: named)
    }
    let start = try invocation.workingDirectory()
    if let found = try FolderLocation.find(from: start) { return found }
    if let found = try configured(holding: start) { return found }
    throw CommandFailure(
      .notFound, "there is no repository in \(Quoting.path(start)) or above it",
      hint: "dtm init makes one; -C DIR names another folder")
  }

  private func find(named name: String) throws -> FolderLocation {
    let given = try invocation.absolute(name)
    let path = try PathStatus.canonical(given)
    if let path, let found = try FolderLocation.find(from: path) { return found }
    // Gone, or without its .dtm: the configuration may know it.
    if let found = try configured(holding: path ?? given) { return found }
    guard path == nil else {
      throw CommandFailure(
        .notFound, "there is no repository in \(Quoting.path(given)) or above it",
        hint: "dtm init \(Quoting.shell(given)) makes one")
    }
    throw CommandFailure(
      .notFound, "there is no folder \(Quoting.path(given)), and the configuration knows none there"
    )
  }

  /// The folder of the daemon's configuration that is, or holds, a path.
  private func configured(holding path: FilePath) throws -> FolderLocation? {
    guard let folder = try DaemonConfigurations(invocation).folder(holding: path) else {
      return nil
    }
    if let repository = folder.repository {
      return FolderLocation(folder: folder.path, repository: repository, folderID: nil)
    }
    return try FolderLocation.at(folder.path)
  }
}

extension Quoting {
  /// A path for people.
  static func path(_ path: FilePath) -> String { Quoting.path(path.bytes) }
}
