internal import DTMConfiguration
internal import DTMFolder
internal import DTMRepository
internal import DTMSystem
internal import SystemPackage

/// Repairs the repository of a folder, which may be too damaged to be opened.
struct Repairing {
  /// What came of a repair.
  struct Result {
    let report: RepairReport
    let healed: [ObjectID]
    /// What is lost afterwards.
    let verification: Verification
    let remarks: [String]

    /// Snapshots that can't be read any more.
    var lostSnapshots: [ObjectID] {
      let known = report.lostSnapshots
      return known + verification.lostSnapshots.filter { !known.contains($0) }
    }

    var isNothingLost: Bool { verification.isSound && lostSnapshots.isEmpty }
  }

  private let invocation: Invocation

  init(_ invocation: Invocation) {
    self.invocation = invocation
  }

  /// Repairs, or finds out what a repair would do.
  func run(isDryRun: Bool) throws -> Result {
    let location = try FolderFinder(invocation: invocation).find()
    if try PathStatus.of(location.repository) != nil {
      try FolderArgument.assumeOwner(of: location.repository, invocation)
    }
    let repair = try invocation.progress.during("checking the repository") {
      try open(location, isDryRun: isDryRun)
    }
    let (healing, remark) = try invocation.progress.during("looking for what is lost") {
      try heal(location, with: repair, isDryRun: isDryRun)
    }
    return Result(
      report: repair.report, healed: healing.healed, verification: healing.verification,
      remarks: repair.report.remarks + (remark.map { [$0] } ?? []))
  }

  private func open(
    _ location: FolderLocation, isDryRun: Bool
  ) throws(CommandFailure) -> RepositoryRepair {
    let place = Quoting.path(location.repository)
    let files: any FileOperations
    do throws(Errno) {
      let real = try SystemFileOperations(path: location.repository)
      files = isDryRun ? OverlayFileOperations(over: real) : real
    } catch { throw CommandFailure(error, "open \(place)") }
    let context = RepositoryRepair.Context(
      time: invocation.time.now(), pid: ProcessSignals.processID, uid: invocation.user)
    do throws(RepositoryError) { return try RepositoryRepair(files, context) } catch {
      switch error.code {
      case .locked:
        throw CommandFailure(
          .busy, "the repository can't be repaired now: \(error.message)",
          hint: "stop who writes it (systemctl stop dtmd), then run it again")
      case .notFound:
        throw CommandFailure(
          .notFound, "there is no repository at \(place)", details: [error.message])
      default: throw CommandFailure(error)
      }
    }
  }

  /// What the folder gives back; the remark says why it was not asked.
  private func heal(
    _ location: FolderLocation, with repair: RepositoryRepair, isDryRun: Bool
  ) throws -> (HealingOutcome, remark: String?) {
    do {
      let id =
        try location.folderID
        ?? FolderAccess.onlyFolder(of: repair.repository, at: location.repository)
      let patterns =
        try DaemonConfigurations(invocation).folder(holding: location.folder)?.ignore ?? []
      let folder = try Folder(
        at: location.folder, id: id, repository: repair.repository,
        repositoryPath: location.repository, ignoring: patterns)
      return (try folder.heal(with: repair, isDryRun: isDryRun), nil)
    } catch let error as FolderError where error.code == .held {
      return (try verified(repair), "the folder was not asked for what is lost: \(error.message)")
    } catch let failure as CommandFailure where failure.code == .notFound {
      return (try verified(repair), "the folder was not asked for what is lost: \(failure.message)")
    }
  }

  private func verified(_ repair: RepositoryRepair) throws -> HealingOutcome {
    HealingOutcome(verification: try Folder.verification(repair.repository))
  }
}
