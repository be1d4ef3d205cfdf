internal import DTMSystem
internal import SystemPackage

/// Directories that are open for a run of crawling: those in which names were looked up last.
final class CrawlSession {
  /// Depth first, each directory above the present one is needed again after all beneath.
  private static let limit = 16

  /// A directory in which names are looked up, which carries `watch`.
  private final class Parent {
    let directory: Descriptor
    let watch: Int32
    /// Whether names were looked up in it since `settle` was called.
    var isUnsettled = false

    init(_ directory: consuming Descriptor, _ watch: Int32) {
      self.directory = directory
      self.watch = watch
    }

    func settle() throws(Errno) {
      guard isUnsettled else { return }
      isUnsettled = false
      try directory.awaitChangesOfNames()
    }
  }

  let root: Descriptor
  /// The one that was used last stands last.
  private var parents: [Parent] = []

  init(_ root: consuming Descriptor) {
    self.root = root
  }

  /// Opens a name in the directory with this watch; nil when that is not among the open ones.
  func open(_ name: [UInt8], in watch: Int32) throws(Errno) -> Descriptor? {
    guard let place = parents.lastIndex(where: { $0.watch == watch }) else { return nil }
    if place != parents.count - 1 { parents.append(parents.remove(at: place)) }
    let parent = parents[parents.count - 1]
    parent.isUnsettled = true
    return try parent.directory.openChild(name)
  }

  /// Keeps the directory with this watch open, so that names can be looked up in it.
  func keep(_ directory: consuming Descriptor, _ watch: Int32) throws(Errno) {
    // A directory that is listed anew is open already.
    if let place = parents.lastIndex(where: { $0.watch == watch }) {
      try parents.remove(at: place).settle()
    } else if parents.count == Self.limit {
      try parents.removeFirst().settle()
    }
    parents.append(Parent(directory, watch))
  }

  /// Waits until all events are queued of whatever the look-ups saw.
  func settle() throws(Errno) {
    for parent in parents { try parent.settle() }
  }
}

/// Watching and listing directories: watch first, then list.
extension Reader {
  /// Directories to arm before events are looked at again.
  private static let sliceLimit = 128
  /// Bytes of queued events at which reading goes first: an eighth of the kernel's standard queue.
  private static let pressure = 64 * 1024
  /// Directories, of a few subdirectories each, to arm before the queue is looked at.
  private static let pressureInterval = 16

  /// Arms some of the pending directories.
  func crawlSlice() throws(Errno) {
    core.state.withLock { $0.revisitSome(atMost: Self.sliceLimit * 2) }
    for count in 1...Self.sliceLimit {
      guard try crawlOne() else { break }
      if core.state.withLock({ $0.pending.isEmpty || $0.isAsked }) { break }
      if count.isMultiple(of: Self.pressureInterval), try queueIsPressing() { break }
    }
    try session?.settle()
    if core.state.withLock({ $0.pending.isEmpty && $0.unsettled.missing.isEmpty }) {
      session = nil
    }
  }

  private func queueIsPressing() throws(Errno) -> Bool {
    guard let notify else { return false }
    return try notify.readableBytes() > Self.pressure
  }

  /// Arms the next directory; false when none is pending.
  private func crawlOne() throws(Errno) -> Bool {
    let (step, ended) = core.state.withLock { state in
      (state.nextCrawlStep(), state.takeEndedWatches())
    }
    remove(ended)
    guard let step, let notify else { return false }
    do throws(CrawlFailure) {
      let directory = try open(step, notify)
      let number = try watch(directory, step.node, notify)
      try list(directory, step.node)
      let hasSubdirectories = core.state.withLock { $0.finishCrawl(step.node) }
      probeSucceeded()
      // Else only those above stay open: their other subdirectories are next.
      if hasSubdirectories { try keep(directory, number) }
    } catch {
      try handle(error, step)
    }
    return true
  }

  /// What can go wrong with one directory.
  private enum CrawlFailure: Error {
    /// There is no directory under this name now.
    case missing
    /// The directory above is not where its path says.
    case stalled
    case uncovered(UncoveredReason, Errno)
    /// The reader itself cannot go on.
    case fatal(Errno)
  }

  private func open(
    _ step: WatchState.CrawlStep, _ notify: NotifyInstance
  ) throws(CrawlFailure) -> Descriptor {
    do throws(Errno) {
      let session = try openSession()
      if step.parent.isNone { return try session.root.openDirectory(beneath: []) }
      if let directory = try session.open(step.name, in: step.parentWatch) { return directory }
    } catch {
      throw Self.failure(error)
    }
    try openParent(step, notify)
    do throws(Errno) {
      if let directory = try session?.open(step.name, in: step.parentWatch) { return directory }
    } catch {
      throw Self.failure(error)
    }
    throw .stalled
  }

