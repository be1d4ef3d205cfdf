internal import DTMFolder
internal import DTMRepository
internal import DTMSystem

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
