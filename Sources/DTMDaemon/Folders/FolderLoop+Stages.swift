internal import DTMConfiguration
internal import DTMControl
internal import DTMFolder
internal import DTMRules
internal import DTMSystem
internal import Synchronization

/// Boundaries of pipelines.
///
/// The thread holds the capture lock: what is decided by the boundaries that are recorded is recorded
/// before anybody else decides.
extension FolderLoop {
  /// Records a boundary, unless it is recorded already, and answers.
  mutating func stage(
    _ request: StageRequest, _ event: StageEvent, user: UInt32, holder: UInt64?,
    _ answer: @escaping FolderMessage.Answer<StageOutcome>
  ) {
    var wish = StageWish(event, stage: request.stage)
    wish.pipeline = request.pipeline ?? ""
    wish.run = request.runID
    wish.attempt = request.attempt
    wish.isNewAttempt = request.isNewAttempt
    wish.holder = request.holder
    let kind = request.kind.flatMap { TriggerKind(rawValue: $0) } ?? .stage
    guard kind == .stage || kind == .run else {
      return answer(.failure(.invalidParameter("kind")))
    }
    do throws(FolderEngineError) {
      guard let engine else {
        let reason = shared.state.withLock { $0.face.engineError }
        throw FolderEngineError(.unavailable, reason ?? "the repository is not open")
      }
      switch try engine.decide(wish) {
      case .known(let entry):
        let key = entry.fact.key
        if event == .begin, let holder { heldStages[holder] = key }
        answer(
          .success(
            StageOutcome(
              snapshot: try engine.snapshot(entry.snapshot), isCreated: false, runID: key.run,
              attempt: key.attempt)))
      case .new(let fact):
        if event == .begin, let holder { heldStages[holder] = fact.key }
        record(fact, request, kind, user: user, answer)
      }
    } catch {
      answer(.failure(Self.fault(of: error)))
    }
  }

  private mutating func record(
    _ fact: StageFact, _ request: StageRequest, _ kind: TriggerKind, user: UInt32,
    _ answer: @escaping FolderMessage.Answer<StageOutcome>
  ) {
    var snapshot = DTMControl.SnapshotRequest(folder: request.folder)
    snapshot.message = request.message ?? fact.message
    snapshot.labels = request.labels.merging(fact.labels) { $1 }
    lastTicket += 1
    let firings = rules?.stage(fact.key.stage) ?? []
    requests[lastTicket] = Request(
      request: snapshot, user: user, stage: fact, firings: firings
    ) { result in
      answer(
        result.map { outcome in
          StageOutcome(
            snapshot: outcome.snapshot, isCreated: outcome.isCreated, runID: fact.key.run,
            attempt: fact.key.attempt)
        })
    }
    perform(
      settler.on(
        .requested(SettleRequest(kind: kind, ticket: lastTicket)), at: time.monotonic()))
  }

  /// Records that those are abandoned whose holders went.
  mutating func abandonStages() {
    let gone = shared.goneHolders.withLock { gone in
      defer { gone = [] }
      return gone
    }
    for holder in gone {
      guard let key = heldStages.removeValue(forKey: holder) else { continue }
      // The connection ends with the daemon; that says nothing of who was at work.
      if shared.isStopping.load(ordering: .relaxed) { continue }
      var request = StageRequest(
        folder: configuration.name, event: StageEvent.abandoned.rawValue, stage: key.stage)
      request.pipeline = key.pipeline
      request.runID = key.run
      request.attempt = key.attempt
      if key.stage.isEmpty { request.kind = TriggerKind.run.rawValue }
      // Where it has ended, this is nothing; a failure was recorded with its capture.
      stage(request, .abandoned, user: identity?.uid ?? 0, holder: nil) { _ in }
    }
  }

  private static func fault(of error: FolderEngineError) -> DaemonFault {
    switch error.code {
    case .stageEnded: .stageRefused(reason: error.message, isKnown: true)
    case .noStage: .stageRefused(reason: error.message, isKnown: false)
    case .locked: .busy(reason: error.message)
    case .permissionDenied: .permissionDenied(reason: error.message)
    default: .snapshotFailed(reason: error.message, path: error.path)
    }
  }
}
