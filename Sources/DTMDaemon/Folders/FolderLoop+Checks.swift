internal import DTMConfiguration
internal import DTMControl
internal import DTMSystem
internal import Logging
internal import SystemPackage

/// Checks: made after each snapshot, beside the captures.
extension FolderLoop {
  /// Begins to make checks, where some are configured.
  mutating func openChecks(_ engine: any FolderEngine) {
    if configuration.checks.isEmpty || checker != nil { return }
    let (make, shared, logger, time) = (engine.checks, shared, logger, time)
    let alerter = alerter
    let (name, path, owner) = (configuration.name, configuration.path, identity)
    do throws(Errno) {
      checker = try FolderChecker(folder: name, logger: logger) { isStopping in
        let starter = try ProgramStarter(as: owner.map { ($0.uid, $0.gid) })
        if let owner { try ThreadIdentity.assume(uid: owner.uid, group: owner.gid) }
        return try make(starter, isStopping)
      } report: { snapshot, failed in
        shared.state.update { $0.face.failedChecks = failed }
        // The folder's thread tells the state.
        shared.mailbox.offer(.look)
        if failed.isEmpty { return }
        let reason = failed.joined(separator: "; ")
        logger.record(
          .checkFailed, ["path": "\(path)", "snapshot": "\(snapshot)", "reason": "\(reason)"])
        var event = ControlEvent(.alert, at: time.now(), folder: name, path: path.string)
        event.alert = .checkFailed
        event.reason = reason
        shared.events.publish(event, owner: owner)
        alerter?.offer(event)
      }
    } catch {
      logger.error("checks can't be made", metadata: ["error": "\(error)"])
    }
  }
}
