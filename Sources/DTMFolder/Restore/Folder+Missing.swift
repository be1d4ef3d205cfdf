package import DTMRepository
internal import DTMSystem
internal import SystemPackage

extension Folder {
  /// Brings a folder back that is gone as a whole, its repository being elsewhere.
  ///
  /// Makes the folder's directory again, beneath a parent that must be there, with the pointer to its
  /// repository; then restores as asked (`.newest`: the head). Nothing can be lost, so there is no safety
  /// snapshot of deletions. A dry run, or a destination elsewhere, leaves the folder gone. Throws
  /// `.exists` where something is at the path.
  package static func restoreMissing(
    _ location: FolderLocation, id: PackID, repository: Repository,
    ignoring patterns: [String] = [], environment: CaptureEnvironment = .system(),
    _ wanted: RestoreRequest, recorder: (any RestoreRecorder)? = nil
  ) throws(FolderError) -> RestoreOutcome {
    var request = wanted
    let history = try History(repository, folder: id)
    if request.isDryRun || request.destination != nil {
      return try regardMissing(
        request, repository, id, head: history.head, progress: environment.progress)
    }
    if case .newest = request.target {
      guard let head = history.head else {
        throw FolderError(.notFound, "no snapshot holds \(location.folder)")
      }
      request.target = .snapshot(try history.snapshot(head))
    }
    do throws(Errno) {
      // The mode that it had comes with its content.
      try Descriptor.makeDirectory(at: location.folder, mode: 0o700)
      if !location.isInside {
        let directory = try Descriptor.open(location.folder, [.readOnly, .directory, .noFollow])
        let pointer = try directory.open(
          repositoryName, [.writeOnly, .create, .exclusive, .noFollow], mode: 0o644)
        try pointer.write(FolderLocation.pointer(to: location.repository, folder: id), at: 0)
        try pointer.synchronize()
        try directory.synchronize()
      }
    } catch {
      throw FolderError(error, "create", location.folder.string)
    }
    let folder = try Folder(
      at: location.folder, id: id, repository: repository, repositoryPath: location.repository,
      ignoring: patterns, environment: environment)
    request.takesSafetySnapshot = false
    request.isAnew = true
    return try folder.restore(request, recorder: recorder)
  }

  /// What touches nothing at the folder's place: the plan, or paths laid out elsewhere.
  private static func regardMissing(
    _ request: RestoreRequest, _ repository: Repository, _ id: PackID, head: ObjectID?,
    progress: WorkProgress
  ) throws(FolderError) -> RestoreOutcome {
    let prospector = RestoreProspector(repository: repository, id: id, root: nil)
    if let destination = request.destination {
      return try StateLayOut(prospector, request, head: head, progress: progress)
        .run(in: destination) { () throws(FolderError) in try prospector.emptyTree() }
    }
    return RestoreOutcome().merging(
      try prospector.prospect(request, from: try prospector.emptyTree(), head: head))
  }
}
