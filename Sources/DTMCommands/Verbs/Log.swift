internal import ArgumentParser
internal import DTMFolder
internal import DTMRepository
internal import DTMSystem

struct Log: ReportingVerb {
  static let configuration = CommandConfiguration(
    abstract: "List snapshots, newest first",
    usage: "dtm log [-n N] [options]",
    discussion: """
      A line has the id, the time, what triggered it, the message, what changed (M modified, A added, \
      D deleted), how much the folder grew, and labels and tags.
      """)

  @Option(name: .short, help: ArgumentHelp("Stop after so many", valueName: "n"))
  var number: Int?

  @Option(help: ArgumentHelp("List this branch (default: the current one)", valueName: "name"))
  var branch: String?

  @Flag(help: "List the snapshots of all branches and tags")
  var all = false

  @Option(help: ArgumentHelp("List those no older than this", valueName: "time"))
  var since: String?

  @Option(help: ArgumentHelp("List those no newer than this", valueName: "time"))
  var until: String?

  @Option(help: ArgumentHelp("List those with this label", valueName: "key=value"))
  var label: [LabelArgument] = []

  @Option(help: ArgumentHelp("List those with this trigger", valueName: "kind"))
  var trigger: [String] = []

  @Option(help: ArgumentHelp("List those that changed this path", valueName: "path"))
  var path: [String] = []

  @Flag(help: "Show what each one changed")
  var stat = false

  @Flag(help: "Show the id and the message only")
  var oneline = false

  @OptionGroup var options: OutputOptions

  func validate() throws {
    if let number, number < 0 { throw ValidationError("-n takes a number that is not negative") }
    if all, branch != nil { throw ValidationError("--all and --branch exclude each other") }
    if stat, oneline { throw ValidationError("--stat and --oneline exclude each other") }
  }

  func run(in invocation: Invocation) throws -> CommandStatus {
    let access = try FolderAccess(invocation)
    let selection = try LogSelection(self, access)
    let printer = LogPrinter(self, access)
    try selection.forEach(printer.add)
    try printer.finish()
    return .done
  }
}

/// Which snapshots `log` lists.
struct LogSelection {
  private let access: FolderAccess
  private let log: Log
  private let since: Timestamp?
  private let until: Timestamp?
  private let paths: [PathKey]

  init(_ log: Log, _ access: FolderAccess) throws {
    self.access = access
    self.log = log
    let invocation = access.invocation
    since = try log.since.map { try invocation.moment($0, option: "--since") }
    until = try log.until.map { try invocation.moment($0, option: "--until") }
    paths = try PathArguments(invocation, access.location).keys(log.path)
  }

  /// Calls `body` with each, newest first.
  func forEach(_ body: (SnapshotReport) throws -> Void) throws {
    var left = log.number ?? .max
    var failure: (any Error)?
    try forEachCandidate { known throws(FolderError) in
      if left == 0 { return false }
      do {
        let report = try access.report(known)
        if try fits(report) {
          left -= 1
          try body(report)
        }
        return left > 0
      } catch {
        // The walk's own errors are typed; this one is carried around it.
        failure = error
        return false
      }
    }
    if let failure { throw failure }
  }

  private func forEachCandidate(
    _ body: (KnownSnapshot) throws(FolderError) -> Bool
  ) throws {
    if log.all { return try forEachOfAll(body) }
    let history = access.history
    guard let name = log.branch else {
      return try history.forEachAncestor(of: history.head, body)
    }
    guard let head = history.branch(name) else {
      throw CommandFailure(
        .notFound, "there is no branch \(Quoting.path(Array(name.utf8)))",
        hint: "dtm branch lists them")
    }
    try history.forEachAncestor(of: head, body)
  }

  /// All that a branch or a tag leads to, by time.
  private func forEachOfAll(_ body: (KnownSnapshot) throws(FolderError) -> Bool) throws {
    let history = access.history
    var found: [ObjectID: KnownSnapshot] = [:]
    for (_, head) in history.branches + history.tags {
      try history.forEachAncestor(of: head) { known in
        found.updateValue(known, forKey: known.id) == nil
      }
    }
    let sorted = found.values.sorted { left, right in
      (right.snapshot.time, right.id) < (left.snapshot.time, left.id)
    }
    for known in sorted {
      if try !body(known) { return }
    }
  }

  private func fits(_ report: SnapshotReport) throws -> Bool {
    let snapshot = report.snapshot
    if let since, snapshot.time < since { return false }
    if let until, snapshot.time > until { return false }
    if !log.trigger.isEmpty, !log.trigger.contains(snapshot.trigger) { return false }
    if log.label.contains(where: { report.labels[$0.key] != $0.value }) { return false }
    return try paths.isEmpty || changesPaths(snapshot)
  }

  private func changesPaths(_ snapshot: Snapshot) throws -> Bool {
    let new = Tree(root: snapshot.tree, objects: access.repository.objects)
    guard let parent = try snapshot.parent.flatMap({ try access.keptSnapshot($0) }) else {
      return try paths.contains { path in
        if path.isRoot { return true }
        return try new.entry(path) != nil
      }
    }
    let old = access.tree(of: parent)
    return try paths.contains { path in
      if !path.isRoot {
        let (before, after) = try (old.entry(path), new.entry(path))
        if Self.isChanged(before, after) { return true }
      }
      var isChanged = false
      try new.forEachDifference(from: old, beneath: path) { difference in
        isChanged = Self.isChanged(difference.old, difference.new)
        return !isChanged
      }
      return isChanged
    }
  }

  /// A directory's time alone is no change.
  private static func isChanged(_ old: TreeEntry?, _ new: TreeEntry?) -> Bool {
    guard var old, let new else { return (old == nil) != (new == nil) }
    if old.kind == .directory, new.kind == .directory { old.modified = new.modified }
    return old != new
  }
}

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
