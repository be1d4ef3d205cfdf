package import DTMSystem

/// How a protected folder is.
package struct FolderStatus: Sendable, Equatable {
  /// How well the folder is protected.
  package enum State: String, Sendable, CaseIterable {
    case protected
    /// Some changes are found by scans only, or something needs looking at.
    case degraded
    /// Changes are not captured now.
    case unprotected
    /// Somebody holds automatic snapshots.
    case paused
  }

  /// What the folder is at now.
  package enum Phase: String, Sendable {
    case idle
    /// Something changed since the last snapshot.
    case dirty
    /// It changed, and is being waited for to fall quiet.
    case settling
    case snapshotting
    case scanning
    /// The folder is not there.
    case offline
  }

  /// Of each list of paths at most so many are told: all of a folder may be uncovered.
  static let toldPaths = 100

  package var name: String
  /// Absolute, as the configuration has it.
  package var path: String
  package var state: State
  /// Why it is not `protected`: sentences that say what and what to do.
  package var reasons: [String]
  package var phase: Phase
  package var lastSnapshot: SnapshotSummary?
  /// How many places are to be looked at by the next snapshot.
  package var dirty: Int
  /// Files that were open for writing when they were captured.
  package var hot: [PathKey]
  /// What nothing vouches for.
  package var uncovered: [PathKey]
  /// How many hot files and uncovered paths there are, where the lists do not have all.
  package var hotCount: Int
  package var uncoveredCount: Int
  package var watchedDirectories: Int
  /// How often the kernel's queue overflowed since the start.
  package var overflows: Int
  /// Changes that an audit found and no event told; 0 or something is wrong.
  package var missedChanges: Int
  /// Differences that an audit found in files with a live writer.
  package var lateChanges: Int
  /// What would vouch for a snapshot taken now.
  package var basis: SnapshotBasis
  /// When a pause that has an end resumes by itself.
  package var pausedUntil: Timestamp?

  package init(
    name: String, path: String, state: State, reasons: [String] = [], phase: Phase,
    lastSnapshot: SnapshotSummary? = nil, dirty: Int = 0, hot: [PathKey] = [],
    uncovered: [PathKey] = [], watchedDirectories: Int = 0, overflows: Int = 0,
    missedChanges: Int = 0, lateChanges: Int = 0, basis: SnapshotBasis,
    pausedUntil: Timestamp? = nil, hotCount: Int? = nil, uncoveredCount: Int? = nil
  ) {
    self.name = name
    self.path = path
    self.state = state
    self.reasons = reasons
    self.phase = phase
    self.lastSnapshot = lastSnapshot
    self.dirty = dirty
    self.hot = hot
    self.uncovered = uncovered
    self.watchedDirectories = watchedDirectories
    self.overflows = overflows
    self.missedChanges = missedChanges
    self.lateChanges = lateChanges
    self.basis = basis
    self.pausedUntil = pausedUntil
    self.hotCount = hotCount ?? hot.count
    self.uncoveredCount = uncoveredCount ?? uncovered.count
  }
}

extension FolderStatus {
  init(_ fields: MessageFields) throws(FieldError) {
    let bytes = try fields.optionalDictionary("pathBytes") ?? [:]
    self.init(
      name: try fields.string("name"), path: try fields.string("path"),
      state: try fields.word("state", State.self), reasons: try fields.strings("reasons"),
      phase: try fields.word("phase", Phase.self),
      lastSnapshot: try fields.optionalObject("lastSnapshot")
        .map { fields throws(FieldError) in try SnapshotSummary(fields) },
      dirty: try fields.int("dirty"),
      hot: try FolderStatus.paths(fields, "hot", bytes),
      uncovered: try FolderStatus.paths(fields, "uncovered", bytes),
      watchedDirectories: try fields.int("watchedDirectories"),
      overflows: try fields.int("overflows"), missedChanges: try fields.int("missedChanges"),
      lateChanges: try fields.int("lateChanges"),
      basis: try fields.word("basis", SnapshotBasis.self),
      pausedUntil: try fields.optionalTime("pausedUntil"),
      hotCount: try fields.optionalInt("hotCount"),
      uncoveredCount: try fields.optionalInt("uncoveredCount"))
  }

  private static func paths(
    _ fields: MessageFields, _ name: String, _ bytes: [String: String]
  ) throws(FieldError) -> [PathKey] {
    try fields.strings(name).map { text throws(FieldError) in
      let path = bytes[text].map { Base64.decode(Array($0.utf8)) } ?? Array(text.utf8)
      guard let path, let key = PathKey(path: path) else { throw FieldError(name: name) }
      return key
    }
  }

  /// Writes the members of Varlink's `Folder`.
  func writeMessage(_ writer: inout JSONWriter) {
    writeCommon(&writer)
    let hot = hot.prefix(Self.toldPaths)
    let uncovered = uncovered.prefix(Self.toldPaths)
    writer.field("hot", strings: hot.map { Quoting.path($0) })
    writer.field("uncovered", strings: uncovered.map { Quoting.path($0) })
    writer.key("pathBytes")
    writer.object { writer in
      var written: Set<String> = []
      for key in hot + uncovered {
        let text = Quoting.path(key)
        if text.utf8.elementsEqual(key.path) || !written.insert(text).inserted { continue }
        writer.field(text, String(decoding: Base64.encode(key.path), as: UTF8.self))
      }
    }
  }

  /// Writes the members of an element of `folders` in `dtmd status --json`.
  package func writeJSON(_ writer: inout JSONWriter) {
    writeCommon(&writer)
    writer.field("hot", paths: hot)
    writer.field("uncovered", paths: uncovered)
  }

  private func writeCommon(_ writer: inout JSONWriter) {
    writer.field("name", name)
    writer.field("path", path)
    writer.field("state", state.rawValue)
    writer.field("reasons", strings: reasons)
    writer.field("phase", phase.rawValue)
    writer.key("lastSnapshot")
    if let lastSnapshot {
      writer.object(lastSnapshot.write)
    } else {
      writer.null()
    }
    writer.field("dirty", dirty)
    writer.field("watchedDirectories", watchedDirectories)
    writer.field("overflows", overflows)
    writer.field("missedChanges", missedChanges)
    writer.field("lateChanges", lateChanges)
    writer.field("basis", basis.rawValue)
    writer.field("pausedUntil", pausedUntil?.rfc3339)
    writer.field("hotCount", hotCount)
    writer.field("uncoveredCount", uncoveredCount)
  }
}
