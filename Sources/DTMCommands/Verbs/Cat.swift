internal import ArgumentParser
internal import DTMFolder
internal import DTMRepository
internal import DTMSystem

struct Cat: ReportingVerb {
  static let configuration = CommandConfiguration.verb(
    commandName: "cat",
    abstract: "Write a file's content to standard output",
    usage: "dtm cat SNAPSHOT PATH",
    discussion: "Each byte is checked against its SHA-256 before it is written.")

  @Argument(help: "The snapshot, or WORKING")
  var snapshot: String

  @Argument(help: "The file")
  var path: String

  @OptionGroup var options: OutputOptions

  /// Zeros that a hole is written as, at once.
  private static let zeros = [UInt8](repeating: 0, count: 64 << 10)

  func validate() throws {
    if options.json { throw ValidationError("the content of a file is no JSON document") }
  }

  func run(in invocation: Invocation) throws -> CommandStatus {
    let access = try FolderAccess(invocation)
    let key = try PathArguments(invocation, access.location).key(path)
    if snapshot == FolderState.workingName {
      try copyWorking(key, access)
      return .done
    }
    let known = try access.snapshot(snapshot)
    guard let entry = try access.tree(of: known).entry(key) else {
      throw CommandFailure(
        .notFound, "there is no \(Quoting.path(key)) in \(FolderState.snapshot(known).words)",
        hint: "dtm ls \(Words.short(known.id)) lists what there is")
    }
    try checkKind(entry.kind, key)
    do {
      try copy(entry, access.repository.objects, invocation.output)
    } catch let error as RepositoryError {
      try invocation.output.flush()
      throw FolderError(error, Quoting.path(key))
    }
    return .done
  }

  private func checkKind(_ kind: FileKind?, _ key: PathKey) throws {
    if kind == .file { return }
    let word =
      switch kind {
      case .directory: "a directory"
      case .symlink: "a symbolic link"
      default: "a special file"
      }
    throw CommandFailure(
      .invalidInput, "\(Quoting.path(key)) is \(word), not a file",
      hint: "dtm ls \(snapshot) \(Quoting.path(key)) shows it")
  }

  private func copy(
    _ entry: TreeEntry, _ objects: any ObjectReader, _ output: Output
  ) throws {
    let reader = ContentReader(objects)
    var failure: CommandFailure?
    try reader.forEachPart(of: entry.content, size: entry.size) { part throws(RepositoryError) in
      if failure != nil { return }
      let bytes: [UInt8]
      switch part.source {
      case .bytes(let inline): bytes = inline
      case .chunk(let id): bytes = try reader.chunk(id, length: part.length)
      case .hole: bytes = []
      }
      do throws(CommandFailure) {
        if case .hole = part.source { try writeHole(part.length, output) }
        try output.write(bytes)
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
  }

  private func writeHole(_ length: Int, _ output: Output) throws(CommandFailure) {
    var left = length
    while left > 0 {
      let count = min(left, Self.zeros.count)
      try output.write(count == Self.zeros.count ? Self.zeros : Array(Self.zeros[..<count]))
      left -= count
    }
  }

  /// The file as it is now.
  private func copyWorking(_ key: PathKey, _ access: FolderAccess) throws {
    let output = access.invocation.output
    var failure: CommandFailure?
    try access.openFolder().forEachPiece(of: key) { _, bytes throws(FolderError) in
      if failure != nil { return }
      do throws(CommandFailure) { try output.write(bytes) } catch { failure = error }
    }
    if let failure { throw failure }
  }
}
