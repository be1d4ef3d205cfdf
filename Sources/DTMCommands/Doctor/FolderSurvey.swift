internal import DTMFolder
internal import DTMRepository
internal import DTMSystem
internal import SystemPackage

/// Finds the facts about one folder and its repository.
struct FolderSurvey {
  /// Counting is given up there: a million directories are counted in about a second.
  private static let directoryLimit = 1_000_000
  /// So many names are looked at for a file to try a lease on.
  private static let leaseTrials = 100

  let name: String
  let path: FilePath
  let isConfigured: Bool
  /// Where the configuration says that the repository is; nil for what the folder's `.dtm` says.
  let repository: FilePath?
  let user: UInt32

  func facts() -> FolderFacts {
    var facts = FolderFacts(name: name, path: path, isConfigured: isConfigured)
    do throws(Errno) {
      let directory = try Descriptor.open(path, [.readOnly, .directory])
      facts.fileSystem = try directory.fileSystemType()
      (facts.directories, facts.hasMoreDirectories) = Self.count(directory)
      facts.hasLeases = try Self.leases(in: directory)
    } catch {
      switch error {
      case .noSuchFileOrDirectory: facts.place = .missing
      case .notDirectory: facts.place = .notDirectory
      default: facts.place = .unreadable(error)
      }
    }
    if let location { facts.repository = survey(location) }
    return facts
  }

  private var location: FolderLocation? {
    if let found = try? FolderLocation.at(path) { return found }
    return repository.map { FolderLocation(folder: path, repository: $0, folderID: nil) }
  }

  /// The directories beneath one, itself too, as the daemon would watch them: on its file system,
  /// without the repository; those that are ignored are counted, as nobody knows the patterns here.
  private static func count(_ root: borrowing Descriptor) -> (count: Int, isCutOff: Bool) {
    var count = 0
    var pending: [[UInt8]] = [[]]
    let own = Array(FolderLocation.repositoryName.utf8)
    while let path = pending.popLast() {
      guard let directory = try? root.openDirectory(beneath: path) else { continue }
      count += 1
      if count == directoryLimit { return (count, true) }
      while let names = try? directory.nextSubdirectories() {
        for name in names where !(path.isEmpty && name == own) {
          pending.append(path.isEmpty ? name : path + [UInt8(ascii: "/")] + name)
        }
      }
    }
    return (count, false)
  }

  /// Whether the folder's file system has leases, by the first file that can be tried.
  private static func leases(in directory: borrowing Descriptor) throws(Errno) -> Bool? {
    let listing = try DirectoryListing(reading: directory)
    for index in 0..<min(listing.count, leaseTrials) where listing.kind(at: index) == .file {
      guard let file = try? directory.open(listing.name(at: index), [.readOnly, .noFollow]) else {
        continue
      }
      return try file.hasNoWriter() != nil
    }
    return nil
  }

  // MARK: - The repository

  private func survey(_ location: FolderLocation) -> RepositoryFacts {
    let path = location.repository
    let status: FileStatus
    do throws(Errno) {
      status = try Descriptor.open(path, [.path, .directory]).status()
    } catch {
      let isMissing = error == .noSuchFileOrDirectory || error == .notDirectory
      return RepositoryFacts(
        path: path, condition: isMissing ? .missing : .unreadable("\(error)"))
    }
    do throws(CommandFailure) {
      // As its owner, so that root reads nothing for others that they may not read.
      var facts = try AsOwner.run(status.uid, status.gid, processUser: user) {
        () throws(CommandFailure) in Self.look(location)
      }
      facts.permissions = status.permissions
      return facts
    } catch {
      return RepositoryFacts(path: path, condition: .unreadable(error.message))
    }
  }

  private static func look(_ location: FolderLocation) -> RepositoryFacts {
    var facts = RepositoryFacts(path: location.repository)
    do {
      let directory = try Descriptor.open(location.repository, [.readOnly, .directory])
      facts.fileSystem = try directory.fileSystemType()
      facts.space = try directory.space()
      facts.abilities = try? directory.abilities()
      let repository = try Repository(at: location.repository)
      let id =
        try location.folderID
        ?? FolderAccess.onlyFolder(of: repository, at: location.repository)
      let history = try History(repository, folder: id)
      facts.lastVerified = repository.lastVerified
      facts.newestSnapshot = try history.head.map { try history.snapshot($0).snapshot.time }
    } catch {
      let failure = CommandFailure(error)
      facts.condition =
        switch failure.code {
        case .corrupt: .damaged(failure.message)
        case .notFound where facts.fileSystem != nil: .damaged(failure.message)
        case .notFound: .missing
        default: .unreadable(failure.message)
        }
    }
    return facts
  }
}
