internal import ArgumentParser
internal import DTMFolder
internal import DTMRepository
internal import DTMSystem
internal import SystemPackage

struct Export: ReportingVerb {
  static let configuration = CommandConfiguration.verb(
    commandName: "export",
    abstract: "Write a snapshot, or paths of it, as a tar archive",
    usage: "dtm export SNAPSHOT [PATH...] [-o FILE.tar[.zst]] [options]",
    discussion: """
      GNU tar reads it back as it was: tar --acls --xattrs --xattrs-include='*' -xf FILE. Without -o \
      it goes to standard output. A file is mode 0600, and there only when it is whole. Each byte is \
      checked against its SHA-256. Status 3: sockets are left out, for which there is no form.
      """)

  @Argument(help: "The snapshot")
  var snapshot: String

  @Argument(help: ArgumentHelp("The paths (default: all)", valueName: "path"))
  var paths: [String] = []

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp(
      "Write this file, - for standard output; packed where its name ends in .zst",
      valueName: "file"))
  var output: String?

  @Flag(help: "Replace the file where it is there")
  var overwrite = false

  @OptionGroup var options: OutputOptions

  /// zstd's level: as hard as a disk is fast.
  private static let level = 3
  /// Forms that a name promises and that are not written.
  private static let otherForms = [".gz", ".tgz", ".bz2", ".xz", ".lz4", ".zip", ".Z"]

  func validate() throws {
    if overwrite, output == nil { throw ValidationError("--overwrite goes with -o") }
    if options.json, output == nil {
      throw ValidationError("--json goes with -o: an archive is no JSON document")
    }
    if let output, let form = Self.otherForms.first(where: { output.hasSuffix($0) }) {
      throw ValidationError("\(form) is not written: name it .tar or .tar.zst")
    }
  }

  func run(in invocation: Invocation) throws -> CommandStatus {
    // As for import, - is a stream.
    let output = output == "-" ? nil : output
    if output == nil, invocation.output.terminal != nil {
      throw CommandFailure(
        .usage, "an archive does not go to a terminal", hint: "-o FILE, or a pipe")
    }
    let access = try FolderAccess(invocation)
    if snapshot == FolderState.workingName {
      throw CommandFailure(
        .usage, "the folder as it is now is no snapshot", hint: "dtm snapshot takes one")
    }
    let known = try access.snapshot(snapshot)
    let keys = try PathArguments(invocation, access.location).keys(paths)
    guard let output else { return try toStandardOutput(known, keys, access) }
    let path = try invocation.absolute(output)
    if !overwrite, try PathStatus.of(path) != nil { throw ArchiveFile.present(path) }
    let file = try ArchiveFile(path)
    let isPacked = output.hasSuffix(".zst") || output.hasSuffix(".tzst")
    let outcome = try write(known, keys, access, isPacked: isPacked) { bytes throws(FolderError) in
      do throws(Errno) { try file.write(bytes) } catch {
        throw FolderError(error, "write", Quoting.path(path))
      }
    }
    try file.finish(replaces: overwrite)
    return try report(outcome, known, file, path, invocation)
  }

  private func toStandardOutput(
    _ known: KnownSnapshot, _ keys: [PathKey], _ access: FolderAccess
  ) throws -> CommandStatus {
    let invocation = access.invocation
    var failure: CommandFailure?
    let outcome: ExportOutcome
    do {
      outcome = try write(known, keys, access, isPacked: false) { bytes throws(FolderError) in
        do throws(CommandFailure) { try invocation.output.write(bytes) } catch {
          failure = error
          throw FolderError(.inputOutput, error.message)
        }
      }
    } catch { throw failure ?? error }
    for problem in outcome.problems {
      invocation.remark("\(Quoting.path(problem.key)) is left out: \(problem.detail)")
    }
    return outcome.problems.isEmpty ? .done : .incomplete
  }

  private func write(
    _ known: KnownSnapshot, _ keys: [PathKey], _ access: FolderAccess, isPacked: Bool,
    to sink: @escaping ([UInt8]) throws(FolderError) -> Void
  ) throws -> ExportOutcome {
    let zstd = isPacked ? try ZstdCompressor(level: Self.level) : nil
    func pack(_ bytes: [UInt8], isLast: Bool) throws(FolderError) {
      guard let zstd else { return try sink(bytes) }
      let packed: [UInt8]
      do throws(RepositoryError) { packed = try zstd.compress(bytes, isLast: isLast) } catch {
        throw FolderError(error)
      }
      if !packed.isEmpty { try sink(packed) }
    }
    let progress = access.invocation.progress
    return try progress.during("exporting") {
      var export = TreeExport(
        access.tree(of: known), access.repository.objects, progress: progress.counts
      ) { bytes throws(FolderError) in try pack(bytes, isLast: false) }
      let outcome = try export.write(keys)
      try pack([], isLast: true)
      return outcome
    }
  }

  // MARK: - The words

  private func report(
    _ outcome: ExportOutcome, _ known: KnownSnapshot, _ file: ArchiveFile, _ path: FilePath,
    _ invocation: Invocation
  ) throws -> CommandStatus {
    let output = invocation.output
    if options.json {
      var writer = JSONWriter(pretty: true)
      writer.object { writer in
        writer.field("snapshot", known.id.hex)
        writer.field("file", path.string)
        writer.field("entries", outcome.entries)
        writer.field("files", outcome.files)
        writer.field("bytes", outcome.bytes)
        writer.field("bytesWritten", file.length)
        writer.array("problems") { writer in
          for problem in outcome.problems { writer.problem(problem) }
        }
      }
      writer.endLine()
      try output.write(writer.bytes)
    } else if options.quiet {
      try output.line(path.string)
    } else {
      let id = invocation.style.identifier(Words.short(known.id))
      try output.line(
        "\(Quoting.path(path))  \(Words.count(outcome.entries, "entry", "entries")) of \(id), "
          + "\(HumanUnits.bytes(outcome.bytes)), \(HumanUnits.bytes(file.length)) written, checked")
      for problem in outcome.problems {
        try output.line(
          "  " + invocation.style.warning(problem.kind.rawValue)
            + "  \(Quoting.path(problem.key)): \(problem.detail)")
      }
    }
    return outcome.problems.isEmpty ? .done : .incomplete
  }
}
