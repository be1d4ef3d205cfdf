internal import DTMSystem
internal import SystemPackage

/// Beginning anew, and holding a folder whose root is missing.
extension Reader {
  /// How often a held folder is looked at when no event tells.
  private static let heldWait: Duration = .seconds(10)
  /// Overflows further apart than this are no series.
  private static let calm: Duration = .seconds(60)

  /// Looks whether the directory at the root's path is still the one that is watched.
  func verifyRoot() {
    core.state.withLock { $0.rootIsSuspect = false }
    let condition = core.state.withLock { $0.condition }
    if case .held = condition { return recoverRoot(isAccepted: false) }
    if case .directory(let found) = core.root.look(), let identity,
      found.isSameDirectory(as: identity)
    {
      let lostWatch = core.state.withLock { $0.nodes[.root].flags.contains(.lostWatch) }
      if !lostWatch { return }
      // The file system went and came back with the same directory: its watches did not.
      return recoverRoot(isAccepted: true)
    }
    recoverRoot(isAccepted: false)
  }

  /// Begins anew with whatever is at the root's path, or holds the folder.
  ///
  /// `isAccepted`: somebody said that what is there now is the folder, even if it is empty.
  func recoverRoot(isAccepted: Bool) {
    session = nil
    let isHeld = core.state.withLock { state in
      let wasWatched = state.condition == .watching || state.condition == .arming
      if wasWatched, identity != nil { state.countBreak(.root) }
      if case .held = state.condition { return notify != nil }
      return false
    }
    // A held folder's instance has only watches above the root; it serves until the root is back.
    guard isHeld || renewInstance() else { return poll(.instanceLimit) }
    // Watched before it is looked at: what happens after the look is told.
    let outer = watchOuterDirectories(namesToo: true)
    switch decide(isAccepted: isAccepted) {
    case .hold(let reason):
      core.state.update { state in
        if state.condition != .held(reason) { state.abandon(.held(reason)) }
        state.outerWatches = outer
        state.rootIsSuspect = false
      }
      retryAt = core.time.monotonic() + Self.heldWait
    case .poll(let reason, let found):
      identity = found
      core.state.update { $0.abandon(.unwatched(reason)) }
      notify = nil
      retryAt = nil
    case .arm(let found):
      identity = found
      restart()
    }
  }

  /// Begins anew with the same root: nothing that was known holds any longer.
  func restart() {
    let condition = core.state.withLock { $0.condition }
    if case .held = condition, identity == nil { return }
    session = nil
    guard renewInstance() else { return poll(.instanceLimit) }
    let outer = watchOuterDirectories(namesToo: false)
    core.state.update { state in
      state.restart()
      state.outerWatches = outer
    }
    retryAt = nil
    isProbing = false
  }

  /// Holds the folder; only watches above the root stay.
  func hold(_ reason: HoldReason) {
    session = nil
    guard renewInstance() else { return poll(.instanceLimit) }
    let outer = watchOuterDirectories(namesToo: true)
    core.state.update { state in
      state.abandon(.held(reason))
      state.outerWatches = outer
    }
    retryAt = core.time.monotonic() + Self.heldWait
  }

  /// Events were lost: everything is unknown. A series of overflows is not answered by a series of
  /// crawls.
  func handleOverflow() {
    let hasOverflowed = core.state.withLock { state in
      if state.hasOverflowed {
        state.counters.overflows += 1
        state.countBreak(.overflow)
      }
      return state.hasOverflowed
    }
    guard hasOverflowed else { return }
    let now = core.time.monotonic()
    let isSeries = lastOverflow.map { now - $0 < Self.calm } ?? false
    lastOverflow = now
    if isSeries {
      poll(.overflow, for: overflowWait.next())
    } else {
      overflowWait.reset()
      restart()
    }
  }

