internal import DTMFolder
internal import DTMRepository
internal import DTMSystem

/// What is said of a restore or a checkout.
struct RestoreResult {
  private static let listed = 20
  private static let versionsShown = 5

  private let options: OutputOptions
  private let access: FolderAccess
  private let style: Style
  private let calendar: LocalCalendar

  init(_ options: OutputOptions, _ access: FolderAccess) {
    self.options = options
    self.access = access
    style = access.invocation.style
    calendar = access.invocation.calendar
  }

  /// Prints it, and returns how the command ends.
  func print(_ result: Restoring.Result, _ request: RestoreRequest) throws -> CommandStatus {
    let outcome = result.outcome
    let output = access.invocation.output
    if options.json {
      var writer = JSONWriter(pretty: true)
      writer.object { writer in
        Self.write(outcome, operation: outcome.operation, &writer)
        if request.isDryRun { writePlan(outcome, &writer) }
      }
      writer.endLine()
      try output.write(writer.bytes)
    } else if !options.quiet {
      for line in try lines(result, request) { try output.line(line) }
    }
    return Self.status(outcome)
  }

  /// Damage weighs more than what could not be done.
  static func status(_ outcome: RestoreOutcome?) -> CommandStatus {
    guard let outcome else { return .done }
    if !outcome.damaged.isEmpty { return .damaged }
    return outcome.problems.isEmpty ? .done : .incomplete
  }

  /// Writes the members of the object that stands for it; nil: no file was touched.
  static func write(
    _ outcome: RestoreOutcome?, operation: UInt64?, _ writer: inout JSONWriter
  ) {
    writer.field("snapshot", outcome?.snapshot?.id.hex)
    writer.field("safetySnapshot", outcome?.safetySnapshot?.id.hex)
    writer.field("restoreSnapshot", outcome?.restoreSnapshot?.id.hex)
    writer.field("operation", operation)
    writer.field("written", outcome?.written ?? 0)
    writer.field("removed", outcome?.removed ?? 0)
    writer.field("metadata", outcome?.metadata ?? 0)
    writer.field("bytesWritten", outcome?.bytesWritten ?? 0)
    writer.array("problems") { writer in
      for problem in outcome?.problems ?? [] { writer.problem(problem) }
    }
    writer.field("damaged", paths: outcome?.damaged ?? [])
    writer.array("openFiles") { writer in
      for file in outcome?.openFiles ?? [] { write(file, &writer) }
    }
    writer.array("versions") { writer in
      for version in outcome?.versions ?? [] {
        writer.object { writer in
          writer.field("path", path: version.path)
          writer.field("snapshot", version.snapshot.id.hex)
        }
      }
    }
  }

  private static func write(_ file: RestoreOutcome.OpenFile, _ writer: inout JSONWriter) {
    writer.object { writer in
      writer.field("path", path: file.path)
      writer.array("writers") { writer in
        for process in file.writers {
          writer.object { writer in
            writer.field("pid", Int(process.pid))
            writer.field("name", process.name)
          }
        }
      }
    }
  }

  private func writePlan(_ outcome: RestoreOutcome, _ writer: inout JSONWriter) {
    writer.field("dryRun", true)
    writer.array("plan") { writer in
      for change in outcome.plan {
        writer.object { writer in
          writer.field("path", path: change.path)
          writer.field("change", change.kind.rawValue)
          writer.field("kind", change.fileKind.word)
          writer.field("oldSize", change.oldSize)
          writer.field("newSize", change.newSize)
        }
      }
    }
  }

  // MARK: - For people

  /// The lines of it.
  private func lines(
    _ result: Restoring.Result, _ request: RestoreRequest
  ) throws -> [String] {
    let outcome = result.outcome
    var lines: [String] = result.isAnew ? ["the folder was gone and is there again"] : []
    if let recovery = outcome.recovery {
      lines.append(
        recovery.isFinished
          ? "a \(recovery.kind) that was cut off was finished first"
          : "a \(recovery.kind) that was cut off was taken back first")
    }
    for path in outcome.unchanged { lines += try unchangedLines(path) }
    let isEmpty = outcome.plan.isEmpty && outcome.written + outcome.removed + outcome.metadata == 0
    if isEmpty, request.branch == nil {
      if outcome.unchanged.isEmpty { lines.append(nothingToDo(outcome, request)) }
    } else if request.isDryRun {
      lines += planLines(outcome) + ["nothing was written: this was a dry run"]
    } else {
      lines += doneLines(outcome, request, isAnew: result.isAnew)
    }
    return lines + openLines(outcome) + problemLines(outcome)
  }

