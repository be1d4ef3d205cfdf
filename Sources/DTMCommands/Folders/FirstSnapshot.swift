internal import DTMControl
internal import DTMFolder
internal import DTMRepository
internal import DTMSystem

/// The first snapshot of a folder that was just made, by whichever thread acts as its owner.
struct FirstSnapshot {
  let made: FolderMaking.Result
  let ignoring: [String]
  /// Who asks.
  let user: UInt32

  /// Takes it, unless there is a snapshot.
  func takeIfNone() throws {
    let repository = try Repository(at: made.location.repository)
    if try History(repository, folder: made.id).head != nil { return }
    let folder = try Folder(
      at: made.location.folder, id: made.id, repository: repository,
      repositoryPath: made.location.repository, ignoring: ignoring)
    var request = DTMFolder.SnapshotRequest(ChangeSet(basis: .scan), trigger: "manual")
    request.message = "first snapshot"
    request.ignoresHotLimit = true
    request.host = ProcessPlace.hostName
    request.user = UserDirectory.name(ofUser: user) ?? String(user)
    request.writerVersion = ProgramVersion.current
    _ = try folder.snapshot(request)
  }
}