  /// Does what failed before once more, when its time has come.
  func retryIfDue() {
    guard let due = retryAt, core.time.monotonic() >= due else { return }
    retryAt = nil
    let condition = core.state.withLock { $0.condition }
    switch condition {
    case .held: recoverRoot(isAccepted: false)
    case .unwatched: recoverRoot(isAccepted: true)
    case .arming, .watching:
      isProbing = true
      let isEmpty = core.state.withLock { state in
        state.probeUncovered()
        return state.pending.isEmpty
      }
      if isEmpty { isProbing = false }
    }
  }

  func planRetry() {
    if retryAt == nil { retryAt = core.time.monotonic() + retryWait.next() }
  }

  /// Mounts changed: what is beneath a mount point is not the folder's.
  func lookAtMounts() {
    do throws(Errno) {
      let path = try core.root.open().currentPath()
      let points = try MountTable.mountPoints(beneath: path)
      core.state.withLock { $0.mountsChanged(points) }
    } catch {
      // No root to open, or no /proc: the root is looked at next, and said to be missing.
      core.state.withLock { $0.rootIsSuspect = true }
    }
  }

  // MARK: Parts

  private enum Decision {
    case hold(HoldReason)
    case poll(UncoveredReason, FolderRoot.Identity)
    case arm(FolderRoot.Identity)
  }

  private func decide(isAccepted: Bool) -> Decision {
    let found: FolderRoot.Identity
    switch core.root.look() {
    case .missing: return .hold(.gone)
    case .notDirectory: return .hold(.notDirectory)
    case .unreadable(let error): return .hold(.unreadable(error))
    case .directory(let identity): found = identity
    }
    let isSame = identity.map { found.isSameDirectory(as: $0) } ?? false
    if !isSame, !isAccepted {
      if let identity, !found.isSameFileSystem(as: identity) { return .hold(.otherFileSystem) }
      if identity != nil || core.options.holdsWhenEmpty {
        let isExcluded = core.state.withLock { $0.isExcluded }
        do throws(Errno) {
          if try !core.root.hasContent(isExcluded) { return .hold(.empty) }
        } catch {
          return .hold(.unreadable(error))
        }
      }
    }
    if found.fileSystem.needsPolling { return .poll(.remoteFileSystem, found) }
    return .arm(found)
  }

  private func renewInstance() -> Bool {
    notify = nil
    do throws(Errno) {
      notify = try NotifyInstance()
      return true
    } catch {
      return false
    }
  }

  /// Nothing is watched for a while.
  private func poll(_ reason: UncoveredReason, for wait: Duration? = nil) {
    session = nil
    notify = nil
    core.state.update { state in
      if reason == .instanceLimit, state.condition != .unwatched(reason) {
        state.countBreak(.limit)
      }
      state.abandon(.unwatched(reason))
    }
    retryAt = core.time.monotonic() + (wait ?? retryWait.next())
  }

  /// Watches the directories above the root for being moved or removed themselves, which nothing
  /// else that happens in them tells; while the root is missing, also for names that come.
  private func watchOuterDirectories(namesToo: Bool) -> Set<Int32> {
    let own: NotifyMask = [.moveSelf, .deleteSelf, .onlyDirectory]
    let names: NotifyMask = own.union([.create, .movedTo, .attributes])
    var watches: Set<Int32> = []
    var deepest: FilePath?
    for path in core.root.outerDirectories + (namesToo ? [core.root.path] : []) {
      guard let watch = outerWatch(path, own) else { continue }
      watches.insert(watch)
      deepest = path
    }
    if namesToo, let deepest {
      // The one above too: when the deepest is the root itself, it may be replaced.
      for path in [deepest, deepest.removingLastComponent()] {
        if let watch = outerWatch(path, names) { watches.insert(watch) }
      }
    }
    return watches
  }

  private func outerWatch(_ path: FilePath, _ mask: NotifyMask) -> Int32? {
    do throws(Errno) {
      let watch = try notify?.addWatch(at: path, mask)
      if let watch { core.state.withLock { $0.issued(watch) } }
      return watch
    } catch {
      // It is not there, or watches are used up: barriers and the clock look at the root too.
      return nil
    }
  }
}
