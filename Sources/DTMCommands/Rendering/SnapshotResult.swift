internal import DTMFolder
internal import DTMRepository
internal import DTMSystem

/// What is said of a snapshot that was taken.
struct SnapshotResult {
  private static let problemLimit = 10

  private let access: FolderAccess

  init(_ access: FolderAccess) {
    self.access = access
  }

  /// Prints it, and returns how the command ends.
  func print(_ taken: TakenSnapshot) throws -> CommandStatus {
    let (known, isCreated) = (taken.known, taken.isCreated)
    let report = try access.report(taken)
    let (output, choices) = (access.invocation.output, access.invocation.choices)
    if choices.json {
      var writer = JSONWriter(pretty: true)
      writer.object { writer in
        report.write(&writer)
        writer.field("created", isCreated)
      }
      writer.endLine()
      try output.write(writer.bytes)
    } else if choices.quiet {
      try output.line(known.id.hex)
    } else {
      try output.line(words(report, isCreated: isCreated))
      for line in problems(known.snapshot) { try output.line(line) }
    }
    return known.snapshot.isComplete ? .done : .incomplete
  }

  private func words(_ report: SnapshotReport, isCreated: Bool) throws -> String {
    let snapshot = report.snapshot
    let id = access.invocation.style.identifier(Words.short(report.id))
    if !isCreated {
      let age = access.invocation.time.now().seconds - snapshot.time.seconds
      return "\(id)  nothing changed since then, \(HumanUnits.ago(seconds: Int(clamping: age)))"
    }
    var parts: [String] = []
    if snapshot.parent == nil {
      let size = HumanUnits.bytes(snapshot.counts.bytes)
      parts.append("first snapshot: \(Words.count(snapshot.counts.files, "file")), \(size)")
    } else {
      let counts = Words.counts(snapshot.counts)
      parts.append(counts.isEmpty ? "nothing changed" : counts)
    }
    var costs: [String] = []
    if let stored = report.storedBytes { costs.append("\(HumanUnits.bytes(stored)) stored") }
    if let micro = report.durationInMicroseconds {
      costs.append("in \(HumanUnits.duration(.microseconds(micro)))")
    }
    if !costs.isEmpty { parts.append("(\(costs.joined(separator: " ")))") }
    parts += report.tags.map { "tag \($0)" }
    if snapshot.branch != FolderMaking.usualBranch { parts.append("on \(snapshot.branch)") }
    return id + "  " + parts.joined(separator: "  ")
  }

  private func problems(_ snapshot: Snapshot) -> [String] {
    let style = access.invocation.style
    var lines = snapshot.problems.map { problem in
      "  " + style.warning(problem.kind.rawValue)
        + "  \(Quoting.path(problem.key)): \(Words.visible(problem.detail))"
    }
    lines += snapshot.uncovered.filter { key in !snapshot.problems.contains { $0.key == key } }
      .map {
        "  " + style.warning("uncovered") + "  \(Quoting.path($0)): its last known content is kept"
      }
    if lines.count > Self.problemLimit {
      let rest = lines.count - Self.problemLimit
      lines = lines.prefix(Self.problemLimit) + ["  and \(rest) more; dtm show lists them"]
    }
    return lines
  }
}