  private func nothingToDo(_ outcome: RestoreOutcome, _ request: RestoreRequest) -> String {
    let what =
      request.paths.isEmpty
      ? "the folder" : request.paths.map { Quoting.path($0) }.joined(separator: ", ")
    let verb = request.paths.count > 1 ? "are" : "is"
    guard let snapshot = outcome.snapshot else { return "\(what) \(verb) as wanted already" }
    return "\(what) \(verb) as in \(moment(snapshot)) already: nothing to do"
  }

  private func doneLines(
    _ outcome: RestoreOutcome, _ request: RestoreRequest, isAnew: Bool
  ) -> [String] {
    var lines: [String] = []
    if request.destination != nil {
      lines.append(elsewhere(outcome, request))
    } else if outcome.versions.isEmpty || request.paths.isEmpty {
      lines.append(whole(outcome, request))
    } else {
      for version in outcome.versions { lines.append(line(version, outcome)) }
    }
    if let safety = outcome.safetySnapshot {
      lines.append(
        "what was there is in \(style.identifier(Words.short(safety.id))); dtm undo brings it back")
    } else if outcome.operation != nil, !isAnew {
      lines.append("dtm undo takes it back")
    }
    return lines
  }

  /// `orders.csv  back to e114c07b (02:09:58), 41.0 MiB, checked`.
  private func line(
    _ version: (path: PathKey, snapshot: KnownSnapshot), _ outcome: RestoreOutcome
  ) -> String {
    if outcome.damaged.contains(version.path) {
      return "\(Quoting.path(version.path))  can't be brought back to \(moment(version.snapshot))"
    }
    let change = outcome.plan.first { $0.path == version.path }
    var parts = ["back to \(moment(version.snapshot))"]
    if let size = change?.newSize { parts.append(HumanUnits.bytes(size)) }
    let beneath = outcome.plan.count { $0.path.isBeneath(version.path) }
    if beneath > 0 { parts.append(Words.count(beneath, "change")) }
    if change?.newSize != nil || beneath > 0 { parts.append("checked") }
    if outcome.problems.contains(where: { $0.key.isBeneath(version.path) }) {
      parts.append("but for what follows")
    }
    return "\(Quoting.path(version.path))  \(parts.joined(separator: ", "))"
  }

  private func whole(_ outcome: RestoreOutcome, _ request: RestoreRequest) -> String {
    var subject =
      request.paths.isEmpty
      ? "the folder is" : request.paths.map { Quoting.path($0) }.joined(separator: ", ") + " is"
    if request.paths.count > 1 { subject = String(subject.dropLast(2)) + "are" }
    var text = outcome.snapshot.map { "\(subject) as in \(moment($0))" } ?? "\(subject) restored"
    if !outcome.problems.isEmpty { text += " but for what follows" }
    if let branch = request.branch { text += ", on \(branch)" }
    let did = Self.did(outcome)
    return did.isEmpty ? text : text + ": " + did
  }

  private func elsewhere(_ outcome: RestoreOutcome, _ request: RestoreRequest) -> String {
    let place = request.destination.map { Quoting.path($0) } ?? ""
    let from = outcome.snapshot.map { " from \(moment($0))" } ?? ""
    return "\(Words.count(outcome.written, "entry", "entries"))\(from) laid out in \(place), "
      + "\(HumanUnits.bytes(outcome.bytesWritten)), checked"
  }

  /// `3 written, 1 removed, 2 in mode, owner or times; 41 MiB, checked`.
  static func did(_ outcome: RestoreOutcome) -> String {
    let parts = [
      (outcome.written, "written"), (outcome.removed, "removed"),
      (outcome.metadata, "in mode, owner or times"),
    ]
    .filter { $0.0 > 0 }.map { "\(Words.grouped($0.0)) \($0.1)" }.joined(separator: ", ")
    if outcome.written == 0 { return parts }
    return parts + "; \(HumanUnits.bytes(outcome.bytesWritten)), checked"
  }

