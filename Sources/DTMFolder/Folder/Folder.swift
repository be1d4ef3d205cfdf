package import DTMRepository
package import DTMSystem
package import SystemPackage

/// A data folder against its repository: takes snapshots of it, and tells what differs.
///
/// Synchronous; belongs to one thread at a time, which has the identity that may read the folder
/// and write the repository. The process ignores SIGIO
/// (`ProcessSignals.ignoreThoseOfFiles`), which a writer raises who comes while a lease is tested.
package final class Folder {
  /// The folder as it was opened last.
  package private(set) var root: FolderRoot
  /// Absolute.
  package let path: FilePath
  package let id: PackID
  package let repository: Repository
  package let environment: CaptureEnvironment
  /// What the folder looked like at its last snapshot; a cache.
  package let state: StateCache
  /// The configuration's ignore patterns.
  private let patterns: [String]
  /// Files that fit together only as they were at one moment.
  let groups: [FileGroup]
  private let repositoryPath: FilePath
  let scope: IgnoreScope
  private var held: CaptureLock?

  /// Opens a folder.
  ///
  /// `path`: absolute; `id`: the folder's in the repository; `repositoryPath`: where the state
  /// cache is kept, beneath `state/`. Throws `.held` where there is no folder at the path.
  package init(
    at path: FilePath, id: PackID, repository: Repository, repositoryPath: FilePath,
    ignoring patterns: [String] = [], together groups: [FileGroup] = [],
    environment: CaptureEnvironment = .system()
  ) throws(FolderError) {
    root = try Self.open(path, environment)
    self.path = path
    self.id = id
    self.repository = repository
    self.environment = environment
    self.patterns = patterns
    self.groups = groups
    self.repositoryPath = repositoryPath
    scope = IgnoreScope(configured: patterns)
    let database = repositoryPath.appending("state").appending(id.hex + ".sqlite")
    state = StateCache(path: database.bytes)
  }

  private static func open(
    _ path: FilePath, _ environment: CaptureEnvironment
  ) throws(FolderError) -> FolderRoot {
    do throws(Errno) {
      return try FolderRoot(path, calls: environment.calls)
    } catch {
      if error == .noSuchFileOrDirectory || error == .notDirectory {
        throw FolderError(
          .held, "there is no folder at \(path): nothing is recorded",
          hint: "dtm -C \(Quoting.shell(path)) restore brings it back", cause: error)
      }
      throw FolderError(error, "open", path.string)
    }
  }

  /// Makes sure that the path still names the folder that is open; one that was replaced is opened
  /// in its place.
  ///
  /// Returns whether it was replaced. Throws `.held` where there is none: a folder that is gone,
  /// renamed away or unmounted must not look like one whose files were all deleted.
  func refreshRoot() throws(FolderError) -> Bool {
    let found = try Self.open(path, environment)
    if found.isSame(as: root) { return false }
    root = found
    return true
  }

  /// Throws `.held` when the folder was replaced since it was opened.
  func confirmRoot() throws(FolderError) {
    if try Self.open(path, environment).isSame(as: root) { return }
    throw FolderError(
      .held, "the folder at \(path) was replaced while it was captured: nothing is recorded")
  }

  /// Digest of the configuration's patterns: a state made with others is of no use for events.
  var rules: ObjectID {
    Digest.sha256(Array(patterns.joined(separator: "\n").utf8).span)
  }

  /// Where files that are open for writing are cloned to, to be read: of the directories that no folder's
  /// watch tells of, those that may be on its file system.
  var clones: CloneHome {
    CloneHome([repositoryPath, path.removingLastComponent()], on: root.fileSystem)
  }

  /// The names of this folder's refs.
  package var refs: FolderRefs { FolderRefs(id) }

  // MARK: - The capture lock

  /// Takes the capture lock for as long as this value lives, or until `release`: for the daemon, and
  /// for who decides by what is recorded.
  ///
  /// `patience`: how long another process that has it is waited for. Throws `.busy` afterwards.
  package func hold(patience: Duration = .zero) throws(FolderError) {
    if held == nil { held = try lock(patience: patience) }
  }

  /// Takes over the capture lock that a repair holds, until `release`.
  func hold(_ lock: CaptureLock) {
    held = lock
  }

  /// Gives the capture lock back that `hold` took.
  package func release() {
    held = nil
  }

  /// The lock for one capture; the one that is held, if it is.
  func captureLock(patience: Duration) throws(FolderError) -> CaptureLock {
    if let held { return held }
    return try lock(patience: patience)
  }

  private func lock(patience: Duration) throws(FolderError) -> CaptureLock {
    let pause = Duration.milliseconds(50)
    let end = environment.time.monotonic() + patience
    while true {
      let lock = try onRepository { () throws(RepositoryError) in try repository.captureLock() }
      if let lock {
        do throws(Errno) {
          try lock.describe(pid: ProcessSignals.processID)
        } catch { throw FolderError(error, "write", "locks/capture") }
        return lock
      }
      if environment.time.monotonic() >= end { throw busy() }
      environment.pause(pause)
    }
  }

  private func busy() -> FolderError {
    let holder =
      CaptureLock.holder(repository.files).map { "process \($0)" } ?? "another process"
    return FolderError(
      .busy, "\(holder) is capturing this folder", hint: "try again when it has ended")
  }
}

extension FilePath {
  /// The path's bytes.
  var bytes: [UInt8] { Array(string.utf8) }
}
