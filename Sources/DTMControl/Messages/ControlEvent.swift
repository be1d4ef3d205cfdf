package import DTMSystem

/// Something that happened in the daemon, as `Events` streams it; which members a kind has stands in
/// the interface (io.dtm.Daemon.varlink).
package struct ControlEvent: Sendable, Equatable {
  /// What happened. The raw values are the interface's words.
  package enum Kind: String, Sendable, CaseIterable {
    case begin, state, snapshot, restoreBegan, restoreEnded, paused, resumed, reloaded, refused
    case alert, dropped, end
  }

  /// What somebody should look at.
  package enum Alert: String, Sendable, CaseIterable {
    case snapshotFailed, eventsLost, repositoryUnavailable, changeMissed, checkFailed
    case guardAlarm
  }

  package var kind: Kind
  package var time: Timestamp
  /// The folder's name.
  package var folder: String?
  /// The folder's absolute path.
  package var path: String?
  package var version: String?
  package var state: FolderStatus.State?
  package var phase: FolderStatus.Phase?
  package var reasons: [String]?
  /// When a pause ends by itself.
  package var until: Timestamp?
  package var snapshot: SnapshotSummary?
  /// Why the snapshot was taken, as in a snapshot's JSON.
  package var trigger: String?
  package var rules: [String]?
  package var changedEntries: Int?
  package var storedBytes: Int?
  package var duration: Duration?
  /// `restore`, `checkout`, `undo`, `redo`.
  package var operation: String?
  package var files: [String]?
  package var alert: Alert?
  package var reason: String?
  /// The snapshot before the damage.
  package var good: String?
  package var count: Int?

  package init(_ kind: Kind, at time: Timestamp, folder: String? = nil, path: String? = nil) {
    self.kind = kind
    self.time = time
    self.folder = folder
    self.path = path
  }
}

extension ControlEvent {
  /// The event; nil for one of a kind that only a newer program knows.
  static func known(_ fields: MessageFields) throws(FieldError) -> ControlEvent? {
    Kind(rawValue: try fields.string("kind")) == nil ? nil : try ControlEvent(fields)
  }

  /// Members that this program does not know are passed over.
  init(_ fields: MessageFields) throws(FieldError) {
    guard let time = Timestamp(rfc3339: try fields.string("time")) else {
      throw FieldError(name: "time")
    }
    self.init(
      try fields.word("kind", Kind.self), at: time, folder: try fields.optionalString("folder"),
      path: try fields.optionalString("path"))
    version = try fields.optionalString("version")
    state = try fields.optionalWord("state", FolderStatus.State.self)
    phase = try fields.optionalWord("phase", FolderStatus.Phase.self)
    reasons = try fields.optionalStrings("reasons")
    until = try fields.optionalTime("until")
    snapshot = try fields.optionalObject("snapshot")
      .map { fields throws(FieldError) in try SnapshotSummary(fields) }
    trigger = try fields.optionalString("trigger")
    rules = try fields.optionalStrings("rules")
    changedEntries = try fields.optionalInt("changedEntries")
    storedBytes = try fields.optionalInt("storedBytes")
    duration = try fields.optionalDouble("durationSeconds").map { .seconds(min($0, 1e9)) }
    operation = try fields.optionalString("operation")
    files = try fields.optionalStrings("files")
    alert = try fields.optionalWord("alert", Alert.self)
    reason = try fields.optionalString("reason")
    good = try fields.optionalString("good")
    count = try fields.optionalInt("count")
  }

  /// Writes the members that are there, in Varlink as in JSON output.
  package func write(_ writer: inout JSONWriter) {
    writer.field("kind", kind.rawValue)
    writer.field("time", time.rfc3339)
    func text(_ name: String, _ value: String?) { if let value { writer.field(name, value) } }
    func number(_ name: String, _ value: Int?) { if let value { writer.field(name, value) } }
    func list(_ name: String, _ value: [String]?) {
      if let value { writer.field(name, strings: value) }
    }
    text("folder", folder)
    text("path", path)
    text("version", version)
    text("state", state?.rawValue)
    text("phase", phase?.rawValue)
    list("reasons", reasons)
    text("until", until?.rfc3339)
    if let snapshot {
      writer.key("snapshot")
      writer.object(snapshot.write)
    }
    text("trigger", trigger)
    list("rules", rules)
    number("changedEntries", changedEntries)
    number("storedBytes", storedBytes)
    if let duration { writer.field("durationSeconds", duration / .seconds(1)) }
    text("operation", operation)
    list("files", files)
    text("alert", alert?.rawValue)
    text("reason", reason)
    text("good", good)
    number("count", count)
  }

  /// One reply of the stream, with its NUL; after the last one none follows.
  package func reply(isLast: Bool = false) -> [UInt8] {
    VarlinkReply.bytes(continues: !isLast) { writer in
      writer.key("event")
      writer.object(write)
    }
  }
}
