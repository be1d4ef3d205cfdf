internal import ArgumentParser
internal import DTMFolder
internal import DTMRepository
internal import DTMSystem

struct Label: ReportingVerb {
  static let configuration = CommandConfiguration.verb(
    commandName: "label",
    abstract: "Add labels to a snapshot",
    usage: "dtm label SNAPSHOT KEY=VALUE... [options]",
    discussion: "A label of the same key is replaced. dtm show key=value finds the snapshot.")

  @Argument(help: "The snapshot")
  var snapshot: String

  @Argument(help: ArgumentHelp("Labels, as key=value", valueName: "key=value"))
  var labels: [LabelArgument]

  @OptionGroup var options: OutputOptions

  func run(in invocation: Invocation) throws -> CommandStatus {
    let access = try FolderAccess(invocation)
    let known = try access.snapshot(snapshot)
    let words = LabelArgument.dictionary(labels)
    let facts = words.sorted { $0.key < $1.key }.map {
      Fact(subject: known.id, key: "label:\($0.key)", value: Array($0.value.utf8))
    }
    let text = Words.labels(words)
    try access.commit(
      RecordDraft(
        kind: "label", summary: "labelled \(Words.short(known.id)) \(text)", facts: facts))
    try SnapshotAnswer(options, access).print(known, words: "carries \(text) now")
    return .done
  }
}
