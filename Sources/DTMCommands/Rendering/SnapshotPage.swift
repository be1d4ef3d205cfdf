internal import DTMFolder
internal import DTMRepository
internal import DTMSystem

/// A snapshot as a page of facts.
package struct SnapshotPage {
  private static let problemLimit = 20

  private let style: Style
  private let calendar: LocalCalendar
  private let now: Timestamp

  package init(_ invocation: Invocation) {
    style = invocation.style
    calendar = invocation.calendar
    now = invocation.time.now()
  }

  /// The lines of the text form, without line ends.
  package func lines(_ report: SnapshotReport) -> [String] {
    let snapshot = report.snapshot
    var table = Table([.left, .left])
    func add(_ name: String, _ text: String?) {
      guard let text, !text.isEmpty else { return }
      table.append([Table.Cell(name, style.quiet), Table.Cell(text)])
    }
    let age = HumanUnits.ago(seconds: Int(clamping: now.seconds - snapshot.time.seconds))
    add("time", "\(calendar.display(snapshot.time)) (\(age))")
    add("branch", snapshot.branch)
    add("parent", snapshot.parent.map(Words.short) ?? "none, it is the first")
    add("trigger", Words.visible(Words.trigger(snapshot)))
    for (number, line) in snapshot.message.split(separator: "\n").enumerated() {
      table.append([
        Table.Cell(number == 0 ? "message" : "", style.quiet),
        Table.Cell(Words.visible(String(line))),
      ])
    }
    add("labels", Words.labels(report.labels))
    add("tags", report.tags.joined(separator: " "))
    add("pinned", report.isPinned ? "yes, it is never pruned" : nil)
    add("checks", Words.labels(report.checks))
    add("guard", report.alarm.map { Words.visible($0.reason) })
    add("made by", Words.visible("\(snapshot.user)@\(snapshot.host)"))
    add("holds", holds(snapshot))
    add("changed", changed(report))
    add("basis", Self.explanation(snapshot.basis))
    add("was", report.rewrittenFrom.map { "\($0), rewritten by an erasure" })
    return [style.identifier("snapshot \(report.id.hex)")] + table.lines(indent: 2)
      + doubts(snapshot)
  }

  private func holds(_ snapshot: Snapshot) -> String {
    let counts = snapshot.counts
    let others = counts.entries - counts.files
    return "\(Words.count(counts.files, "file")), \(HumanUnits.bytes(counts.bytes))"
      + (others > 0
        ? ", and \(Words.count(others, "directory or link", "directories and links"))" : "")
  }

  private func changed(_ report: SnapshotReport) -> String {
    let counts = report.snapshot.counts
    var parts = [
      (counts.added, "added"), (counts.modified, "modified"), (counts.removed, "deleted"),
    ]
    .filter { $0.0 > 0 }.map { "\(Words.grouped($0.0)) \($0.1)" }
    if parts.isEmpty { parts = ["nothing"] }
    if let stored = report.storedBytes { parts.append("\(HumanUnits.bytes(stored)) stored") }
    if let micro = report.durationInMicroseconds {
      parts.append("in \(HumanUnits.duration(.microseconds(micro)))")
    }
    return parts.joined(separator: ", ")
  }

  private static func explanation(_ basis: Snapshot.Basis) -> String {
    switch basis {
    case .events: "events: the watcher saw every change"
    case .scan: "scan: every entry was looked at"
    case .full: "full: every file was read"
    }
  }

  private func doubts(_ snapshot: Snapshot) -> [String] {
    var rows: [[Table.Cell]] = []
    for problem in snapshot.problems {
      rows.append([
        Table.Cell(problem.kind.rawValue, style.warning), Table.Cell(Quoting.path(problem.key)),
        Table.Cell(Words.visible(problem.detail)),
      ])
    }
    for key in snapshot.uncovered {
      rows.append([
        Table.Cell("uncovered", style.warning), Table.Cell(Quoting.path(key)),
        Table.Cell("nothing vouches for it; its last known content is kept"),
      ])
    }
    for key in snapshot.hot {
      rows.append([
        Table.Cell("hot", style.warning), Table.Cell(Quoting.path(key)),
        Table.Cell("somebody had it open for writing"),
      ])
    }
    if rows.isEmpty { return [] }
    var table = Table([.left, .left, .left])
    for row in rows.prefix(Self.problemLimit) { table.append(row) }
    var lines = [snapshot.isComplete ? "" : "incomplete:"] + table.lines(indent: 2)
    if rows.count > Self.problemLimit {
      lines.append("  and \(rows.count - Self.problemLimit) more; --json lists all")
    }
    return lines
  }
}
