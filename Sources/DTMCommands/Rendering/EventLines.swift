internal import DTMControl
internal import DTMSystem

/// The daemon's events as lines for people.
struct EventLines {
  private let calendar: LocalCalendar
  private let style: Style
  private let namesFolders: Bool

  /// `namesFolders`: the events are of several folders.
  init(_ invocation: Invocation, namesFolders: Bool) {
    calendar = invocation.calendar
    style = invocation.style
    self.namesFolders = namesFolders
  }

  /// `02:10:07  lake  snapshot 7f3a9c2e  quiet, 3 entries, +41.2 KiB, 12 ms`; nil for what nobody
  /// needs to read.
  func line(_ event: ControlEvent) -> String? {
    guard let text = text(event) else { return nil }
    // The date is the terminal's reader's own; a stream that goes over days shows it in JSON.
    let clock = String(calendar.display(event.time).suffix(8))
    let name = namesFolders ? event.folder.map { style.name(Words.visible($0)) + "  " } ?? "" : ""
    return "\(clock)  \(name)\(text)"
  }

  private func text(_ event: ControlEvent) -> String? {
    switch event.kind {
    // What a paused folder's state says, too.
    case .begin, .paused: return nil
    case .state: return state(event)
    case .snapshot: return snapshot(event)
    case .restoreBegan: return "\(event.operation ?? "restore") begins to write"
    case .restoreEnded: return "\(event.operation ?? "restore") has ended"
    case .resumed: return "resumed"
    case .reloaded: return "the configuration was loaded"
    case .refused:
      return style.failure("refused") + "  the configuration: \(Words.visible(event.reason ?? ""))"
    case .alert:
      return style.failure(alert(event)) + "  \(Words.visible(event.reason ?? ""))"
    case .dropped:
      return style.warning("\(Words.count(event.count ?? 0, "event")) missed")
        + "  they came faster than they were read; dtmd status tells how it is now"
    case .end: return "dtmd stops"
    }
  }

  private func state(_ event: ControlEvent) -> String? {
    guard let state = event.state else { return nil }
    let word =
      switch state {
      case .protected: style.good(state.rawValue)
      case .degraded, .paused: style.warning(state.rawValue)
      case .unprotected: style.failure(state.rawValue)
      }
    let reasons = (event.reasons ?? []).map(Words.visible).joined(separator: "; ")
    return reasons.isEmpty ? word : "\(word)  \(reasons)"
  }

  private func snapshot(_ event: ControlEvent) -> String? {
    guard let snapshot = event.snapshot else { return nil }
    let id = style.identifier(String(snapshot.id.prefix(Words.shortIDLength)))
    var parts = [event.trigger ?? ""]
    if let rules = event.rules, !rules.isEmpty {
      parts[0] += " " + rules.map(Words.visible).joined(separator: " ")
    }
    if let count = event.changedEntries {
      parts.append(count == 1 ? "1 entry" : "\(Words.grouped(count)) entries")
    }
    if let bytes = event.storedBytes { parts.append("+" + HumanUnits.bytes(bytes)) }
    if let duration = event.duration { parts.append(HumanUnits.duration(duration)) }
    if !snapshot.isComplete { parts.append(style.warning("incomplete")) }
    var line = "snapshot \(id)  \(parts.joined(separator: ", "))"
    if !snapshot.message.isEmpty { line += "  \(Words.visible(snapshot.message))" }
    return line
  }

  private func alert(_ event: ControlEvent) -> String {
    switch event.alert {
    case .snapshotFailed: "a snapshot failed"
    case .eventsLost: "events were lost"
    case .repositoryUnavailable: "the repository can't be used"
    case .changeMissed: "a change was missed"
    case .checkFailed: "a check did not pass"
    case .guardAlarm: "the guard saw damage"
    case nil: "alert"
    }
  }
}
