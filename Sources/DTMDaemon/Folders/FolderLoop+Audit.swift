internal import DTMConfiguration
internal import DTMControl
internal import DTMFolder
internal import DTMRules
internal import DTMSystem
internal import DTMWatch
internal import Logging

/// What the folder's thread does between captures: the audit, and looking at files that are open for
/// writing.
extension FolderLoop {
  /// Paths of one part that are recorded singly; the count is of all.
  private static let recordLimit = 20
  /// The longest wait between looks at files in which nothing was found to change.
  private static let longestHotWait = Duration.seconds(3600)

  // MARK: - The audit

  /// When the audit goes on; nil while there is nothing to compare with.
  var auditTime: Duration? {
    condition == .watching && engine != nil ? audit.due : nil
  }

  /// After a sleep of the machine everything is compared once, without haste: the kernel kept watching, but
  /// disks may have been elsewhere meanwhile, and others wrote to network file systems.
  mutating func woke() {
    let now = time.monotonic()
    audit.begin(at: now)
    if nextPoll != nil { nextPoll = now }
  }

  /// Compares the next part, or looks again at what differed.
  mutating func auditIfDue() {
    let now = time.monotonic()
    guard audit.isDue(at: now), auditTime != nil, let engine, let watcher else { return }
    guard let clock = watcher.baseClock else {
      // The next snapshot looks at everything anyway.
      return audit.postpone(at: now)
    }
    do throws(FolderEngineError) {
      if audit.suspects.isEmpty {
        let part = try engine.audit(
          after: audit.cursor, clock: clock, limit: AuditSchedule.partLimit)
        audit.finished(part, at: time.monotonic())
      } else {
        let verdict = try engine.confirm(audit.suspects, clock: clock)
        try judge(verdict.findings, watcher, clock)
        audit.looked(again: verdict.again, at: time.monotonic())
      }
    } catch {
      logger.debug("the audit waits", metadata: ["reason": "\(error.description)"])
      audit.postpone(at: time.monotonic())
    }
  }

  // MARK: - What a scan found

  /// Takes note of what a scan found and no event had told. Its event may be on its way: a change can be
  /// seen before the system call that made it returns.
  mutating func suspect(_ findings: [AuditVerdict.Finding]) {
    if findings.isEmpty { return }
    untold += findings
    untoldTime = time.monotonic() + AuditSchedule.secondLook
  }

  /// Counts those of which no set has told since.
  mutating func judgeUntoldIfDue() {
    guard let due = untoldTime, due <= time.monotonic() else { return }
    untoldTime = nil
    defer { untold = [] }
    guard let watcher, let clock = watcher.baseClock else { return }
    do throws(FolderEngineError) {
      try judge(untold, watcher, clock)
    } catch {
      logger.debug("what a scan found is not judged", metadata: ["reason": "\(error)"])
    }
  }

  /// Finds out what no event told of, which is dirty from then on.
  private func judge(
    _ findings: [AuditVerdict.Finding], _ watcher: FolderWatcher, _ clock: String
  ) throws(FolderEngineError) {
    if findings.isEmpty { return }
    let set: DirtySet
    do throws(WatchError) {
      // The system calls whose changes were seen have long returned: their events are in it.
      try watcher.barrier(within: Self.watcherLimit)
      set = try watcher.peek()
    } catch {
      throw FolderEngineError(.unavailable, error.description)
    }
    if set.basis != .events || set.baseClock != clock { return }
    let untold = findings.filter { !set.covers($0.key) }
    if untold.isEmpty { return }
    let missed = untold.filter { !$0.isLate }
    let late = untold.filter { $0.isLate }
    watcher.insertUntold(missed: missed.map(\.mark), late: late.map(\.mark))
    record(.changeMissed, missed)
    if let first = missed.first {
      let more = missed.count > 1 ? " and \(missed.count - 1) more" : ""
      publish(
        .changeMissed, "a scan found what no event told: \(Quoting.path(first.key))\(more)")
    }
    record(.changeLate, late)
  }

  private func record(_ event: DaemonEvent, _ findings: [AuditVerdict.Finding]) {
    for finding in findings.prefix(Self.recordLimit) {
      logger.record(
        event,
        [
          "path": "\(configuration.path)", "file": "\(Quoting.path(finding.key))",
          "changes": "\(findings.count)",
        ])
    }
  }

  // MARK: - Files that are open for writing

  /// Plans when files are looked at again that somebody has open for writing: stores through a
  /// mapping raise no event.
  mutating func planHotLook(_ result: CaptureResult, wasHotLook: Bool) {
    if result.hotFiles.isEmpty {
      nextHotLook = nil
      return
    }
    // Where nothing is found to change, ever more rarely: an idle database costs nothing.
    let atMost = settler.policy.atMost
    let hasRested = wasHotLook && !result.isCreated
    hotWait = hasRested ? max(atMost, min(hotWait * 2, Self.longestHotWait)) : atMost
    nextHotLook = time.monotonic() + hotWait
  }

  mutating func lookAtHotIfDue() {
    let now = time.monotonic()
    guard let due = nextHotLook, due <= now else { return }
    nextHotLook = nil
    perform(settler.on(.requested(SettleRequest(kind: .atMost)), at: now))
  }
}

extension AuditVerdict.Finding {
  fileprivate var mark: (key: PathKey, scope: DirtySet.Scope) {
    (key, scope == .subtree ? .subtree : .entry)
  }
}
