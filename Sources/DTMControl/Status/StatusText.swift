package import DTMSystem

/// A status for people: what `dtmd status` prints, and `dtm status` of its folder.
package struct StatusText {
  private let now: Timestamp
  private let isColoured: Bool

  /// The column at which a detail begins: two of indentation, a word, space.
  private static let wordWidth = 13
  /// How many paths of one kind are named.
  private static let namedPaths = 5

  /// `now`: what "3 min ago" is counted from. `isColoured`: the text is for a terminal.
  package init(now: Timestamp, isColoured: Bool) {
    self.now = now
    self.isColoured = isColoured
  }

  /// The whole status; lines end with a newline.
  package func text(_ status: DaemonStatus) -> String {
    let count = status.folders.count
    let uptime = HumanUnits.duration(.seconds(status.uptimeInSeconds))
    var lines = [
      mark(status.state.rawValue)
        + "  \(count == 1 ? "1 folder" : "\(count) folders"), up \(uptime)"
        + " (dtmd \(status.version), pid \(status.pid))"
    ]
    if let error = status.configuration.error {
      lines.append(detail("refused", error))
      lines.append(
        detail("", "the configuration that was running goes on; mend the file and reload"))
    }
    for folder in status.folders { lines += self.lines(folder) }
    if status.folders.isEmpty {
      lines.append(detail("nothing", "is configured yet; dtm protect DIR adds a folder"))
    }
    return lines.map { $0 + "\n" }.joined()
  }

  /// The lines of one folder.
  package func lines(_ folder: FolderStatus) -> [String] {
    var head = "\(folder.name)  \(folder.path)"
    if let last = folder.lastSnapshot {
      let seconds = Int(clamping: now.seconds - last.time.seconds)
      head += "  at \(last.id.prefix(8)), \(HumanUnits.ago(seconds: seconds))"
    } else {
      head += "  no snapshot yet"
    }
    // As in the contract's example: the state stands at the right.
    head += String(repeating: " ", count: max(2, 72 - head.count)) + mark(folder.state.rawValue)
    var lines = [head]
    for reason in folder.reasons { lines.append(detail(folder.state.rawValue, reason)) }
    if let waiting = waiting(folder) { lines.append(detail("waiting", waiting)) }
    lines += paths("hot", folder.hot, of: folder.hotCount, "open for writing when it was captured")
    lines += paths(
      "uncovered", folder.uncovered, of: folder.uncoveredCount, "nothing vouches for it")
    if folder.missedChanges > 0 {
      lines.append(
        detail("missed", "\(folder.missedChanges) changes that no event told, found by a scan"))
    }
    return lines
  }

  private func waiting(_ folder: FolderStatus) -> String? {
    let changes = folder.dirty == 1 ? "1 change" : "\(folder.dirty) changes"
    switch folder.phase {
    case .idle: return nil
    case .dirty: return changes
    case .settling: return "\(changes), until the folder is quiet"
    case .snapshotting: return "a snapshot is being taken"
    // Where nothing is watched and nothing can be recorded, the reason says what is waited for.
    case .scanning where folder.state == .unprotected && folder.watchedDirectories == 0: return nil
    case .scanning: return "everything is being looked at"
    case .offline: return "for the folder to come back"
    }
  }

  private func paths(
    _ word: String, _ keys: [PathKey], of count: Int, _ meaning: String
  ) -> [String] {
    var lines = keys.prefix(Self.namedPaths).map { key in
      detail(word, "\(key.isRoot ? "the folder" : Quoting.path(key)): \(meaning)")
    }
    if count > lines.count {
      lines.append(detail("", "and \(count - lines.count) more"))
    }
    return lines
  }

  private func detail(_ word: String, _ text: String) -> String {
    "  " + word + String(repeating: " ", count: max(1, Self.wordWidth - word.count)) + text
  }

  private func mark(_ state: String) -> String {
    if !isColoured { return state }
    let colour =
      switch state {
      case "protected": "32"
      case "unprotected": "31"
      default: "33"
      }
    return "\u{1b}[\(colour)m\(state)\u{1b}[0m"
  }
}

/// How `dtmd status` ends, as scripts read it.
package enum StatusExit: Int32, Sendable {
  case protected = 0
  case degraded = 1
  case unprotected = 2
  case notRunning = 3

  package init(_ state: DaemonStatus.State) {
    switch state {
    case .protected: self = .protected
    case .degraded: self = .degraded
    case .unprotected: self = .unprotected
    }
  }

  /// The document of `dtmd status --json` when nobody answers.
  package static func notRunningJSON() -> [UInt8] {
    var writer = JSONWriter(pretty: true)
    writer.object { writer in
      writer.field("running", false)
      writer.field("version", String?.none)
      writer.field("pid", Int?.none)
      writer.field("state", String?.none)
      writer.key("folders")
      writer.array { _ in }
    }
    writer.endLine()
    return writer.bytes
  }
}
