internal import ArgumentParser
internal import DTMFolder
internal import DTMRepository

struct Pin: ReportingVerb {
  static let configuration = CommandConfiguration.verb(
    commandName: "pin",
    abstract: "Keep a snapshot for good: a pinned one is never pruned",
    usage: "dtm pin SNAPSHOT [options]")

  @Argument(help: "The snapshot")
  var snapshot: String

  @OptionGroup var options: OutputOptions

  func run(in invocation: Invocation) throws -> CommandStatus {
    let access = try FolderAccess(invocation)
    let known = try access.snapshot(snapshot)
    if access.history.isPinned(known.id) {
      try SnapshotAnswer(options, access).print(known, words: "is pinned already")
      return .done
    }
    try access.commit(
      RecordDraft(
        kind: "pin", summary: "pinned \(Words.short(known.id))",
        moves: [RefMove(ref: access.history.refs.pin(known.id), old: nil, new: .id(known.id))]))
    try SnapshotAnswer(options, access).print(known, words: "is pinned")
    return .done
  }
}
