internal import ArgumentParser
internal import DTMControl
internal import DTMFolder
internal import DTMRepository
internal import DTMSystem
internal import SystemPackage

struct Import: ReportingVerb {
  static let configuration = CommandConfiguration.verb(
    commandName: "import",
    abstract: "Record the content of a tar archive as a snapshot",
    usage: "dtm import FILE [options]",
    discussion: """
      Reads what dtm export, GNU tar and others write, packed by zstd or not; - is standard input. The \
      folder stays as it is: the snapshot is on a branch of its own, and dtm restore brings it, or \
      paths of it, into the folder.
      """)

  @Argument(help: "The archive")
  var file: String

  @Option(name: .shortAndLong, help: ArgumentHelp("Say what it is", valueName: "text"))
  var message: String?

  @Option(help: ArgumentHelp("The branch, new or not", valueName: "name"))
  var branch = "imported"

  @Option(help: ArgumentHelp("Add a label", valueName: "key=value"))
  var label: [LabelArgument] = []

  @Option(help: ArgumentHelp("Name it for good", valueName: "name"))
  var tag: String?

  @Option(help: ArgumentHelp("Record another time than now", valueName: "time"))
  var time: String?

  @OptionGroup var options: OutputOptions

  func run(in invocation: Invocation) throws -> CommandStatus {
    try RefNames.check(branch, "branch")
    if let tag { try RefNames.check(tag, "tag") }
    var request = ImportRequest()
    request.branch = branch
    request.message = message ?? ""
    request.labels = LabelArgument.dictionary(label)
    request.tags = tag.map { [$0] } ?? []
    request.time = try time.map { try invocation.moment($0, option: "--time") }
    request.host = ProcessPlace.hostName
    request.user = UserDirectory.name(ofUser: invocation.user) ?? String(invocation.user)
    request.writerVersion = ProgramVersion.current
    // Before the repository's owner is assumed: it is the caller's file.
    let source = try open(invocation)
    let access = try FolderAccess(invocation)
    if let tag, let id = access.history.tag(tag) { throw RefNames.present(tag, "tag", at: id) }
    let outcome = try invocation.progress.during("importing") {
      try ArchiveImport(
        access.repository, folder: access.id, time: invocation.time,
        progress: invocation.progress.counts
      ).run(source, request)
    }
    try access.refresh()
    guard let id = outcome.id, let snapshot = outcome.snapshot else {
      throw CommandFailure(.inputOutput, "the snapshot was not recorded")
    }
    return try SnapshotResult(access).print(
      TakenSnapshot(
        known: KnownSnapshot(id: id, snapshot: snapshot), isCreated: true, facts: outcome.facts))
  }

  private func open(_ invocation: Invocation) throws -> ArchiveSource {
    if file == "-" { return try ArchiveSource("standard input", try StandardStream.input()) }
    let path = try invocation.absolute(file)
    return try ArchiveSource(Quoting.path(path), try opened(path))
  }

  private func opened(_ path: FilePath) throws(CommandFailure) -> Descriptor {
    do throws(Errno) {
      let descriptor = try Descriptor.open(path, [.readOnly])
      if try descriptor.status().kind == .directory { throw .isDirectory }
      return descriptor
    } catch { throw CommandFailure(error, "read \(Quoting.path(path))") }
  }
}
