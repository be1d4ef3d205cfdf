package import DTMRepository
package import DTMSystem

/// Which boundary of a pipeline it is: a stage of a run, tried for the nth time.
package struct StageKey: Sendable, Hashable {
  /// Empty where runs of one pipeline only have this folder.
  package var pipeline: String
  package var run: String
  /// Empty for a run that has no stages.
  package var stage: String
  /// From 1.
  package var attempt: Int

  package init(pipeline: String = "", run: String, stage: String, attempt: Int) {
    self.pipeline = pipeline
    self.run = run
    self.stage = stage
    self.attempt = attempt
  }

  /// What a message calls it: `stage clean of run 7, attempt 2`.
  package var words: String {
    let name = stage.isEmpty ? "run \(run)" : "stage \(stage) of run \(run)"
    return attempt == 1 ? name : "\(name), attempt \(attempt)"
  }
}

/// What happens at a boundary of a pipeline.
package enum StageEvent: String, Sendable, CaseIterable {
  case begin
  /// It ended well.
  case ok
  case failed
  /// Whoever was at work died.
  case abandoned

  /// Whether it is an outcome.
  package var isEnd: Bool { self != .begin }
}

/// The fact that makes a snapshot a boundary of a pipeline (format: The ref log).
package struct StageFact: Sendable, Equatable {
  /// The fact's key.
  package static let name = "stage"
  /// Of a name; what a line can show.
  package static let longestName = 200

  package var key: StageKey
  package var event: StageEvent
  /// Which process is at work (`ProcessMark`), where one is known.
  package var holder: String?

  package init(_ key: StageKey, _ event: StageEvent, holder: String? = nil) {
    self.key = key
    self.event = event
    self.holder = holder
  }

  /// Event, attempt, stage, run, pipeline and holder, each ended by a NUL.
  package var encoded: [UInt8] {
    var bytes: [UInt8] = []
    let fields = [
      event.rawValue, String(key.attempt), key.stage, key.run, key.pipeline, holder ?? "",
    ]
    for field in fields {
      bytes += Array(field.utf8)
      bytes.append(0)
    }
    return bytes
  }

  /// Nil for a value that is none; fields behind the known ones are passed over.
  package init?(decoding bytes: [UInt8]) {
    guard bytes.last == 0 else { return nil }
    let fields = bytes.dropLast().split(separator: 0, omittingEmptySubsequences: false).map {
      String(decoding: $0, as: UTF8.self)
    }
    guard fields.count >= 6, let event = StageEvent(rawValue: fields[0]),
      let attempt = Int(fields[1]), attempt > 0, !fields[3].isEmpty
    else { return nil }
    self.init(
      StageKey(pipeline: fields[4], run: fields[3], stage: fields[2], attempt: attempt), event,
      holder: fields[5].isEmpty ? nil : fields[5])
  }

  /// What the snapshot says where nobody says more: `clean begin`.
  package var message: String {
    "\(key.stage.isEmpty ? "run" : key.stage) \(event.rawValue)"
  }

  /// The labels of the boundary's snapshot.
  package var labels: [String: String] {
    var labels = ["run_id": key.run]
    if !key.stage.isEmpty {
      labels["stage"] = key.stage
      labels["attempt"] = String(key.attempt)
    }
    if !key.pipeline.isEmpty { labels["pipeline"] = key.pipeline }
    if event.isEnd { labels["outcome"] = event.rawValue }
    return labels
  }

  /// Why a text can't name a pipeline, run or stage; nil where it can.
  package static func objection(to name: String) -> String? {
    if name.isEmpty { return "it is empty" }
    if name.utf8.count > longestName { return "it is longer than \(longestName) bytes" }
    if name.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) {
      return "it holds a control character"
    }
    return nil
  }
}

/// A boundary that is recorded.
package struct StageEntry: Sendable {
  package let fact: StageFact
  package internal(set) var snapshot: ObjectID
  /// The record of the ref log that it came with.
  package let sequence: UInt64
  package let time: Timestamp
}
