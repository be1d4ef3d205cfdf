internal import DTMConfiguration
internal import DTMControl
internal import DTMSystem
internal import Logging
internal import SystemPackage

/// Retention: once a day the history is pruned and collected, beside the captures.
extension FolderLoop {
  /// How long after the folder is opened the first time comes: a start has other work.
  static let firstUpkeep = Duration.seconds(600)
  static let upkeepPeriod = Duration.seconds(24 * 3600)

  /// When it is due; nil without an engine.
  var upkeepTime: Duration? { engine == nil ? nil : nextUpkeep }

  mutating func planUpkeep() {
    if nextUpkeep == nil { nextUpkeep = time.monotonic() + Self.firstUpkeep }
  }

  /// Begins it when it is due and the one before has ended.
  mutating func upkeepIfDue() {
    if let upkeeper, upkeeper.isFinished {
      upkeeper.stop()
      self.upkeeper = nil
    }
    let now = time.monotonic()
    guard let due = upkeepTime, due <= now, let engine else { return }
    nextUpkeep = now + Self.upkeepPeriod
    if upkeeper != nil { return }
    let (run, shared, logger, owner) = (engine.upkeep, shared, logger, identity)
    let path = configuration.path
    do throws(Errno) {
      upkeeper = try FolderUpkeeper(folder: configuration.name) {
        isStopping throws(FolderEngineError) in
        if let owner {
          do throws(Errno) { try ThreadIdentity.assume(uid: owner.uid, group: owner.gid) } catch {
            throw FolderEngineError(.permissionDenied, "dtmd may not act as the owner: \(error)")
          }
        }
        return try run(isStopping)
      } report: { result in
        switch result {
        case .success(let report):
          shared.state.update { $0.face.upkeepError = report.remarks.first }
          if report.isNews {
            logger.record(
              .roomFreed,
              [
                "path": "\(path)", "snapshots": "\(report.prunedSnapshots)",
                "bytes": "\(report.freedBytes)",
              ])
          }
        case .failure(let error):
          shared.state.update { $0.face.upkeepError = error.description }
          logger.record(.upkeepFailed, ["path": "\(path)", "error": "\(error.description)"])
        }
        // The folder's thread tells the state.
        shared.mailbox.offer(.look)
      }
    } catch {
      logger.error("retention can't be applied", metadata: ["error": "\(error)"])
    }
  }
}
