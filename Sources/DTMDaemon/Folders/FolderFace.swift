internal import DTMControl
internal import DTMFolder
internal import DTMRepository
internal import DTMSystem
internal import DTMWatch

/// What a folder's thread lets others see of it.
struct FolderFace: Sendable {
  /// Whose the repository is; nil until it was found.
  var owner: FolderOwner?
  /// Why there is no engine; nil while there is one.
  var engineError: String? = "the repository is being opened"
  var lastSnapshot: SnapshotSummary?
  /// The basis of the snapshot that is being taken; nil when none is.
  var capturing: SnapshotBasis?
  /// Why the last capture failed; nil when it did not.
  var captureError: String?
  /// What changed while nothing was watched is not looked for yet.
  var needsScan = true
  /// Changes wait for something else than quiet: an interval, a writer, the end of own writes.
  var isHoldingBack = false
  /// The pause that holds; nil where none does.
  var pause: Pause?
  /// An own write (`restore`, say) that holds snapshots for longer than `atMost`.
  var stalledWrites: String?
  /// Files that somebody had open for writing at the last snapshot.
  var hot: [PathKey] = []
  /// What the last snapshot could not capture as it is.
  var problems: [Snapshot.Problem] = []
  /// Alarms of the guard that nobody has ended, the newest first.
  var alarms: [GuardRecord] = []
  /// Checks of the newest snapshot that was checked that did not pass, with why.
  var failedChecks: [String] = []
  /// Why the history could not be pruned or collected the last time; nil where it could.
  var upkeepError: String?
  /// Paths that nothing vouched for at the last snapshot.
  var uncovered: [PathKey] = []

  /// Automatic snapshots are held.
  struct Pause: Sendable, Equatable {
    /// When they resume by themselves; nil where somebody has to.
    var until: Timestamp?
  }
}

extension FolderStatus {
  /// How a folder is, by what its thread and its watcher say. `watch`: nil before it is watched.
  init(name: String, path: String, face: FolderFace, watch: WatchStatus?) {
    let unwatched = (watch?.uncovered ?? []).map(\.key)
    let known = Set(unwatched)
    let uncovered = unwatched + face.uncovered.filter { !known.contains($0) }
    self.init(
      name: name, path: path, state: .protected, phase: .idle, lastSnapshot: face.lastSnapshot,
      dirty: watch?.dirtyPaths ?? 0, hot: face.hot, uncovered: uncovered,
      watchedDirectories: watch?.watchedDirectories ?? 0, overflows: watch?.overflows ?? 0,
      missedChanges: watch?.missedChanges ?? 0, lateChanges: watch?.lateChanges ?? 0,
      basis: .events)
    if watch?.condition != .watching { basis = .scan }
    phase = FolderStatus.phase(face, watch)
    pausedUntil = face.pause?.until
    judge(face, watch)
  }

  /// From the best to the worst: what is worse overrides the state, and every reason is told.
  private mutating func judge(_ face: FolderFace, _ watch: WatchStatus?) {
    for alarm in face.alarms { worsen(.degraded, FolderStatus.text(alarm, path: path)) }
    if let pause = face.pause { worsen(.paused, FolderStatus.text(pause, path: path)) }
    if let watch { judge(watch) }
    if face.needsScan, watch?.condition == .watching {
      worsen(.degraded, "what changed while the folder was not watched is being looked for")
    }
    judge(face.problems)
    for check in face.failedChecks {
      worsen(.degraded, "\(check); dtm restore @good goes back")
    }
    if let error = face.upkeepError {
      worsen(.degraded, "room could not be freed: \(error)")
    }
    if let operation = face.stalledWrites {
      worsen(
        .degraded,
        "a dtm \(operation) that has not ended holds snapshots; they go on when it ends or is stopped"
      )
    }
    if face.engineError == nil, face.lastSnapshot == nil {
      worsen(.unprotected, "the first snapshot is not taken yet")
    }
    if let error = face.captureError, error != face.engineError {
      worsen(.unprotected, "the last snapshot failed and is tried again: \(error)")
    }
    if let error = face.engineError { worsen(.unprotected, error) }
  }

  private mutating func judge(_ watch: WatchStatus) {
    for (reason, count) in FolderStatus.counts(watch.uncovered) {
      worsen(.degraded, FolderStatus.text(reason, directories: count))
    }
    if watch.missedChanges > 0 {
      worsen(
        .degraded,
        "\(watch.missedChanges) changes were missed by the watcher and found by a scan;"
          + " please report it")
    }
    switch watch.condition {
    case .watching: break
    case .arming: worsen(.degraded, "the folder's directories are being watched and looked at")
    // Told by the root among the uncovered paths.
    case .unwatched: if state == .protected { state = .degraded }
    case .held(let reason): worsen(.unprotected, FolderStatus.text(reason, path: path))
    }
  }

