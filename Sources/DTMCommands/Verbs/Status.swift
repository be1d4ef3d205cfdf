internal import ArgumentParser
internal import DTMControl
internal import DTMFolder
internal import DTMRepository
internal import DTMSystem
internal import SystemPackage

struct Status: ReportingVerb {
  static let configuration = CommandConfiguration(
    abstract: "Show what changed since the last snapshot, and how the daemon is",
    usage: "dtm status [options]",
    discussion: """
      Letters as in dtm diff. Where a daemon protects the folder, its health for this folder is shown; \
      dtmd status shows it for all.
      """)

  @OptionGroup var options: OutputOptions

  func run(in invocation: Invocation) throws -> CommandStatus {
    let access = try FolderAccess(invocation)
    let daemon = try DaemonLink(invocation).folder(access.location.folder)
    let head = try access.history.head.map { try access.history.snapshot($0) }
    let comparison = try Comparison(access, from: head, to: .working)
    if options.json {
      var writer = JSONWriter(pretty: true)
      writer.object { writer in
        comparison.write(&writer)
        writer.field("branch", access.history.currentBranch)
        writer.key("daemon")
        if let daemon { writer.object(daemon.status.writeJSON) } else { writer.null() }
      }
      writer.endLine()
      try invocation.output.write(writer.bytes)
      return .done
    }
    if options.quiet {
      for change in comparison.changes { try invocation.output.line(Quoting.path(change.key)) }
      return .done
    }
    let page = StatusPage(access, head: head, daemon: daemon?.status)
    for line in page.lines(comparison) { try invocation.output.line(line) }
    return .done
  }
}

/// What `status` says to people.
struct StatusPage {
  /// So many changes are named.
  private static let limit = 30
  /// The column at which the folder's state stands, as in `dtmd status`.
  private static let stateColumn = 72

  private let access: FolderAccess
  private let head: KnownSnapshot?
  private let daemon: FolderStatus?
  private let style: Style

  init(_ access: FolderAccess, head: KnownSnapshot?, daemon: FolderStatus?) {
    self.access = access
    self.head = head
    self.daemon = daemon
    style = access.invocation.style
  }

  func lines(_ comparison: Comparison) -> [String] {
    var lines = [headLine()]
    let lister = DifferenceLines(access.invocation)
    let changes = comparison.changes
    if head == nil {
      lines.append("  no snapshot yet; dtm snapshot takes one")
    } else if changes.isEmpty {
      lines.append("  nothing changed since then")
    } else {
      lines.append("  since then: " + lister.summary(comparison))
      lines += lister.lines(Array(changes.prefix(Self.limit)), indent: 4)
      if changes.count > Self.limit {
        lines.append(
          "    and \(Words.grouped(changes.count - Self.limit)) more; dtm diff lists all")
      }
    }
    if let daemon {
      // The first line says of the daemon's folder what ours says already.
      lines += StatusText(now: access.invocation.time.now(), isColoured: style.isColoured)
        .lines(daemon).dropFirst()
    }
    return lines + doubts()
  }

  /// `lake  /srv/data/lake  on main at 7f3a9c2e, 2 min ago                     protected`.
  private func headLine() -> String {
    let path = access.location.folder
    let name = daemon?.name ?? path.lastComponent?.string ?? "/"
    var line = style.name(Words.visible(name)) + "  \(Quoting.path(path))"
    line += "  on \(access.history.currentBranch)"
    if let head {
      let now = access.invocation.time.now()
      let age = HumanUnits.ago(seconds: Int(clamping: now.seconds - head.snapshot.time.seconds))
      line += " at \(style.identifier(Words.short(head.id))), \(age)"
    }
    let state = daemon?.state.rawValue ?? "no daemon"
    let painted =
      switch daemon?.state {
      case .protected: style.good(state)
      case .unprotected: style.failure(state)
      case .degraded, .paused: style.warning(state)
      case nil: style.quiet(state)
      }
    let room = (access.invocation.width ?? 80) - DisplayWidth.columns(of: state)
    let gap = max(2, min(Self.stateColumn, room) - DisplayWidth.columns(of: line))
    return line + String(repeating: " ", count: gap) + painted
  }

  /// What could not be looked at.
  private func doubts() -> [String] {
    guard let working = try? access.working() else { return [] }
    return working.problems.prefix(Self.limit).map { problem in
      "  " + style.warning(problem.kind.rawValue)
        + "  \(Quoting.path(problem.key)): \(Words.visible(problem.detail))"
    }
  }
}
