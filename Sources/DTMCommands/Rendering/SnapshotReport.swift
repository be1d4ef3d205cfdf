package import DTMFolder
internal import DTMRepository
package import DTMSystem

/// A snapshot with what was learnt about it since: what is printed of it.
package struct SnapshotReport {
  let id: ObjectID
  let snapshot: Snapshot
  /// Those it was made with, and those added later.
  private(set) var labels: [String: String]
  let tags: [String]
  let isPinned: Bool
  /// Results of the user's checks, by name.
  private(set) var checks: [String: String] = [:]
  private(set) var storedBytes: Int?
  private(set) var durationInMicroseconds: Int?
  private(set) var rewrittenFrom: String?
  /// Damage that the guard saw in it.
  private(set) var alarm: GuardRecord?
  /// Rules that fired when nothing had changed since it.
  private var addedRules: [String] = []

  /// `facts`: what the ref log says of it.
  init(_ known: KnownSnapshot, facts: [String: [UInt8]], history: History) {
    id = known.id
    snapshot = known.snapshot
    labels = known.snapshot.labels
    tags = history.tags.filter { $0.snapshot == known.id }.map(\.name)
    isPinned = history.isPinned(known.id)
    for (key, value) in facts {
      let text = String(decoding: value, as: UTF8.self)
      switch key {
      case "storedBytes": storedBytes = Int(text)
      case RefLog.durationFact: durationInMicroseconds = Int(text)
      case "rewrittenFrom": rewrittenFrom = text
      case GuardRecord.name: alarm = GuardRecord(known.id, decoding: value)
      case _ where key.hasPrefix("label:"): labels[String(key.dropFirst("label:".count))] = text
      case _ where key.hasPrefix("rule:"): addedRules.append(String(key.dropFirst("rule:".count)))
      case _ where key.hasPrefix("check:"): checks[String(key.dropFirst("check:".count))] = text
      default: break
      }
    }
  }

  /// Whether there are checks, and each of them passed.
  var isGood: Bool { !checks.isEmpty && checks.values.allSatisfy { $0 == "pass" } }

  /// Whether something about it is to be looked at.
  var isFlagged: Bool {
    let outcome = labels["outcome"]
    return !snapshot.isComplete || alarm != nil || outcome == "failed"
      || outcome == "abandoned" || checks.values.contains { $0 != "pass" }
  }

  /// One of which nothing was learnt since.
  package init(_ known: KnownSnapshot, tags: [String] = [], isPinned: Bool = false) {
    id = known.id
    snapshot = known.snapshot
    labels = known.snapshot.labels
    self.tags = tags
    self.isPinned = isPinned
  }

  /// Writes the members of the object that stands for it.
  package func write(_ writer: inout JSONWriter) {
    writer.field("id", id.hex)
    writer.field("parent", snapshot.parent?.hex)
    writer.field("branch", snapshot.branch)
    writer.field("time", snapshot.time.rfc3339)
    writer.field("tree", snapshot.tree.hex)
    writer.field("basis", snapshot.basis.rawValue)
    writer.field("message", snapshot.message)
    writer.object("trigger") { writer in
      writer.field("kind", snapshot.trigger)
      writer.field("rules", strings: snapshot.rules + addedRules.sorted())
    }
    Self.write(labels, as: "labels", &writer)
    writer.field("tags", strings: tags)
    writer.field("pinned", isPinned)
    Self.write(checks, as: "checks", &writer)
    writer.field("host", snapshot.host)
    writer.field("user", snapshot.user)
    writer.field("files", snapshot.counts.files)
    writer.field("bytes", snapshot.counts.bytes)
    writer.field("added", snapshot.counts.added)
    writer.field("modified", snapshot.counts.modified)
    writer.field("removed", snapshot.counts.removed)
    writer.field("storedBytes", storedBytes)
    writer.field("durationSeconds", durationInMicroseconds.map { Double($0) / 1_000_000 })
    writer.field("complete", snapshot.isComplete)
    writer.field("hot", paths: snapshot.hot)
    writer.field("uncovered", paths: snapshot.uncovered)
    writer.array("problems") { writer in
      for problem in snapshot.problems { writer.problem(problem) }
    }
    writer.field("rewrittenFrom", rewrittenFrom)
    writer.field("guard", alarm?.reason)
  }

  private static func write(
    _ words: [String: String], as name: String, _ writer: inout JSONWriter
  ) {
    writer.object(name) { writer in
      for (key, value) in words.sorted(by: { $0.key < $1.key }) { writer.field(key, value) }
    }
  }
}

extension JSONWriter {
  /// A path that a snapshot or a restore does not have as it should be.
  mutating func problem(_ problem: Snapshot.Problem) {
    object { writer in
      writer.field("path", path: problem.key)
      writer.field("kind", problem.kind.rawValue)
      writer.field("detail", problem.detail)
    }
  }
}