  /// Opens the directory above by its path, and makes sure that it is the one that is watched:
  /// inotify tells the number of a watch that is there already.
  private func openParent(
    _ step: WatchState.CrawlStep, _ notify: NotifyInstance
  ) throws(CrawlFailure) {
    do throws(Errno) {
      let session = try openSession()
      let parent = try session.root.openDirectory(beneath: step.parentKey.path)
      let watch = try notify.addWatch(on: parent, .directory)
      core.state.withLock { $0.issued(watch) }
      if watch == step.parentWatch { return try session.keep(parent, watch) }
      // Another directory, moved there. If nobody knew the watch, it is new, and nobody's.
      if core.state.withLock({ $0.nodes.node(ofWatch: watch) == nil }) { remove([watch]) }
    } catch .noSpace {
      throw .uncovered(.watchLimit, .noSpace)
    } catch {
      // Whatever is wrong on the way: the events about it come first.
      throw .stalled
    }
    throw .stalled
  }

  private func keep(
    _ directory: consuming Descriptor, _ watch: Int32
  ) throws(CrawlFailure) {
    do throws(Errno) {
      try session?.keep(directory, watch)
    } catch {
      throw .fatal(error)
    }
  }

  /// The root, which must be the directory that was found at its path when watching began.
  private func openSession() throws(Errno) -> CrawlSession {
    if let session { return session }
    let directory = try core.root.open()
    guard let identity, try core.root.identity(of: directory).isSameDirectory(as: identity) else {
      core.state.withLock { $0.rootIsSuspect = true }
      throw .noSuchFileOrDirectory
    }
    let opened = CrawlSession(directory)
    session = opened
    return opened
  }

  private func watch(
    _ directory: borrowing Descriptor, _ node: NodeIndex, _ notify: NotifyInstance
  ) throws(CrawlFailure) -> Int32 {
    let watch: Int32
    do throws(Errno) {
      watch = try notify.addWatch(on: directory, .directory)
    } catch .noSpace {
      throw .uncovered(.watchLimit, .noSpace)
    } catch {
      throw Self.failure(error)
    }
    remove(
      core.state.withLock { state in
        state.arm(node, watch: watch)
        return state.takeEndedWatches()
      })
    return watch
  }

  private func list(_ directory: borrowing Descriptor, _ node: NodeIndex) throws(CrawlFailure) {
    // Watched already: a subdirectory that is not counted yet is told of. Most directories have none,
    // and one with a million files is not read.
    if identity?.fileSystem.type.countsSubdirectories == true {
      do throws(Errno) {
        if try directory.status().links == 2 { return }
      } catch {
        throw Self.failure(error)
      }
    }
    while true {
      let names: [[UInt8]]?
      do throws(Errno) {
        names = try directory.nextSubdirectories()
      } catch {
        throw Self.failure(error)
      }
      guard let names else { return }
      if !names.isEmpty { core.state.withLock { $0.found(names, in: node) } }
      do throws(Errno) {
        // A directory of a million names takes longer than the queue may hold.
        if try queueIsPressing() { try drain(endsEpoch: false) }
      } catch {
        throw .fatal(error)
      }
      if core.state.withLock({ $0.hasOverflowed || !$0.nodes.isAlive(node) }) { return }
    }
  }

  private static func failure(_ error: Errno) -> CrawlFailure {
    switch error {
    case .noSuchFileOrDirectory, .notDirectory, .tooManySymbolicLinkLevels: .missing
    case .improperLink: .uncovered(.mountPoint, error)
    case .permissionDenied, .notPermitted: .uncovered(.permission, error)
    default: .uncovered(.failure, error)
    }
  }

  private func handle(_ failure: CrawlFailure, _ step: WatchState.CrawlStep) throws(Errno) {
    switch failure {
    case .missing:
      core.state.withLock { $0.crawlMissed(step.node) }
    case .stalled:
      core.state.withLock { $0.crawlStalled(step.node) }
    case .uncovered(let reason, let error):
      if step.node == .root, reason == .permission || reason == .failure {
        hold(.unreadable(error))
        return
      }
      remove(
        core.state.withLock { state in
          state.crawlFailed(step.node, reason)
          return state.takeEndedWatches()
        })
      // A mount point is looked at when the mounts change, not by time.
      if reason != .mountPoint { planRetry() }
      isProbing = false
    case .fatal(let error):
      throw error
    }
  }

  /// Watches can be had again: all that lack one are tried.
  private func probeSucceeded() {
    guard isProbing else { return }
    isProbing = false
    retryWait.reset()
    core.state.withLock { state in state.retryUncovered { $0 == .watchLimit } }
  }
}