  /// `e114c07b (02:09:58)`, with the day where it is not today.
  private func moment(_ known: KnownSnapshot) -> String {
    let time = known.snapshot.time
    let now = access.invocation.time.now()
    let display = calendar.display(time)
    let isToday = calendar.startOfDay(time) == calendar.startOfDay(now)
    let text = isToday ? String(display.suffix(8)) : display
    return "\(style.identifier(Words.short(known.id))) (\(text))"
  }

  private func planLines(_ outcome: RestoreOutcome) -> [String] {
    var table = Table([.left, .flexible, .left], terminalWidth: access.invocation.width)
    for change in outcome.plan {
      let (letter, paint): (String, (String) -> String) =
        switch change.kind {
        case .added: ("A", style.added)
        case .replaced: ("M", style.modified)
        case .removed: ("D", style.removed)
        case .metadata: ("P", style.quiet)
        }
      let sizes =
        switch (change.kind, change.oldSize, change.newSize) {
        case (.metadata, _, _): "mode, owner or times"
        case (_, let old?, let new?): "\(HumanUnits.bytes(old)) → \(HumanUnits.bytes(new))"
        case (_, nil, let size?), (_, let size?, nil): HumanUnits.bytes(size)
        case (_, nil, nil): ""
        }
      let path = Quoting.path(change.path)
      table.append([
        Table.Cell(letter, paint), Table.Cell(path + (change.fileKind == .directory ? "/" : "")),
        Table.Cell(sizes, style.quiet),
      ])
    }
    let versions = outcome.versions.map { line($0, outcome) }
    return versions + table.lines(indent: versions.isEmpty ? 0 : 2)
  }

  /// Who still writes to what is not there any more.
  private func openLines(_ outcome: RestoreOutcome) -> [String] {
    var lines = outcome.openFiles.prefix(Self.listed).map { file in
      let names = file.writers.map { "\(Words.visible($0.name)) (pid \($0.pid))" }
      let who = names.isEmpty ? "somebody" : names.joined(separator: ", ")
      let verb = names.count > 1 ? "have" : "has"
      return "  " + style.warning("open")
        + "  \(Quoting.path(file.path)): \(who) \(verb) the former file open for writing"
    }
    if outcome.openFiles.count > Self.listed {
      lines.append("  and \(outcome.openFiles.count - Self.listed) more; --json lists all")
    }
    return lines
  }

  private func problemLines(_ outcome: RestoreOutcome) -> [String] {
    var lines = outcome.problems.prefix(Self.listed).map { problem in
      "  " + style.warning(problem.kind.rawValue)
        + "  \(Words.visible(Self.named(problem)))"
    }
    if outcome.problems.count > Self.listed {
      lines.append("  and \(outcome.problems.count - Self.listed) more; --json lists all")
    }
    if !outcome.damaged.isEmpty {
      let paths = Words.count(outcome.damaged.count, "path")
      lines.append(
        style.failure("damaged") + "  the repository can't give \(paths) back: "
          + "dtm repair looks for what is left")
    }
    return lines
  }

  /// The problem behind its path, which the detail may name already.
  private static func named(_ problem: Snapshot.Problem) -> String {
    let path = Quoting.path(problem.key)
    return problem.detail.hasPrefix(path + ": ") ? problem.detail : "\(path): \(problem.detail)"
  }

  /// That a path is as it is in every snapshot, and which those are.
  private func unchangedLines(_ path: PathKey) throws -> [String] {
    var found: [KnownSnapshot] = []
    var last: TreeEntry?
    var count = 0
    let history = access.history
    var failure: (any Error)?
    try history.forEachAncestor(of: history.head) { known throws(FolderError) in
      do {
        let entry = try access.tree(of: known).entry(path)
        if let entry, entry != last {
          count += 1
          found.append(known)
        } else if entry != nil, !found.isEmpty {
          // The oldest snapshot with a version is the one that it came with.
          found[found.count - 1] = known
        }
        last = entry
        return true
      } catch {
        failure = error
        return false
      }
    }
    if let failure { throw failure }
    let shown = found.prefix(Self.versionsShown).map(moment).joined(separator: ", ")
    let more = count > Self.versionsShown ? " and \(count - Self.versionsShown) more" : ""
    return [
      "\(Quoting.path(path))  is as in its newest version already: nothing to do",
      "  versions since \(shown)\(more)",
    ]
  }
}
