internal import ArgumentParser
internal import DTMFolder
internal import DTMRepository
internal import DTMSystem

struct Find: ReportingVerb {
  static let configuration = CommandConfiguration.verb(
    commandName: "find",
    abstract: "Find paths in all snapshots, and when each version appeared",
    usage: "dtm find PATTERN [--all] [options]",
    discussion: """
      The pattern is one of .gitignore: a name alone is looked for everywhere, one with a slash from the \
      folder on. A version is what a path held from one snapshot on until it was changed or removed.
      """)

  @Argument(help: "What is looked for, such as '*.csv' or raw/orders.csv")
  var pattern: String

  @Flag(help: "Look at the snapshots of all branches and tags")
  var all = false

  @OptionGroup var options: OutputOptions

  func run(in invocation: Invocation) throws -> CommandStatus {
    let pattern = try IgnorePattern(argument: pattern)
    let access = try FolderAccess(invocation)
    var finding = VersionFinding(access, pattern)
    let heads =
      all
      ? (access.history.branches + access.history.tags).map(\.snapshot)
      : access.history.head.map { [$0] } ?? []
    try invocation.progress.during("looking through the history") {
      for head in heads { try finding.look(from: head) }
    }
    let found = finding.found.sorted { $0.key < $1.key }
    try print(found, invocation)
    return found.isEmpty ? .negative : .done
  }

  private func print(
    _ found: [(key: PathKey, value: [FoundVersion])], _ invocation: Invocation
  ) throws {
    let output = invocation.output
    if options.json {
      var writer = JSONWriter(pretty: true)
      writer.array { writer in
        for (key, versions) in found {
          writer.object { writer in
            writer.field("path", path: key)
            writer.array("versions") { writer in
              for version in versions {
                writer.object { writer in
                  writer.field("id", version.first.id.hex)
                  writer.field("from", version.first.snapshot.time.rfc3339)
                  writer.field("to", version.end?.snapshot.time.rfc3339)
                  writer.field("size", version.size)
                }
              }
            }
          }
        }
      }
      writer.endLine()
      return try output.write(writer.bytes)
    }
    if options.quiet {
      for (key, _) in found { try output.line(Quoting.path(key)) }
      return
    }
    let now = invocation.time.now()
    for (key, versions) in found {
      try output.line(Quoting.path(key))
      var table = Table([.left, .left, .left, .right])
      for version in versions.reversed() {
        table.append([
          Table.Cell(Words.short(version.first.id), invocation.style.identifier),
          Table.Cell(invocation.calendar.brief(version.first.snapshot.time, now: now)),
          Table.Cell(
            version.end.map { "until " + invocation.calendar.brief($0.snapshot.time, now: now) }
              ?? "still there"),
          Table.Cell(version.size.map { HumanUnits.bytes($0) } ?? ""),
        ])
      }
      for line in table.lines(indent: 2) { try output.line(line) }
    }
  }
}
