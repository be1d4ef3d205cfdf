internal import DTMConfiguration
internal import DTMControl
internal import DTMFolder
internal import DTMRepository
internal import DTMRules
internal import DTMSystem
internal import Logging

/// The guard: looks at what snapshots removed and rewrote, and raises alarms.
extension FolderLoop {
  /// How often it is looked whether somebody has ended an alarm, while there is one.
  private static let alarmInterval = Duration.seconds(2)

  /// Reads which alarms hold.
  mutating func openGuard(_ engine: any FolderEngine) throws(FolderEngineError) {
    alarms = try engine.guardRecords()
    nextAlarmLook = alarms.isEmpty ? nil : time.monotonic() + Self.alarmInterval
    showAlarms()
  }

  /// A snapshot was taken.
  mutating func guardAgainst(_ result: CaptureResult, _ kind: TriggerKind) {
    guard result.isCreated, let sample = result.sample, let engine else { return }
    switch kind {
    case .restore, .checkout, .undo, .redo: return watchfulness.intended(sample)
    default: break
    }
    let now = time.monotonic()
    guard let suspicion = watchfulness.captured(sample, at: now) else { return }
    do throws(FolderEngineError) {
      let evidence = try engine.evidence(from: suspicion.before, to: suspicion.after)
      logger.debug(
        "the guard looked closely",
        metadata: [
          "snapshot": "\(suspicion.after)", "missing": "\(evidence.missing)",
          "blanked": "\(evidence.blanked)", "noise": "\(evidence.noise)",
          "unlike": "\(evidence.unlike)", "of": "\(evidence.files)",
        ])
      guard let alarm = watchfulness.judge(suspicion, evidence, at: now) else { return }
      let policy = watchfulness.policy
      let record = try engine.raise(alarm, of: policy, after: alarms.first)
      let isNew = record.damaged != alarms.first?.damaged
      alarms = [record] + alarms.filter { $0.damaged != record.damaged }
      nextAlarmLook = now + Self.alarmInterval
      showAlarms()
      if isNew, policy.measures.contains(.alert) { tell(record, result.snapshot) }
    } catch {
      // The snapshot is there; the next one is looked at again.
      logger.error("the guard could not look", metadata: ["error": "\(error.description)"])
    }
  }

  private func tell(_ record: GuardRecord, _ snapshot: SnapshotSummary?) {
    logger.record(
      .guardAlarm,
      [
        "path": "\(configuration.path)", "snapshot": "\(record.damaged)",
        "good": "\(record.good)", "reason": "\(record.reason)",
        "until": "\(record.until.rfc3339)",
      ])
    publish(.alert) { event in
      event.alert = .guardAlarm
      event.reason = record.reason
      event.snapshot = snapshot
      event.good = record.good.hex
      event.until = record.until
    }
  }

  /// Looks whether somebody has ended an alarm, or its time is over.
  mutating func lookAtAlarmsIfDue() {
    guard let due = nextAlarmLook, time.monotonic() >= due, let engine else { return }
    nextAlarmLook = time.monotonic() + Self.alarmInterval
    do throws(FolderEngineError) {
      var found = try engine.guardRecords()
      if try isMended(found, engine) {
        try engine.releaseGuard()
        logger.notice(
          "what the guard saw is mended; its alarm has ended",
          metadata: ["path": "\(configuration.path)"])
        found = []
      }
      let isAlarmed = !found.isEmpty
      if found != alarms {
        alarms = found
        showAlarms()
      }
      if !isAlarmed { nextAlarmLook = nil }
    } catch {
      logger.debug("alarms can't be looked at", metadata: ["error": "\(error.description)"])
    }
  }

  /// Whether somebody has brought back what was lost, as a restore of the snapshot before does.
  private mutating func isMended(
    _ records: [GuardRecord], _ engine: any FolderEngine
  ) throws(FolderEngineError) -> Bool {
    guard !records.isEmpty, let newest = try engine.newestSnapshot() else { return false }
    if newest.id == comparedWithGood { return false }
    comparedWithGood = newest.id
    for record in records {
      let evidence = try engine.evidence(from: record.good.hex, to: newest.id)
      if !evidence.isMended { return false }
    }
    return true
  }

  private func showAlarms() {
    let alarms = alarms
    shared.state.update { $0.face.alarms = alarms }
  }
}
