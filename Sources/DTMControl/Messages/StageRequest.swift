package import DTMSystem

/// What `Stage` is asked for.
package struct StageRequest: Sendable, Equatable {
  package var folder: String
  /// `begin`, `ok`, `failed`.
  package var event: String
  /// Empty for a run as a whole.
  package var stage: String
  package var pipeline: String?
  /// Without it a begin is a new run, an end the one that is open.
  package var runID: String?
  package var attempt: Int?
  /// A begin is another attempt, whatever there is.
  package var isNewAttempt = false
  package var labels: [String: String] = [:]
  package var message: String?
  /// The trigger's kind: `stage` where nothing is said, or `run`.
  package var kind: String?
  /// The process at work, as `ProcessMark` has it.
  package var holder: String?
  /// A begin is abandoned when the connection ends before it.
  package var holds = false

  package init(folder: String, event: String, stage: String) {
    self.folder = folder
    self.event = event
    self.stage = stage
  }

  init(_ fields: MessageFields) throws(FieldError) {
    try fields.allow(
      "folder", "event", "stage", "pipeline", "runId", "attempt", "newAttempt", "labels",
      "message", "kind", "holder", "hold")
    self.init(
      folder: try fields.string("folder"), event: try fields.string("event"),
      stage: try fields.string("stage"))
    pipeline = try fields.optionalString("pipeline")
    runID = try fields.optionalString("runId")
    attempt = try fields.optionalInt("attempt")
    if let attempt, attempt < 1 { throw FieldError(name: "attempt") }
    isNewAttempt = try fields.optionalBool("newAttempt") ?? false
    labels = try fields.optionalDictionary("labels") ?? [:]
    message = try fields.optionalString("message")
    kind = try fields.optionalString("kind")
    holder = try fields.optionalString("holder")
    holds = try fields.optionalBool("hold") ?? false
  }

  func write(_ writer: inout JSONWriter) {
    writer.field("folder", folder)
    writer.field("event", event)
    writer.field("stage", stage)
    if let pipeline { writer.field("pipeline", pipeline) }
    if let runID { writer.field("runId", runID) }
    if let attempt { writer.field("attempt", attempt) }
    if isNewAttempt { writer.field("newAttempt", true) }
    if !labels.isEmpty {
      writer.key("labels")
      writer.object { writer in
        for (key, value) in labels.sorted(by: { $0.key < $1.key }) { writer.field(key, value) }
      }
    }
    if let message { writer.field("message", message) }
    if let kind { writer.field("kind", kind) }
    if let holder { writer.field("holder", holder) }
    if holds { writer.field("hold", true) }
  }
}

/// What `Stage` returns.
package struct StageOutcome: Sendable, Equatable {
  package var snapshot: SnapshotSummary
  /// False where it was recorded already.
  package var isCreated: Bool
  package var runID: String
  package var attempt: Int

  package init(snapshot: SnapshotSummary, isCreated: Bool, runID: String, attempt: Int) {
    self.snapshot = snapshot
    self.isCreated = isCreated
    self.runID = runID
    self.attempt = attempt
  }

  init(_ fields: MessageFields) throws(FieldError) {
    self.init(
      snapshot: try SnapshotSummary(fields.object("snapshot")),
      isCreated: try fields.bool("created"), runID: try fields.string("runId"),
      attempt: try fields.int("attempt"))
  }

  /// Writes the members of the reply.
  package func write(_ writer: inout JSONWriter) {
    writer.key("snapshot")
    writer.object(snapshot.write)
    writer.field("created", isCreated)
    writer.field("runId", runID)
    writer.field("attempt", attempt)
  }
}
