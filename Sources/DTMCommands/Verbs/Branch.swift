internal import ArgumentParser
internal import DTMFolder
internal import DTMRepository
internal import DTMSystem

struct Branch: ReportingVerb {
  static let configuration = CommandConfiguration.verb(
    commandName: "branch",
    abstract: "List, make, rename or delete branches",
    usage: """
      dtm branch [options]
      dtm branch NAME [SNAPSHOT] [options]
      dtm branch -m OLD NEW [options]
      dtm branch -d NAME [options]
      """,
    discussion: "Making a branch touches no file; dtm checkout switches to it.")

  @Argument(help: ArgumentHelp("The name, and where it begins (default: HEAD)", valueName: "name"))
  var names: [String] = []

  @Flag(
    name: .customShort("d"), help: "Delete the branch; its snapshots stay until they are pruned")
  var delete = false

  @Flag(name: .customShort("m"), help: "Rename a branch")
  var rename = false

  @OptionGroup var options: OutputOptions

  func validate() throws {
    if delete, rename { throw ValidationError("-d and -m exclude each other") }
    let limit = delete ? 1...1 : rename ? 2...2 : 0...2
    if !limit.contains(names.count) {
      throw ValidationError(
        delete ? "-d takes one name" : rename ? "-m takes two names" : "too many names")
    }
  }

  func run(in invocation: Invocation) throws -> CommandStatus {
    let access = try FolderAccess(invocation)
    if names.isEmpty {
      try list(access)
    } else if delete {
      try remove(names[0], access)
    } else if rename {
      try move(names[0], to: names[1], access)
    } else {
      try make(names[0], at: names.count > 1 ? names[1] : "HEAD", access)
    }
    return .done
  }

  private func list(_ access: FolderAccess) throws {
    let output = access.invocation.output
    let history = access.history
    if options.json {
      var writer = JSONWriter(pretty: true)
      writer.array { writer in
        for (name, snapshot) in history.branches {
          writer.object { writer in
            writer.field("name", name)
            writer.field("snapshot", snapshot.hex)
            writer.field("current", name == history.currentBranch)
          }
        }
      }
      writer.endLine()
      return try output.write(writer.bytes)
    }
    if options.quiet {
      for (name, _) in history.branches { try output.line(name) }
      return
    }
    let style = access.invocation.style
    var table = Table(
      [.left, .left, .left, .left, .flexible], terminalWidth: access.invocation.width)
    for (name, id) in history.branches {
      let isCurrent = name == history.currentBranch
      var cells = [Table.Cell(isCurrent ? "*" : "", style.good)]
      cells.append(Table.Cell(name, { isCurrent ? style.good($0) : style.name($0) }))
      cells += SnapshotLines(access.invocation).cells(id, try access.keptSnapshot(id))
      table.append(cells)
    }
    for line in table.lines() { try output.line(line) }
    if history.head == nil {
      try output.line("on \(history.currentBranch), which has no snapshot yet")
    }
  }

  private func make(_ name: String, at text: String, _ access: FolderAccess) throws {
    try RefNames.check(name, "branch")
    if let id = access.history.branch(name) { throw RefNames.present(name, "branch", at: id) }
    let known = try access.snapshot(text)
    try access.commit(
      RecordDraft(
        kind: "branch", summary: "made the branch \(name) at \(Words.short(known.id))",
        moves: [RefMove(ref: access.history.refs.branch(name), old: nil, new: .id(known.id))]))
    try say(
      "branch \(name) at \(Words.short(known.id)); dtm checkout \(name) switches to it", access)
  }

  private func remove(_ name: String, _ access: FolderAccess) throws {
    guard let id = access.history.branch(name) else { throw missing(name, access) }
    if name == access.history.currentBranch {
      throw CommandFailure(
        .invalidInput, "\(name) is the current branch", hint: "dtm checkout another one first")
    }
    try access.commit(
      RecordDraft(
        kind: "branch", summary: "deleted the branch \(name), which was at \(Words.short(id))",
        moves: [RefMove(ref: access.history.refs.branch(name), old: .id(id), new: nil)]))
    try say(
      "deleted the branch \(name), which was at \(Words.short(id)); dtm undo brings it back", access
    )
  }

  private func move(_ old: String, to new: String, _ access: FolderAccess) throws {
    let history = access.history
    try RefNames.check(new, "branch")
    let id = history.branch(old)
    let isCurrent = history.currentBranch == old
    if id == nil, !isCurrent { throw missing(old, access) }
    if let there = history.branch(new) { throw RefNames.present(new, "branch", at: there) }
    var moves: [RefMove] = []
    if let id {
      moves.append(RefMove(ref: history.refs.branch(old), old: .id(id), new: nil))
      moves.append(RefMove(ref: history.refs.branch(new), old: nil, new: .id(id)))
    }
    if isCurrent {
      moves.append(
        RefMove(
          ref: history.refs.head, old: history.state.refs[history.refs.head], new: .name(new)))
    }
    try access.commit(
      RecordDraft(kind: "branch", summary: "renamed the branch \(old) to \(new)", moves: moves))
    try say("\(old) is \(new) now", access)
  }

  private func missing(_ name: String, _ access: FolderAccess) -> CommandFailure {
    RefNames.missing(name, "branch", among: access.history.branches.map(\.name))
  }

  private func say(_ text: String, _ access: FolderAccess) throws {
    if !options.quiet, !options.json { try access.invocation.output.line(text) }
  }
}
