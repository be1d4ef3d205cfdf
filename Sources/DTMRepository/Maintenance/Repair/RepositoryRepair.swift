package import DTMSystem
internal import SystemPackage

/// Mends a repository as far as what is left of it allows, and keeps everybody else from writing while
/// it lives: to look for lost content elsewhere.
///
/// Caches are dropped, damaged packs and segments of the ref log set aside in `trash/` (never deleted),
/// what is sound in them saved, the refs rebuilt where the log does not tell them. Synchronous. Can be
/// cut off at any moment and done again.
package final class RepositoryRepair {
  /// What the records that a repair writes say of it.
  package struct Context: Sendable {
    package let time: Timestamp
    package let pid: Int32
    package let uid: UInt32

    package init(time: Timestamp, pid: Int32 = 0, uid: UInt32 = 0) {
      self.time = time
      self.pid = pid
      self.uid = uid
    }
  }

  package let report: RepairReport
  /// Open, as it is after the repair.
  package let repository: Repository
  package let captureLock: CaptureLock
  private let epochs: [EpochLock]
  private let collectLock: CollectLock

  /// Repairs the repository beneath `files`; after return that is durable.
  ///
  /// Takes the lock of capturers and that of all sessions. Throws `.locked` when somebody captures or
  /// writes, `.notFound` when there is no repository, `.unsupportedVersion` when this program must not
  /// write it, `.corrupt` when not even `format.json` can be had back.
  package init(
    _ files: any FileOperations, _ context: Context
  ) throws(RepositoryError) {
    var run = RepairRun(files, context)
    try run.makeDirectories()
    guard let capture = try CaptureLock.take(files) else {
      let holder = CaptureLock.holder(files).map { "process \($0)" } ?? "another process"
      throw RepositoryError(
        .locked, "\(holder) is capturing the folder, or protects it", file: CaptureLock.name)
    }
    collectLock = try CollectLock(files)
    guard let epochs = try EpochLock.exclusive(files) else {
      throw RepositoryError(.locked, "another process is writing the repository", file: "locks")
    }
    captureLock = capture
    self.epochs = epochs
    repository = try run.repair()
    report = run.report
  }

  /// Begins to write, as `Repository.beginSession` does, which would wait for this repair to end.
  package func beginSession() throws(RepositoryError) -> WriteSession {
    _ = try repository.refresh()
    return try WriteSession(repository, epoch: epochs[epochs.count - 1])
  }
}
