internal import DTMSystem

/// A run of a pipeline, as the log has it.
package struct PipelineRun: Sendable {
  /// A stage of it, tried once.
  package struct Stage: Sendable {
    package let key: StageKey
    package var before: StageEntry?
    package var after: StageEntry?
    /// Whether the process that was at work is known to be dead, and nobody said how it ended.
    package var isDead: Bool {
      guard after == nil, let holder = before?.fact.holder else { return false }
      return !ProcessMark.isAlive(holder)
    }

    /// `running`, or how it ended.
    package var outcome: String {
      if let after { return after.fact.event.rawValue }
      return isDead ? StageEvent.abandoned.rawValue : "running"
    }
  }

  package let pipeline: String
  package let run: String
  /// In the order in which they began.
  package var stages: [Stage] = []

  /// The run as a whole: what it is about itself, else the worst of its stages' last attempts.
  package var outcome: String {
    if let whole = stages.last(where: { $0.key.stage.isEmpty }) { return whole.outcome }
    var last: [String: String] = [:]
    for stage in stages { last[stage.key.stage] = stage.outcome }
    let order = [StageEvent.failed.rawValue, StageEvent.abandoned.rawValue, "running"]
    return order.first { last.values.contains($0) } ?? StageEvent.ok.rawValue
  }

  /// What the folder was before it, and after it; nil where nobody said.
  package var before: StageEntry? { stages.first?.before }
  package var after: StageEntry? {
    stages.compactMap(\.after).max { $0.sequence < $1.sequence }
  }
}

extension StageLog {
  /// The runs, the one that began last first.
  package var runs: [PipelineRun] {
    var places: [StageKey: Int] = [:]
    var stagePlaces: [StageKey: Int] = [:]
    var runs: [PipelineRun] = []
    for entry in entries {
      let key = entry.fact.key
      let runKey = StageKey(pipeline: key.pipeline, run: key.run, stage: "", attempt: 0)
      let place = places[runKey] ?? runs.count
      if place == runs.count {
        places[runKey] = place
        runs.append(PipelineRun(pipeline: key.pipeline, run: key.run))
      }
      let stagePlace = stagePlaces[key] ?? runs[place].stages.count
      if stagePlace == runs[place].stages.count {
        stagePlaces[key] = stagePlace
        runs[place].stages.append(PipelineRun.Stage(key: key))
      }
      if entry.fact.event.isEnd {
        runs[place].stages[stagePlace].after = entry
      } else {
        runs[place].stages[stagePlace].before = entry
      }
    }
    return runs.reversed()
  }
}
