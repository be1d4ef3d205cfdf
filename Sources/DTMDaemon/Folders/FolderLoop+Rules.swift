internal import DTMConfiguration
internal import DTMControl
internal import DTMFolder
internal import DTMRules
internal import DTMSystem
internal import DTMWatch
internal import Logging
internal import SystemPackage

/// Rules: what they see, and the snapshots that they fire.
extension FolderLoop {
  /// How often files that changed are measured for a rule that counts bytes.
  private static let measureInterval = Duration.seconds(1)
  /// Marks of one record; what was there when a rule was new may be more.
  private static let marksOfRecord = 8192

  /// Reads what rules have fired for.
  mutating func openRules(_ engine: any FolderEngine) throws(FolderEngineError) {
    protectionStart = time.now()
    if configuration.rules.isEmpty { return }
    rules = RuleEngine(
      rules: configuration.rules, memory: try engine.ruleMemory(), folder: configuration.name,
      calendar: LocalCalendar(), at: time.now())
  }

  /// When a clock's rule is due; nil where none waits.
  var ruleTime: Duration? {
    guard let next = rules?.nextTime else { return nil }
    return time.monotonic() + max(.zero, next.since(time.now()))
  }

  // MARK: - Seeing

  /// Looks at what the watcher says may be a boundary.
  mutating func lookAtBoundaries() {
    // What a restore brings back is looked at when all of it is there, with its times.
    guard looksAtBoundaries, var rules, let watcher, let engine else { return }
    let began = time.monotonic()
    let looksAgain = openBoundaries.isDue(at: began)
    let seen = watcher.takeBoundaries()
    if looksAgain || !seen.isEmpty {
      var open = openBoundaries.open
      if let look = BoundaryLook(configuration.path, engine) {
        if looksAgain { look.report(open, to: &rules) }
        look.report(seen, to: &rules)
        self.rules = rules
        open = look.open
      }
      let now = time.monotonic()
      if looksAgain {
        openBoundaries.lookedAgain(open, lasted: now - began, at: now)
      } else {
        openBoundaries.found(open, at: now)
      }
    }
    ownWritesSeen()
  }

  private var looksAtBoundaries: Bool {
    ownWrites.isEmpty && rules?.isAboutPaths == true && condition == .watching
      && watcher != nil && engine != nil
  }

  /// When what is open for writing is looked at again; nil where nothing is.
  var openBoundaryTime: Duration? { looksAtBoundaries ? openBoundaries.due : nil }

  /// What a restore that begins now brings back fires no rule.
  mutating func passOwnWrites() {
    if rules?.ownWritesStart != nil { return }
    let start = time.now().fileTime
    rules?.ownWritesStart = start
  }

  /// All that there is was looked at.
  private mutating func ownWritesSeen() {
    guard ownWrites.isEmpty, rules?.ownWritesStart != nil else { return }
    rules?.ownWritesStart = nil
    recordSilentMarks()
  }

  /// Where it fails the next snapshot has them.
  private mutating func recordSilentMarks() {
    guard let marks = rules?.silentMarks, !marks.isEmpty,
      let newest = shared.state.withLock({ $0.face.lastSnapshot })
    else { return }
    do throws(FolderEngineError) {
      try record(marks, with: newest)
      rules?.recordedSilentMarks()
    } catch {
      logger.debug("marks of rules wait", metadata: ["reason": "\(error.description)"])
    }
  }

  private func record(
    _ marks: [UInt64], with snapshot: SnapshotSummary
  ) throws(FolderEngineError) {
    var rest = marks[...]
    while !rest.isEmpty {
      var note = RuleNote()
      note.marks = Array(rest.prefix(Self.marksOfRecord))
      try engine?.annotate(snapshot.id, note)
      rest = rest.dropFirst(Self.marksOfRecord)
    }
  }

  /// After a scan: what no event told of is in the newest snapshot.
  mutating func lookAtRules(_ newest: SnapshotSummary?) throws(FolderEngineError) {
    guard var rules, rules.isAboutPaths, let engine else { return }
    let matcher = rules
    let found = try engine.paths { key, isDirectory in
      matcher.fits(key, isDirectory: isDirectory)
    }
    guard let look = BoundaryLook(configuration.path, engine) else { return }
    if rules.hasNewRules, let snapshot = newest {
      let start = protectionStart ?? time.now()
      let marks = rules.armingMarks { look.report(found, before: start, to: &$0) }
      try record(marks, with: snapshot)
      rules.learn(marks, at: time.now())
    }
    look.report(found, before: nil, to: &rules)
    self.rules = rules
    openBoundaries.found(look.open, at: time.monotonic())
    ownWritesSeen()
  }

  // MARK: - Firing

  /// Asks for the snapshots of what fires.
  mutating func fireIfDue() {
    guard rules != nil, engine != nil, condition == .watching || condition?.isUnwatched == true
    else { return }
    let now = time.now()
    rules?.tick(now)
    measure()
    heldFirings += rules?.takeFirings() ?? []
    var isFirst = true
    while firings.isEmpty, !heldFirings.isEmpty {
      fire(needsOwn: !isFirst)
      isFirst = false
    }
  }

