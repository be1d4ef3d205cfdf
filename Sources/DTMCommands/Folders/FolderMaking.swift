internal import DTMFolder
internal import DTMRepository
internal import DTMSystem
internal import SystemPackage

/// Makes the repository of a folder.
///
/// Call on a thread that has the identity which is to own it.
struct FolderMaking {
  /// What came of it.
  struct Result: Sendable {
    let location: FolderLocation
    let id: PackID
    /// False where there was one already.
    let isCreated: Bool
  }

  static let usualBranch = "main"
  /// A repository holds copies of everything: it is its owner's alone.
  private static let repositoryMode: UInt32 = 0o700
  private static let pointerMode: UInt32 = 0o644

  /// Absolute, without links.
  let folder: FilePath
  /// Where the repository is to be; nil: in the folder.
  let repository: FilePath?
  /// The first branch; nil: the usual one.
  let branch: String?
  let time: any TimeSource

  /// Makes it, or finds the one that is there.
  ///
  /// Throws `.exists` where there is one that is another than was asked for.
  func make() throws -> Result {
    if let branch { try RefNames.check(branch, "branch") }
    if let location = try existing() { return try found(location) }
    let place = repository ?? folder.appending(FolderLocation.repositoryName)
    try check(place)
    let id = PackID.random()
    let refs = FolderRefs(id)
    let files = try directory(place)
    let first = RecordDraft(
      kind: "init", summary: "made the repository of \(folder.string)",
      moves: [
        RefMove(ref: refs.head, old: nil, new: .name(branch ?? Self.usualBranch)),
        RefMove(ref: refs.root, old: nil, new: .name(folder.string)),
      ], pid: ProcessSignals.processID, uid: ThreadIdentity.current.uid)
    _ = try Repository.create(files, first: first, at: time.now())
    let location = FolderLocation(folder: folder, repository: place, folderID: id)
    if !location.isInside { try point(to: place, id) }
    return Result(location: location, id: id, isCreated: true)
  }

  // MARK: - What is there

  /// The repository that the folder has; nil also for one whose making was cut off.
  private func existing() throws -> FolderLocation? {
    guard let location = try FolderLocation.at(folder) else { return nil }
    if !location.isInside { return location }
    do throws(Errno) {
      _ = try Descriptor.open(location.repository.appending("format.json"), [.path])
      return location
    } catch {
      if error == .noSuchFileOrDirectory { return nil }
      throw CommandFailure(error, "open \(Quoting.path(location.repository))")
    }
  }

  private func found(_ location: FolderLocation) throws -> Result {
    if let repository, repository != location.repository {
      throw CommandFailure(
        .exists,
        "the repository of \(Quoting.path(folder)) is at \(Quoting.path(location.repository))",
        hint: "to move it: remove \(Quoting.path(folder.appending(FolderLocation.repositoryName)))"
          + " and run dtm init again; the history begins anew")
    }
    let opened = try Repository(at: location.repository)
    let id = try location.folderID ?? FolderAccess.onlyFolder(of: opened, at: location.repository)
    let history = try History(opened, folder: id)
    if let branch, branch != history.currentBranch {
      throw CommandFailure(
        .exists,
        "\(Quoting.path(folder)) has a repository already, on the branch \(history.currentBranch)",
        hint: "dtm checkout -b \(branch) makes another branch")
    }
    return Result(location: location, id: id, isCreated: false)
  }

  /// Says that the folder at this path is the one that the repository is about.
  func adopt(_ made: Result) throws {
    let opened = try Repository(at: made.location.repository)
    let history = try History(opened, folder: made.id)
    let root = history.refs.root
    let old = history.state.refs[root]
    if old == .name(folder.string) { return }
    let draft = RecordDraft(
      kind: "init", summary: "adopted \(folder.string)",
      moves: [RefMove(ref: root, old: old, new: .name(folder.string))],
      pid: ProcessSignals.processID, uid: ThreadIdentity.current.uid)
    _ = try opened.beginSession().commit(draft, at: time.now())
  }

  // MARK: - Making

  private func check(_ place: FilePath) throws(CommandFailure) {
    let own = folder.appending(FolderLocation.repositoryName)
    if place.starts(with: folder), place != own {
      throw CommandFailure(
        .invalidInput, "a repository can't lie in its folder: \(Quoting.path(place))",
        hint: "without --repository it is \(Quoting.path(own)), which is left out of snapshots")
    }
    if folder.starts(with: place) {
      throw CommandFailure(
        .invalidInput, "a folder can't lie in its repository: \(Quoting.path(place))")
    }
  }

  /// An empty directory for the repository, or one in which the same was cut off.
  private func directory(_ place: FilePath) throws -> SystemFileOperations {
    let files: SystemFileOperations
    do throws(Errno) {
      files = try DirectoryMaking.directory(place, mode: Self.repositoryMode)
    } catch {
      throw CommandFailure(error, "make \(Quoting.path(place))")
    }
    let names = try files.list("")
    if names.contains("format.json") {
      throw CommandFailure(
        .exists, "there is a repository already at \(Quoting.path(place))",
        hint: "name another place with --repository")
    }
    let leftovers = [
      "packs", "live", "refs", "index", "state", "journal", "trash", "locks", "config.json",
      "config.json.new", "format.json.new",
    ]
    if let stranger = names.first(where: { !leftovers.contains($0) }) {
      throw CommandFailure(
        .exists, "\(Quoting.path(place)) is not empty: \(Quoting.path(Array(stranger.utf8)))",
        hint: "name a new or empty directory")
    }
    return files
  }

  /// Leaves the file in the folder that says where its repository is.
  private func point(to place: FilePath, _ id: PackID) throws {
    let name = FolderLocation.repositoryName
    let temporary = name + ".new"
    do throws(Errno) {
      let files = SystemFileOperations(
        directory: try Descriptor.open(folder, [.readOnly, .directory]))
      do throws(Errno) { try files.remove(temporary) } catch {
        if error != .noSuchFileOrDirectory { throw error }
      }
      let file = try files.create(temporary, mode: Self.pointerMode)
      try file.write(FolderLocation.pointer(to: place, folder: id), at: 0)
      try file.synchronizeData()
      try files.rename(temporary, to: name)
      try files.synchronizeDirectory("")
    } catch {
      throw CommandFailure(error, "write \(Quoting.path(folder.appending(name)))")
    }
  }
}
