internal import DTMSystem
internal import Synchronization
internal import SystemPackage

/// A directory on its way through a scan: found, listed, its entries looked at in batches, handed
/// over.
final class ScanDirectory: Sendable {
  /// Entries whose status is asked for in one go; a larger directory is shared between threads.
  static let batchLimit = 512

  /// One entry of a listing with what statx(2) said.
  struct Entry: Sendable {
    /// In the listing.
    let index: Int
    /// A failure where there is no status.
    let result: Result<FileStatus, Errno>
    /// The directory to go through next, when it is one.
    let child: ScanDirectory?
  }

  struct Batch: Sendable {
    let range: Range<Int>
    var isClaimed = false
    /// Nil until it is done.
    var entries: [Entry]?
  }

  enum Content: Sendable {
    case unlisted
    case listed(DirectoryListing)
    case nested
    case failed(Errno)
  }

  struct State: Sendable {
    var isClaimed = false
    var content = Content.unlisted
    var batches: [Batch] = []
    var openBatches = 0
    var scope: IgnoreScope
    /// Kept while it is needed to open what is beneath, as long as not too many are.
    var directory: OpenEntry?
  }

  let key: PathKey
  let parent: ScanDirectory?
  /// How its own entry looked.
  let status: FileStatus?
  let state: Mutex<State>

  /// `scope`: the one of the directory that holds it, its own file not in it.
  init(key: PathKey, parent: ScanDirectory?, status: FileStatus?, scope: IgnoreScope) {
    self.key = key
    self.parent = parent
    self.status = status
    state = Mutex(State(scope: scope))
  }

  /// The directory, opened from its parent where that is open, else from the root.
  func open(_ root: FolderRoot) throws(Errno) -> OpenEntry {
    if let opened = state.withLock({ $0.directory }) { return opened }
    if let above = parent?.state.withLock({ $0.directory }) {
      return try root.openDirectory(key.name, in: above)
    }
    return try root.openDirectory(key, expecting: status)
  }
}