  /// Asks for one snapshot, of those that wait and whose labels are no others than the first one's.
  private mutating func fire(needsOwn: Bool) {
    guard let rules else { return }
    let now = time.now()
    var labels: [String: String] = [:]
    var requests: [SettleRequest] = []
    var rest: [RuleEngine.Firing] = []
    for firing in heldFirings {
      let wanted = rules.labels(of: firing, at: now)
      let fits = wanted.allSatisfy { labels[$0.key] == nil || labels[$0.key] == $0.value }
      if !fits {
        rest.append(firing)
        continue
      }
      labels.merge(wanted) { first, _ in first }
      lastTicket += 1
      firings[lastTicket] = firing
      if needsOwn { needsOwnSnapshot.insert(lastTicket) }
      let rule = rules.rules[firing.rule]
      requests.append(
        SettleRequest(
          kind: rule.trigger, priority: rule.priority, name: rule.name, ticket: lastTicket))
    }
    heldFirings = rest
    perform(settler.on(.requestedTogether(requests), at: time.monotonic()))
  }

  /// What rules give the snapshot of a trigger.
  func note(of trigger: SettleTrigger, _ request: Request?) -> RuleNote {
    var note = RuleNote()
    guard let rules else { return note }
    let fired = trigger.requests.compactMap { firings[$0.ticket] } + (request?.firings ?? [])
    let now = time.now()
    for firing in fired {
      let rule = rules.rules[firing.rule]
      if !note.rules.contains(rule.name) { note.rules.append(rule.name) }
      note.labels.merge(rules.labels(of: firing, at: now)) { first, _ in first }
      if let tag = rules.tag(of: firing, at: now), !note.tags.contains(tag) {
        note.tags.append(tag)
      }
      if rule.isPinned { note.isPinned = true }
      note.marks += firing.marks
    }
    return note
  }

  /// Whether a snapshot is made also where nothing changed: the newest one has other labels already, or gets
  /// them just now.
  func needsOwnSnapshot(_ trigger: SettleTrigger, _ note: RuleNote) -> Bool {
    if trigger.requests.contains(where: { needsOwnSnapshot.contains($0.ticket) }) { return true }
    let newest = shared.state.withLock { $0.face.lastSnapshot?.id }
    guard let labelled, labelled.snapshot == newest else { return false }
    return note.labels.contains { key, value in
      labelled.labels[key].map { $0 != value } ?? false
    }
  }

  /// The snapshot of a trigger is there. Where none was made, as nothing changed, the newest one is given
  /// what the rules give.
  mutating func commitFirings(
    of trigger: SettleTrigger, _ result: inout CaptureResult
  ) throws(FolderEngineError) {
    rules?.changed(files: 0, bytes: 0)
    if result.isCreated { rules?.recordedSilentMarks() }
    let now = time.now()
    let tickets = trigger.requests.map(\.ticket).filter { firings[$0] != nil }
    if tickets.isEmpty { return }
    let note = note(of: trigger, nil)
    if !result.isCreated, let snapshot = result.snapshot {
      // A clock alone leaves no trace where nothing changed, unless it gives something.
      let isSilent =
        note.labels.isEmpty && note.tags.isEmpty && !note.isPinned
        && trigger.requests.allSatisfy { $0.kind == .schedule }
      if !isSilent {
        try engine?.annotate(snapshot.id, note)
        // What it was given may be what a check waits for.
        if configuration.checks.contains(where: { !$0.after.isEverything }) {
          checker?.offer(snapshot.id)
        }
      }
    }
    if let snapshot = result.snapshot {
      let before = labelled?.snapshot == snapshot.id ? labelled?.labels ?? [:] : [:]
      labelled = (snapshot.id, before.merging(note.labels) { _, new in new })
    }
    for ticket in tickets {
      needsOwnSnapshot.remove(ticket)
      guard let firing = firings.removeValue(forKey: ticket) else { continue }
      rules?.committed(firing, at: now)
    }
  }

  // MARK: - Thresholds

  /// Tells how much changed since the last snapshot, where a rule asks.
  private mutating func measure() {
    guard let rules, rules.countsFiles || rules.countsBytes, let watcher, settler.isDirty else {
      nextMeasure = nil
      return
    }
    let now = time.monotonic()
    if let due = nextMeasure, now < due { return }
    let bytes = rules.countsBytes ? changedBytes(watcher) : 0
    let files = watcher.status.dirtyPaths
    self.rules?.changed(files: files, bytes: bytes)
    nextMeasure = now + Self.measureInterval
  }

  private func changedBytes(_ watcher: FolderWatcher) -> Int {
    do throws(WatchError) {
      let set = try watcher.peek()
      guard let engine, let look = BoundaryLook(configuration.path, engine) else { return 0 }
      return look.bytes(of: set)
    } catch {
      // Held: nothing is captured then.
      return 0
    }
  }
}

extension WatchCondition {
  fileprivate var isUnwatched: Bool { if case .unwatched = self { true } else { false } }
}
