internal import DTMFolder
internal import DTMRepository
internal import DTMSystem

/// Snapshots as lines of a list.
package struct SnapshotLines {
  private let style: Style
  private let calendar: LocalCalendar
  private let now: Timestamp
  private let width: Int?

  package init(_ invocation: Invocation) {
    style = invocation.style
    calendar = invocation.calendar
    now = invocation.time.now()
    width = invocation.width
  }

  /// A table for `cells`; with `hasGraph` a drawing stands before them.
  package func table(hasGraph: Bool = false) -> Table {
    let columns: [Table.Column] = [.left, .left, .left, .flexible, .left, .right, .flexible]
    return Table(hasGraph ? [.left] + columns : columns, terminalWidth: width)
  }

  /// `7f3a9c2e  08:01  stage  clean ok  M2 A1  +212 KiB  run_id=8`.
  ///
  /// `parentBytes`: what the folder held before; nil where that is not known.
  package func cells(_ report: SnapshotReport, parentBytes: Int?) -> [Table.Cell] {
    let snapshot = report.snapshot
    let growth = parentBytes.map { Words.change(inBytes: snapshot.counts.bytes - $0) }
    return [
      Table.Cell(Words.short(report.id), style.identifier),
      Table.Cell(calendar.brief(snapshot.time, now: now)),
      Table.Cell(Words.visible(Words.trigger(snapshot)), style.quiet),
      Table.Cell(Words.firstLine(snapshot.message)),
      Table.Cell(Words.counts(snapshot.counts)),
      Table.Cell(growth == "±0" ? "" : growth ?? ""),
      Table.Cell(marks(report)),
    ]
  }

  /// Id, time and message of a snapshot that something names; nil: it is not kept.
  func cells(_ id: ObjectID, _ known: KnownSnapshot?) -> [Table.Cell] {
    guard let snapshot = known?.snapshot else {
      return [Table.Cell(Words.short(id), style.identifier), Table.Cell("gone", style.warning)]
    }
    return [
      Table.Cell(Words.short(id), style.identifier),
      Table.Cell(calendar.brief(snapshot.time, now: now)),
      Table.Cell(Words.firstLine(snapshot.message)),
    ]
  }

  /// Labels, tags and what else sets it apart.
  private func marks(_ report: SnapshotReport) -> String {
    var marks = report.tags.map { "tag \($0)" }
    if !report.labels.isEmpty { marks.append(Words.labels(report.labels)) }
    if report.isPinned { marks.append("pinned") }
    if !report.snapshot.isComplete { marks.append("incomplete") }
    return marks.joined(separator: "  ")
  }

  /// `7f3a9c2e clean ok`: the id, and the message or else the trigger.
  ///
  /// `indent`: columns that something else takes before it.
  func oneLine(_ report: SnapshotReport, indent: Int = 0) -> String {
    let snapshot = report.snapshot
    let text =
      snapshot.message.isEmpty ? Words.trigger(snapshot) : Words.firstLine(snapshot.message)
    let tags = report.tags.isEmpty ? "" : " (\(report.tags.joined(separator: ", ")))"
    let line = Words.visible(text) + tags
    let room = width.map { $0 - Words.shortIDLength - 1 - indent }
    return style.identifier(Words.short(report.id)) + " "
      + (room.map { DisplayWidth.cut(line, to: $0) } ?? line)
  }
}
