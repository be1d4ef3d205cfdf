package import DTMSystem

/// What `Snapshot` is asked for.
package struct SnapshotRequest: Sendable, Equatable {
  /// How much of the folder is looked at.
  package enum Look: String, Sendable {
    /// What the watcher says changed.
    case changes
    /// Everything is looked at (stat).
    case scan
    /// Everything is read.
    case full
  }

  /// A name of the configuration, or an absolute path of the folder.
  package var folder: String
  package var message: String?
  package var labels: [String: String]
  package var tag: String?
  package var pin: Bool
  /// The trigger's kind as in a snapshot's JSON (`manual` where nothing is said).
  package var kind: String?
  /// No snapshot where nothing changed.
  package var ifChanged: Bool
  package var look: Look
  /// Another time than now.
  package var time: Timestamp?

  package init(
    folder: String, message: String? = nil, labels: [String: String] = [:], tag: String? = nil,
    pin: Bool = false, kind: String? = nil, ifChanged: Bool = false, look: Look = .changes,
    time: Timestamp? = nil
  ) {
    self.folder = folder
    self.message = message
    self.labels = labels
    self.tag = tag
    self.pin = pin
    self.kind = kind
    self.ifChanged = ifChanged
    self.look = look
    self.time = time
  }

  init(_ fields: MessageFields) throws(FieldError) {
    try fields.allow(
      "folder", "message", "labels", "tag", "pin", "kind", "ifChanged", "basis", "time")
    self.init(
      folder: try fields.string("folder"), message: try fields.optionalString("message"),
      labels: try fields.optionalDictionary("labels") ?? [:],
      tag: try fields.optionalString("tag"), pin: try fields.optionalBool("pin") ?? false,
      kind: try fields.optionalString("kind"),
      ifChanged: try fields.optionalBool("ifChanged") ?? false)
    if let word = try fields.optionalString("basis") {
      guard let look = Look(rawValue: word), look != .changes else {
        throw FieldError(name: "basis")
      }
      self.look = look
    }
    if let text = try fields.optionalString("time") {
      guard let time = Timestamp(rfc3339: text) else { throw FieldError(name: "time") }
      self.time = time
    }
  }

  func write(_ writer: inout JSONWriter) {
    writer.field("folder", folder)
    if let message { writer.field("message", message) }
    if !labels.isEmpty {
      writer.key("labels")
      writer.object { writer in
        for (key, value) in labels.sorted(by: { $0.key < $1.key }) { writer.field(key, value) }
      }
    }
    if let tag { writer.field("tag", tag) }
    if pin { writer.field("pin", true) }
    if let kind { writer.field("kind", kind) }
    if ifChanged { writer.field("ifChanged", true) }
    if look != .changes { writer.field("basis", look.rawValue) }
    if let time { writer.field("time", time.rfc3339) }
  }
}

/// What `Snapshot` returns.
package struct SnapshotOutcome: Sendable, Equatable {
  package var snapshot: SnapshotSummary
  /// False where the snapshot was there already, as nothing changed.
  package var isCreated: Bool

  package init(snapshot: SnapshotSummary, isCreated: Bool) {
    self.snapshot = snapshot
    self.isCreated = isCreated
  }
}

/// What `Wait` is asked for.
package struct WaitRequest: Sendable, Equatable {
  package var folder: String
  /// And nothing was written for so long.
  package var quiet: Duration?
  package var timeout: Duration?

  /// A year: longer times are the same to everyone, and a number that is too large for a
  /// `Duration` never reaches one.
  static let longestInSeconds = 366.0 * 86_400

  package init(folder: String, quiet: Duration? = nil, timeout: Duration? = nil) {
    self.folder = folder
    self.quiet = quiet
    self.timeout = timeout
  }

  init(_ fields: MessageFields) throws(FieldError) {
    try fields.allow("folder", "quietSeconds", "timeoutSeconds")
    self.init(
      folder: try fields.string("folder"),
      quiet: try WaitRequest.duration(fields, "quietSeconds"),
      timeout: try WaitRequest.duration(fields, "timeoutSeconds"))
  }

  private static func duration(
    _ fields: MessageFields, _ name: String
  ) throws(FieldError) -> Duration? {
    guard let seconds = try fields.optionalDouble(name) else { return nil }
    if seconds < 0 { throw FieldError(name: name) }
    return .seconds(min(seconds, longestInSeconds))
  }

  func write(_ writer: inout JSONWriter) {
    writer.field("folder", folder)
    if let quiet { writer.field("quietSeconds", quiet / .seconds(1)) }
    if let timeout { writer.field("timeoutSeconds", timeout / .seconds(1)) }
  }
}

/// What `Pause` is asked for.
package struct PauseRequest: Sendable, Equatable {
  package var folder: String
  /// When it resumes by itself; nil for a pause that somebody ends.
  package var duration: Duration?

  package init(folder: String, duration: Duration? = nil) {
    self.folder = folder
    self.duration = duration
  }

  init(_ fields: MessageFields) throws(FieldError) {
    try fields.allow("folder", "seconds")
    self.init(folder: try fields.string("folder"))
    guard let seconds = try fields.optionalInt("seconds") else { return }
    if seconds <= 0 { throw FieldError(name: "seconds") }
    duration = .seconds(min(Double(seconds), WaitRequest.longestInSeconds))
  }

  func write(_ writer: inout JSONWriter) {
    writer.field("folder", folder)
    guard let duration else { return }
    // Whole seconds, and never so few that there would be no pause.
    writer.field("seconds", Int(max(1, (duration / .seconds(1)).rounded(.up))))
  }
}

/// What `Announce` says: changes to these paths are the caller's own while the connection lives.
package struct AnnounceRequest: Sendable, Equatable {
  package var folder: String
  /// `restore`, `checkout`, `undo`, `redo`: the trigger of the snapshot that they make.
  package var operation: String
  /// Each with everything beneath; none is the whole folder. A path that is not UTF-8 is announced
  /// by the nearest directory above it that is.
  package var paths: [PathKey]

  package init(folder: String, operation: String, paths: [PathKey]) {
    self.folder = folder
    self.operation = operation
    self.paths = paths
  }

  init(_ fields: MessageFields) throws(FieldError) {
    try fields.allow("folder", "operation", "paths")
    self.init(
      folder: try fields.string("folder"), operation: try fields.string("operation"),
      paths: try fields.strings("paths").map { text throws(FieldError) in
        guard let key = PathKey(text) else { throw FieldError(name: "paths") }
        return key
      })
  }

  func write(_ writer: inout JSONWriter) {
    writer.field("folder", folder)
    writer.field("operation", operation)
    let texts = Set(paths.map { AnnounceRequest.text(of: $0) })
    // The folder itself among them says it all.
    writer.field("paths", strings: texts.contains("") ? [] : texts.sorted())
  }

  private static func text(of key: PathKey) -> String {
    var key = key
    while !key.path.isValidUTF8, let parent = key.parent { key = parent }
    return String(decoding: key.path, as: UTF8.self)
  }
}
