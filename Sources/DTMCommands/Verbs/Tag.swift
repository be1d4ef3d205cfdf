internal import ArgumentParser
internal import DTMFolder
internal import DTMRepository
internal import DTMSystem

struct Tag: ReportingVerb {
  static let configuration = CommandConfiguration.verb(
    commandName: "tag",
    abstract: "List, make or delete tags",
    usage: """
      dtm tag [options]
      dtm tag NAME [SNAPSHOT] [options]
      dtm tag -d NAME [options]
      """,
    discussion: "A tag names a snapshot for good; a tagged snapshot is never pruned.")

  @Argument(help: ArgumentHelp("The name, and the snapshot (default: HEAD)", valueName: "name"))
  var names: [String] = []

  @Flag(name: .customShort("d"), help: "Delete the tag")
  var delete = false

  @OptionGroup var options: OutputOptions

  func validate() throws {
    if delete, names.count != 1 { throw ValidationError("-d takes one name") }
    if names.count > 2 { throw ValidationError("too many names") }
  }

  func run(in invocation: Invocation) throws -> CommandStatus {
    let access = try FolderAccess(invocation)
    if names.isEmpty {
      try list(access)
    } else if delete {
      try remove(names[0], access)
    } else {
      try make(names[0], at: names.count > 1 ? names[1] : "HEAD", access)
    }
    return .done
  }

  private func list(_ access: FolderAccess) throws {
    let output = access.invocation.output
    let tags = access.history.tags
    if options.json {
      var writer = JSONWriter(pretty: true)
      writer.array { writer in
        for (name, snapshot) in tags {
          writer.object { writer in
            writer.field("name", name)
            writer.field("snapshot", snapshot.hex)
          }
        }
      }
      writer.endLine()
      return try output.write(writer.bytes)
    }
    let style = access.invocation.style
    var table = Table([.left, .left, .left, .flexible], terminalWidth: access.invocation.width)
    for (name, id) in tags {
      if options.quiet {
        try output.line(name)
        continue
      }
      table.append(
        [Table.Cell(name, style.name)]
          + SnapshotLines(access.invocation).cells(id, try access.keptSnapshot(id)))
    }
    for line in table.lines() { try output.line(line) }
  }

  private func make(_ name: String, at text: String, _ access: FolderAccess) throws {
    try RefNames.check(name, "tag")
    if let id = access.history.tag(name) { throw RefNames.present(name, "tag", at: id) }
    let known = try access.snapshot(text)
    try access.commit(
      RecordDraft(
        kind: "tag", summary: "tagged \(Words.short(known.id)) as \(name)",
        moves: [RefMove(ref: access.history.refs.tag(name), old: nil, new: .id(known.id))]))
    try say("\(Words.short(known.id)) is \(name) now", access)
  }

  private func remove(_ name: String, _ access: FolderAccess) throws {
    guard let id = access.history.tag(name) else {
      throw RefNames.missing(name, "tag", among: access.history.tags.map(\.name))
    }
    try access.commit(
      RecordDraft(
        kind: "tag", summary: "deleted the tag \(name) of \(Words.short(id))",
        moves: [RefMove(ref: access.history.refs.tag(name), old: .id(id), new: nil)]))
    try say("deleted the tag \(name) of \(Words.short(id)); dtm undo brings it back", access)
  }

  private func say(_ text: String, _ access: FolderAccess) throws {
    if !options.quiet, !options.json { try access.invocation.output.line(text) }
  }
}