  private mutating func judge(_ problems: [Snapshot.Problem]) {
    for kind in [Snapshot.Problem.Kind.unreadable, .changing, .unsupported] {
      let paths = problems.filter { $0.kind == kind }
      guard let first = paths.first else { continue }
      worsen(.degraded, FolderStatus.text(kind, first, count: paths.count))
    }
  }

  private mutating func worsen(_ worse: State, _ reason: String) {
    // A pause is what somebody wants, and explains what else may be: only what is worse overrides it.
    if state != .unprotected, state != .paused || worse == .unprotected { state = worse }
    reasons.append(reason)
  }

  private static func phase(_ face: FolderFace, _ watch: WatchStatus?) -> Phase {
    if case .held = watch?.condition { return .offline }
    if let basis = face.capturing { return basis == .events ? .snapshotting : .scanning }
    guard let watch, watch.condition != .arming else { return .scanning }
    if watch.dirtyPaths == 0 { return .idle }
    return face.isHoldingBack ? .dirty : .settling
  }

  private static func text(_ pause: FolderFace.Pause, path: String) -> String {
    let end = "dtm -C \(Quoting.shell(Array(path.utf8))) resume"
    guard let until = pause.until else {
      return "automatic snapshots are held until somebody resumes them: \(end)"
    }
    return "automatic snapshots are held until \(LocalCalendar().display(until)); at once: \(end)"
  }

  private static func text(_ alarm: GuardRecord, path: String) -> String {
    let command = "dtm -C \(Quoting.shell(Array(path.utf8)))"
    let calendar = LocalCalendar()
    let (good, damaged) = (alarm.good.hex.prefix(8), alarm.damaged.hex.prefix(8))
    let hold = alarm.holdsRetention ? "nothing is pruned" : "this is shown"
    return "the guard: \(alarm.reason), at \(calendar.display(alarm.time));"
      + " look: \(command) diff \(good) \(damaged); go back: \(command) restore \(good);"
      + " it is as it should be: \(command) guard release (else \(hold) until"
      + " \(calendar.display(alarm.until)))"
  }

  private static func counts(
    _ uncovered: [UncoveredPath]
  ) -> [(reason: UncoveredReason, count: Int)] {
    var counts: [(reason: UncoveredReason, count: Int)] = []
    for path in uncovered {
      if let place = counts.firstIndex(where: { $0.reason == path.reason }) {
        counts[place].count += 1
      } else {
        counts.append((path.reason, 1))
      }
    }
    return counts
  }

  private static func text(_ reason: UncoveredReason, directories count: Int) -> String {
    let directories = count == 1 ? "1 directory" : "\(count) directories"
    return switch reason {
    case .watchLimit:
      "the user's inotify watches are used up, \(directories) are found by scans only;"
        + " raise the limit: sysctl -w fs.inotify.max_user_watches=1048576"
    case .instanceLimit:
      "the user's inotify instances are used up, changes are found by scans only;"
        + " raise the limit: sysctl -w fs.inotify.max_user_instances=1024"
    case .remoteFileSystem:
      "a network or FUSE file system tells no changes of others, \(directories) are found by"
        + " scans only"
    case .overflow:
      "the kernel dropped events again and again, changes are found by scans;"
        + " raise the limit: sysctl -w fs.inotify.max_queued_events=262144"
    case .permission:
      "\(directories) may not be read by the repository's owner; grant it, or ignore them"
    case .mountPoint:
      "on \(directories) another file system is mounted, whose content is not captured"
    case .failure: "the system refused to watch \(directories)"
    }
  }

  private static func text(
    _ kind: Snapshot.Problem.Kind, _ first: Snapshot.Problem, count: Int
  ) -> String {
    let more = count > 1 ? " and \(count - 1) more" : ""
    let path = "\(Quoting.path(first.key.path))\(more)"
    return switch kind {
    case .unreadable:
      "\(path) can't be read by the repository's owner (\(first.detail)): grant it, or ignore it"
    case .changing: "\(path) never held still while it was read; it is captured again"
    case .unsupported: "\(path) can't be recorded as it is: \(first.detail)"
    }
  }

  private static func text(_ reason: HoldReason, path: String) -> String {
    let command = "dtm -C \(Quoting.shell(Array(path.utf8)))"
    return switch reason {
    case .gone: "there is nothing at \(path); \(command) restore brings the folder back"
    case .notDirectory: "what is at \(path) is no directory"
    case .unreadable(let error): "\(path) can't be looked at: \(error)"
    case .empty: "\(path) is empty; if that is right: \(command) snapshot"
    case .otherFileSystem:
      "another file system is at \(path) than before; if that is right: \(command) snapshot"
    }
  }
}
