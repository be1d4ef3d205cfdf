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
  /// The lanes of the drawing that go on below the last snapshot.
  private var passing = ""

  init(_ log: Log, _ access: FolderAccess) {
    self.log = log
    self.access = access
    output = access.invocation.output
    lines = SnapshotLines(access.invocation)
    table = lines.table(hasGraph: log.graph)
  }

  func add(_ report: SnapshotReport) throws {
    if log.options.json || log.graph {
      // A drawing needs to know what comes next.
      reports.append(report)
    } else {
      try print(report, beside: [])
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
    if log.graph { try printGraph() }
    try printTable()
  }

  /// Prints a snapshot; `drawing`: what stands in the lines before it, and at last beside it.
  private func print(_ report: SnapshotReport, beside drawing: [String]) throws {
    if log.options.quiet { return try output.line(report.id.hex) }
    let joins = drawing.dropLast()
    if log.oneline {
      for join in joins { try output.line(join) }
      let mark = drawing.last.map { $0 + " " } ?? ""
      return try output.line(mark + lines.oneLine(report, indent: mark.count))
    }
    for join in joins { table.append([Table.Cell(join)]) }
    let parent = try report.snapshot.parent.flatMap { try access.keptSnapshot($0) }
    let before = report.snapshot.parent == nil ? 0 : parent?.snapshot.counts.bytes
    table.append(
      drawing.suffix(1).map { Table.Cell($0) } + lines.cells(report, parentBytes: before))
    rows += 1
    if log.stat || rows == Self.batch { try printTable() }
    if log.stat { try printChanges(report, parent) }
  }

  private func printGraph() throws {
    var lanes = GraphLanes()
    let listed = Set(reports.map(\.id))
    for report in reports {
      let (joins, mark) = lanes.add(report.id, parent: try listedParent(of: report, in: listed))
      passing = lanes.passing
      try print(report, beside: joins + [mark])
    }
  }

  /// The nearest ancestor that is listed too.
  private func listedParent(
    of report: SnapshotReport, in listed: Set<ObjectID>
  ) throws -> ObjectID? {
    var next = report.snapshot.parent
    while let id = next, !listed.contains(id) {
      next = try access.keptSnapshot(id)?.snapshot.parent
    }
    return next
  }

  private func printTable() throws {
    for line in table.lines() { try output.line(line) }
    table = lines.table(hasGraph: log.graph)
    rows = 0
  }

  private func printChanges(_ report: SnapshotReport, _ parent: KnownSnapshot?) throws {
    let snapshot = KnownSnapshot(id: report.id, snapshot: report.snapshot)
    let comparison = try Comparison(access, from: parent, to: .snapshot(snapshot))
    for line in DifferenceLines(access.invocation).lines(comparison.changes, indent: 2) {
      try output.line(passing + line)
    }
  }
}
