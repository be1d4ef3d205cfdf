internal import DTMFolder
internal import DTMRepository
internal import DTMSystem

/// What is said of a repair.
struct RepairResult {
  private static let listed = 40
  private static let snapshotsShown = 4

  private let options: OutputOptions
  private let invocation: Invocation
  private var style: Style { invocation.style }

  init(_ options: OutputOptions, _ invocation: Invocation) {
    self.options = options
    self.invocation = invocation
  }

  /// Prints it, and returns how the command ends.
  func print(_ result: Repairing.Result, isDryRun: Bool) throws -> CommandStatus {
    if options.json {
      var writer = JSONWriter(pretty: true)
      writer.object { write(result, isDryRun: isDryRun, &$0) }
      writer.endLine()
      try invocation.output.write(writer.bytes)
    } else if options.quiet {
      for lost in result.verification.lostPaths {
        try invocation.output.line(Quoting.path(lost.path))
      }
    } else {
      for line in lines(result, isDryRun: isDryRun) { try invocation.output.line(line) }
    }
    return result.isNothingLost ? .done : .damaged
  }

  // MARK: - For programs

  private func write(
    _ result: Repairing.Result, isDryRun: Bool, _ writer: inout JSONWriter
  ) {
    let report = result.report
    writer.field("ok", result.isNothingLost)
    writer.field("dryRun", isDryRun)
    writer.array("setAside") { writer in
      for file in report.damagedFiles {
        writer.object { writer in
          writer.field("file", file.file)
          writer.field("movedTo", file.movedTo)
          writer.field("reasons", strings: file.reasons)
          writer.field("salvagedTo", file.salvagedTo)
          writer.field("salvagedObjects", file.salvagedObjects)
        }
      }
    }
    writer.field("mended", strings: report.mended)
    writer.field("logRebuilt", report.isLogRebuilt)
    writer.array("refs") { writer in
      for change in report.refs {
        writer.object { writer in
          writer.field("ref", change.ref)
          writer.field("old", change.old.map(Self.text))
          writer.field("new", change.new.map(Self.text))
          writer.field("reason", change.reason)
        }
      }
    }
    writer.field("remarks", strings: result.remarks)
    writer.field("healed", strings: result.healed.map(\.hex))
    writer.field(
      "lostObjects", strings: result.verification.damage.compactMap { $0.object?.hex })
    writer.field("lostSnapshots", strings: result.lostSnapshots.map(\.hex))
    writer.array("lostPaths") { writer in
      for lost in result.verification.lostPaths {
        writer.object { writer in
          writer.field("path", path: lost.path)
          writer.field("andFollowing", lost.isPage)
          writer.field("snapshots", strings: lost.snapshots.map(\.hex))
        }
      }
    }
  }

  private static func text(_ value: RefValue) -> String {
    switch value {
    case .id(let id): id.hex
    case .name(let name): name
    }
  }

  // MARK: - For people

  private func lines(_ result: Repairing.Result, isDryRun: Bool) -> [String] {
    let report = result.report
    var lines: [String] = []
    for file in report.damagedFiles.prefix(Self.listed) { lines += self.lines(file) }
    for file in report.mended { lines.append("mended     \(file)  from its other copy") }
    if report.isLogRebuilt { lines.append("rebuilt    the ref log, from what could be read") }
    for change in report.refs { lines.append(line(change)) }
    lines += result.remarks.map { "note       \(Words.visible($0))" }
    if !result.healed.isEmpty {
      lines.append(
        style.good("healed") + "     \(Words.count(result.healed.count, "object")) from the folder")
    }
    for id in result.lostSnapshots {
      lines.append(style.failure("lost") + "       the snapshot \(Words.short(id))")
    }
    let paths = result.verification.lostPaths
    lines += paths.prefix(Self.listed).map(line)
    if paths.count > Self.listed {
      lines.append("and \(Words.grouped(paths.count - Self.listed)) more; --json lists all")
    }
    lines.append(verdict(result))
    if isDryRun {
      lines.append("nothing was written: this was a dry run")
    } else if report.damagedFiles.contains(where: { $0.movedTo != nil }) {
      lines.append(
        "what was set aside is kept: remove trash/damaged-* of the repository when it is not needed"
      )
    }
    return lines
  }

  private func lines(_ file: RepairReport.DamagedFile) -> [String] {
    let place = file.movedTo.map { "\(file.file) → \($0)" } ?? file.file
    var lines = [style.failure("damaged") + "    \(place)"]
    lines += file.reasons.prefix(Self.snapshotsShown).map { "           \(Words.visible($0))" }
    if let saved = file.salvagedTo {
      lines.append(
        "           \(Words.count(file.salvagedObjects, "sound object")) saved in \(saved)")
    }
    return lines
  }

  private func line(_ change: RepairReport.RefChange) -> String {
    func text(_ value: RefValue?) -> String {
      switch value {
      case nil: "none"
      case .id(let id): Words.short(id)
      case .name(let name): name
      }
    }
    let name = change.ref.split(separator: "/").dropFirst(2).joined(separator: "/")
    return "ref        \(name)  \(text(change.old)) → \(text(change.new)): \(change.reason)"
  }

  private func line(_ lost: LostPath) -> String {
    let shown = lost.snapshots.prefix(Self.snapshotsShown).map(Words.short)
      .joined(separator: ", ")
    let rest = lost.snapshots.count - Self.snapshotsShown
    let more = rest > 0 ? " and \(rest) more" : ""
    let what = lost.isPage ? " and paths behind it" : ""
    return style.failure("lost") + "       \(Quoting.path(lost.path))\(what)  in \(shown)\(more)"
  }

  private func verdict(_ result: Repairing.Result) -> String {
    guard !result.isNothingLost else {
      return result.report.isClean
        ? style.good("sound") + ": nothing was damaged" : style.good("nothing is lost")
    }
    var parts: [String] = []
    let snapshots = result.lostSnapshots.count
    let paths = result.verification.lostPaths.count
    if snapshots > 0 { parts.append(Words.count(snapshots, "snapshot")) }
    if paths > 0 { parts.append(Words.count(paths, "path")) }
    if parts.isEmpty {
      parts.append(Words.count(result.verification.damage.count, "damage"))
    }
    return style.failure("lost") + ": " + parts.joined(separator: ", ")
  }
}
