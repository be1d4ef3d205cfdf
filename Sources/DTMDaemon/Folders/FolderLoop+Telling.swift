internal import DTMConfiguration
internal import DTMControl
internal import DTMRules
internal import DTMSystem
internal import DTMWatch
internal import Logging
internal import SystemPackage

/// What a folder's thread tells others.
extension FolderLoop {
  /// Publishes what others see, and records a state that is another.
  mutating func tellState() {
    let settlerHolds = holdsBack
    let stalled = stalledWrites
    let (face, watcher) = shared.state.withLock { state in
      state.face.isHoldingBack = settlerHolds
      state.face.stalledWrites = stalled
      return (state.face, state.watcher)
    }
    let status = FolderStatus(
      name: configuration.name, path: configuration.path.string, face: face,
      watch: watcher?.status)
    if status.state != toldState || status.reasons != toldReasons,
      !isStartingUp(status, needsScan: face.needsScan)
    {
      if status.state != toldState { record(status) }
      toldState = status.state
      toldReasons = status.reasons
      publish(ControlEvent(state: status, at: time.now()))
    }
    if status.phase != toldPhase || status.state != toldState {
      toldPhase = status.phase
      shared.onStateChange()
    }
  }

  /// Changes wait for something else than quiet.
  private var holdsBack: Bool {
    settler.isWaitingForWriters || settler.failureCount > 0 || settler.isCapturing
      || settler.isPaused || !ownWrites.isEmpty
  }

  /// That a folder is not protected in its first moments is no news.
  private func isStartingUp(_ status: FolderStatus, needsScan: Bool) -> Bool {
    toldState == nil && engine != nil && status.state != .protected
      && (condition == nil || condition == .arming || status.lastSnapshot == nil
        || needsScan)
      && settler.failureCount == 0
  }

  private func record(_ status: FolderStatus) {
    let reasons = status.reasons.joined(separator: "; ")
    switch status.state {
    case .protected: logger.record(.folderProtected, ["path": "\(status.path)"])
    // The pause itself was recorded.
    case .paused: break
    case .degraded:
      logger.record(.folderDegraded, ["path": "\(status.path)", "reason": "\(reasons)"])
    case .unprotected:
      logger.record(.folderUnprotected, ["path": "\(status.path)", "reason": "\(reasons)"])
    }
  }
}
