internal import DTMControl
internal import DTMFolder
internal import DTMRepository
internal import DTMSystem

/// A boundary that was reported.
struct TakenStage {
  let key: StageKey
  let taken: TakenSnapshot
}

/// Records boundaries of pipelines: by the daemon that protects the folder, else here.
struct StageTaking {
  /// How long other runs that take their snapshots are waited for: hundreds may begin at once.
  private static let patience = Duration.seconds(600)

  let access: FolderAccess
  private var invocation: Invocation { access.invocation }

  /// What a boundary is reported with.
  struct Report {
    var wish: StageWish
    var labels: [String: String] = [:]
    var message: String?
    var kind = "stage"
  }

  /// Records one, once; after return it is durable. `daemon`: who is asked; nil: nobody, it is done here.
  func take(
    _ report: Report, by daemon: DaemonLink.ProtectedFolder?, holds: Bool = false
  ) throws -> TakenStage {
    if let daemon { return try ask(daemon, report, holds: holds) }
    try Restoring(access).recoverIfNeeded()
    return try takeHere(report)
  }

  /// The daemon that protects the folder; nil where none does.
  func daemon() throws -> DaemonLink.ProtectedFolder? {
    try DaemonLink(invocation).folder(access.location.folder)
  }

  private func ask(
    _ daemon: DaemonLink.ProtectedFolder, _ report: Report, holds: Bool
  ) throws -> TakenStage {
    let wish = report.wish
    var request = StageRequest(
      folder: daemon.name, event: wish.event.rawValue, stage: wish.stage)
    request.pipeline = wish.pipeline.isEmpty ? nil : wish.pipeline
    request.runID = wish.run
    request.attempt = wish.attempt
    request.isNewAttempt = wish.isNewAttempt
    request.labels = report.labels
    request.message = report.message
    request.kind = report.kind
    request.holder = wish.holder
    request.holds = holds
    let outcome = try daemon.client.stage(request)
    guard let id = ObjectID(hex: outcome.snapshot.id) else {
      throw CommandFailure(.inputOutput, "the daemon's answer holds no id")
    }
    try access.refresh()
    let key = StageKey(
      pipeline: wish.pipeline, run: outcome.runID, stage: wish.stage, attempt: outcome.attempt)
    return TakenStage(
      key: key,
      taken: TakenSnapshot(
        known: try access.history.snapshot(id), isCreated: outcome.isCreated))
  }

  /// Decides and records under the capture lock, so that no other process does meanwhile.
  private func takeHere(_ report: Report) throws -> TakenStage {
    let folder = try access.openFolder()
    try invocation.progress.during("waiting for other runs") {
      try folder.hold(patience: Self.patience)
    }
    defer { folder.release() }
    var log = StageLog(folder: access.id)
    try log.refresh(access.repository)
    if report.wish.event == .begin { try recordDead(&log) }
    let now = invocation.time.now()
    switch try log.decide(report.wish, freshRun: RunID.fresh(at: now)) {
    case .known(let entry):
      try access.refresh()
      return TakenStage(
        key: entry.fact.key,
        taken: TakenSnapshot(
          known: try access.history.snapshot(entry.snapshot), isCreated: false))
    case .new(let fact): return try record(fact, report)
    }
  }

  private func record(_ fact: StageFact, _ report: Report) throws -> TakenStage {
    var wish = SnapshotWish()
    wish.trigger = report.kind
    wish.message = report.message ?? fact.message
    wish.labels = report.labels.merging(fact.labels) { $1 }
    wish.facts[StageFact.name] = fact.encoded
    return TakenStage(key: fact.key, taken: try SnapshotTaking(access: access).takeHere(wish))
  }

  /// Where no daemon saw runs die, the next one that begins says so.
  private func recordDead(_ log: inout StageLog) throws {
    for entry in log.dead {
      let fact = StageFact(entry.fact.key, .abandoned)
      let wish = StageWish(.abandoned, stage: fact.key.stage)
      let kind = fact.key.stage.isEmpty ? "run" : "stage"
      _ = try record(fact, Report(wish: wish, kind: kind))
    }
    try log.refresh(access.repository)
  }
}
