internal import DTMFolder
internal import DTMRepository
internal import DTMSystem

/// Prints what `log` lists.
final class LogPrinter {
  /// So many lines are aligned with each other.
  private static let batch = 200

  private let log: Log
  private let access: FolderAccess
  private let output: Output
  private let lines: SnapshotLines
  private var table: Table
  private var rows = 0
  private var json = JSONWriter(pretty: true)
  private var reports: [SnapshotReport] = []

  init(_ log: Log, _ access: FolderAccess) {
    self.log = log
    self.access = access
    output = access.invocation.output
    lines = SnapshotLines(access.invocation)
    table = lines.table()
  }

  func add(_ report: SnapshotReport) throws {
    if log.options.json {
      reports.append(report)
    } else if log.options.quiet {
      try output.line(report.id.hex)
    } else if log.oneline {
      try output.line(lines.oneLine(report))
    } else {
      let parent = try report.snapshot.parent.flatMap { try access.keptSnapshot($0) }
      let before = report.snapshot.parent == nil ? 0 : parent?.snapshot.counts.bytes
      table.append(lines.cells(report, parentBytes: before))
      rows += 1
      if log.stat || rows == Self.batch { try printTable() }
      if log.stat { try printChanges(report, parent) }
    }
  }

  func finish() throws {
    if log.options.json {
      json.array { writer in
        for report in reports { writer.object(report.write) }
      }
      json.endLine()
      return try output.write(json.bytes)
    }
    try printTable()
  }

  private func printTable() throws {
    for line in table.lines() { try output.line(line) }
    table = lines.table()
    rows = 0
  }

  private func printChanges(_ report: SnapshotReport, _ parent: KnownSnapshot?) throws {
    let snapshot = KnownSnapshot(id: report.id, snapshot: report.snapshot)
    let comparison = try Comparison(access, from: parent, to: .snapshot(snapshot))
    for line in DifferenceLines(access.invocation).lines(comparison.changes, indent: 2) {
      try output.line(line)
    }
  }
}
