internal import ArgumentParser
internal import DTMControl
internal import DTMFolder
internal import DTMRepository
internal import DTMSystem
internal import SystemPackage

struct Status: FrequentVerb {
  static let configuration = CommandConfiguration.verb(
    commandName: "status",
    abstract: "Show what changed since the last snapshot, and how the daemon is",
    usage: "dtm status [options]",
    discussion: """
      Letters as in dtm diff. Where a daemon protects the folder, its health for this folder is shown; \
      dtmd status shows it for all.
      """)

  @OptionGroup var options: OutputOptions

  func run(in invocation: Invocation) throws -> CommandStatus {
    try Self.run(plain: invocation)
  }

  static func run(plain invocation: Invocation) throws -> CommandStatus {
    let access = try FolderAccess(invocation)
    let daemon = try DaemonLink(invocation).folder(access.location.folder)
    let head = try access.history.head.map { try access.history.snapshot($0) }
    let comparison = try Comparison(access, from: head, to: .working)
    if invocation.choices.json {
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
    if invocation.choices.quiet {
      for change in comparison.changes { try invocation.output.line(Quoting.path(change.key)) }
      return .done
    }
    let page = StatusPage(access, head: head, daemon: daemon?.status)
    for line in try page.lines(comparison) { try invocation.output.line(line) }
    return .done
  }
}
