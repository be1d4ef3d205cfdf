internal import DTMSystem
internal import SystemPackage

/// The root, open for a run of crawling.
final class RootSession {
  let directory: Descriptor

  init(_ directory: consuming Descriptor) {
    self.directory = directory
  }
}

/// Watching and listing directories: watch first, then list.
extension Reader {
  /// Directories to arm before events are looked at again.
  private static let sliceLimit = 128
  /// Bytes of queued events at which reading goes first: an eighth of the kernel's standard queue.
  private static let pressure = 64 * 1024

  /// Arms some of the pending directories.
  func crawlSlice() throws(Errno) {
    core.state.withLock { $0.revisitSome(atMost: Self.sliceLimit * 2) }
    for _ in 0..<Self.sliceLimit {
      guard try crawlOne() else { break }
      if core.state.withLock({ $0.pending.isEmpty || $0.isAsked }) { break }
      if try queueIsPressing() { break }
    }
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
      let directory = try open(step.key)
      try watch(directory, step.node, notify)
      try list(directory, step.node)
      core.state.withLock { $0.finishCrawl(step.node) }
      probeSucceeded()
    } catch {
      try handle(error, step)
    }
    return true
  }

  /// What can go wrong with one directory.
  private enum CrawlFailure: Error {
    /// There is no directory under this path now.
    case missing
    case uncovered(UncoveredReason)
    /// The reader itself cannot go on.
    case fatal(Errno)
  }

  private func open(_ key: PathKey) throws(CrawlFailure) -> Descriptor {
    do throws(Errno) {
      return try openSession().directory.openDirectory(beneath: key.path)
    } catch {
      throw Self.failure(error)
    }
  }

  /// The root, which must be the directory that was found at its path when watching began.
  private func openSession() throws(Errno) -> RootSession {
    if let session { return session }
    let directory = try core.root.open()
    guard let identity, try core.root.identity(of: directory).isSameDirectory(as: identity) else {
      core.state.withLock { $0.rootIsSuspect = true }
      throw .noSuchFileOrDirectory
    }
    let opened = RootSession(directory)
    session = opened
    return opened
  }

  private func watch(
    _ directory: borrowing Descriptor, _ node: NodeIndex, _ notify: NotifyInstance
  ) throws(CrawlFailure) {
    let watch: Int32
    do throws(Errno) {
      watch = try notify.addWatch(on: directory, .directory)
    } catch .noSpace {
      throw .uncovered(.watchLimit)
    } catch {
      throw Self.failure(error)
    }
    remove(
      core.state.withLock { state in
        state.arm(node, watch: watch)
        return state.takeEndedWatches()
      })
  }

  private func list(_ directory: borrowing Descriptor, _ node: NodeIndex) throws(CrawlFailure) {
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
    case .improperLink: .uncovered(.mountPoint)
    case .permissionDenied, .notPermitted: .uncovered(.permission)
    default: .uncovered(.failure)
    }
  }

  private func handle(_ failure: CrawlFailure, _ step: WatchState.CrawlStep) throws(Errno) {
    switch failure {
    case .missing:
      core.state.withLock { $0.crawlMissed(step.node) }
    case .uncovered(let reason):
      if step.node == .root, reason == .permission || reason == .failure {
        hold(.unreadable)
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
