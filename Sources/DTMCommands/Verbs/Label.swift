internal import ArgumentParser
internal import DTMFolder
internal import DTMRepository
internal import DTMSystem

struct Label: ReportingVerb {
  static let configuration = CommandConfiguration(
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

/// What a command answers that changed what is known of a snapshot.
struct SnapshotAnswer {
  private let options: OutputOptions
  private let access: FolderAccess

  init(_ options: OutputOptions, _ access: FolderAccess) {
    self.options = options
    self.access = access
  }

  /// The snapshot as JSON, or a line.
  func print(_ known: KnownSnapshot, words: String) throws {
    let output = access.invocation.output
    if options.json {
      var writer = JSONWriter(pretty: true)
      writer.object(try access.report(known).write)
      writer.endLine()
      try output.write(writer.bytes)
    } else if !options.quiet {
      try output.line("\(Words.short(known.id)) \(words)")
    }
  }
}
