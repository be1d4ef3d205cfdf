internal import ArgumentParser
internal import DTMFolder
internal import DTMRepository

struct Unpin: ReportingVerb {
  static let configuration = CommandConfiguration.verb(
    commandName: "unpin",
    abstract: "Let a pinned snapshot be pruned again",
    usage: "dtm unpin SNAPSHOT [options]")

  @Argument(help: "The snapshot")
  var snapshot: String

  @OptionGroup var options: OutputOptions

  func run(in invocation: Invocation) throws -> CommandStatus {
    let access = try FolderAccess(invocation)
    let known = try access.snapshot(snapshot)
    let ref = access.history.refs.pin(known.id)
    guard let old = access.history.state.refs[ref] else {
      throw CommandFailure(.notFound, "\(Words.short(known.id)) is not pinned")
    }
    try access.commit(
      RecordDraft(
        kind: "pin", summary: "unpinned \(Words.short(known.id))",
        moves: [RefMove(ref: ref, old: old, new: nil)]))
    try SnapshotAnswer(options, access).print(known, words: "is no longer pinned")
    return .done
  }
}
