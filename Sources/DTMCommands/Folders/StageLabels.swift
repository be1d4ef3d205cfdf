internal import DTMFolder
internal import DTMSystem

/// The labels that a boundary is reported with, apart from those that say which one it is.
struct StageLabels {
  var labels: [String: String] = [:]
  var pipeline = ""
  var run: String?

  /// Takes `pipeline` and `run_id` out of labels; throws for those that a boundary sets itself.
  init(_ arguments: [LabelArgument], run: String?, environment: [String: String]) throws {
    var labels = LabelArgument.dictionary(arguments)
    for key in ["stage", "attempt", "outcome", "exit_status"] where labels[key] != nil {
      throw CommandFailure(
        .usage, "--label \(key)=…: the boundary of a stage has this label by itself",
        hint: "take another key")
    }
    pipeline = labels.removeValue(forKey: "pipeline") ?? ""
    let labelled = labels.removeValue(forKey: "run_id")
    let inherited = environment["DTM_RUN_ID"].flatMap { $0.isEmpty ? nil : $0 }
    self.run = run ?? labelled ?? inherited
    self.labels = labels
    if !pipeline.isEmpty { try Self.check(pipeline, "a pipeline") }
    if let run = self.run { try Self.check(run, "a run") }
  }

  /// Throws where a text can't name something of a pipeline.
  static func check(_ name: String, _ what: String) throws(CommandFailure) {
    if let objection = StageFact.objection(to: name) {
      throw CommandFailure(
        .usage, "\(Quoting.path(Array(name.utf8))) can't be the name of \(what)",
        details: [objection])
    }
  }
}
