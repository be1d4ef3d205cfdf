internal import ArgumentParser
internal import DTMFolder
internal import DTMRepository
internal import DTMSystem
internal import SystemPackage

struct Restore: ReportingVerb {
  static let configuration = CommandConfiguration.verb(
    commandName: "restore",
    abstract: "Bring paths, or the whole folder, back to what they were",
    usage: "dtm restore [SNAPSHOT] [PATH...] [--at SNAPSHOT] [--to DIR] [options]",
    discussion: """
      Without a snapshot each path goes back to its newest version that differs from what is there \
      now, the whole folder to HEAD. A directory becomes exactly what it was. What would be lost is \
      recorded first, and dtm undo takes the restore back. Each file is replaced in one step; with \
      --in-place large ones are not: whoever reads one meanwhile sees parts of both, and after a \
      crash it is a mixture until the next dtm command that writes. The first argument is a snapshot if it \
      names one, else a path.
      """)

  @Argument(
    help: ArgumentHelp("The snapshot, then the paths (default: all)", valueName: "snapshot path"))
  var names: [String] = []

  @Argument(
    parsing: .postTerminator,
    help: ArgumentHelp("After --: paths only", valueName: "path", visibility: .hidden))
  var paths: [String] = []

  @Option(help: ArgumentHelp("Take this snapshot; all arguments are paths", valueName: "snapshot"))
  var at: String?

  @Option(help: ArgumentHelp("Lay the paths out beneath this directory", valueName: "dir"))
  var to: String?

  @Flag(help: "With --to: into a directory that is not empty, replacing what is in the way")
  var overwrite = false

  @Flag(name: .customLong("no-delete"), help: "Keep what was added since")
  var noDelete = false

  @Flag(
    name: .customLong("in-place"),
    help: "Write into files of 1 MiB and more what differs: no room for a second copy is needed")
  var inPlace = false

  @Flag(name: .customLong("dry-run"), help: "Show what would be done, and do nothing")
  var dryRun = false

  @Flag(
    name: .customLong("no-safety-snapshot"),
    help: "Do not record first what would be lost: it can't be brought back then")
  var noSafetySnapshot = false

  @OptionGroup var options: OutputOptions

  func validate() throws {
    if overwrite, to == nil { throw ValidationError("--overwrite goes with --to") }
    if inPlace, to != nil { throw ValidationError("--in-place does not go with --to") }
    if inPlace, noSafetySnapshot {
      throw ValidationError("--in-place needs the safety snapshot: what is there is written over")
    }
  }

  func run(in invocation: Invocation) throws -> CommandStatus {
    let access = try FolderAccess(invocation)
    var request = try self.request(access)
    request.keepsAdded = noDelete
    request.isDryRun = dryRun
    request.takesSafetySnapshot = !noSafetySnapshot
    request.isInPlace = inPlace
    request.destination = try to.map { try destination($0, access) }
    request.overwrites = overwrite
    let result = try Restoring(access).run(request)
    return try RestoreResult(options, access).print(result, request)
  }

  /// Where the paths are to go: not into what dtm keeps.
  private func destination(_ text: String, _ access: FolderAccess) throws -> FilePath {
    let path = try access.invocation.absolute(text)
    // A link may lead there, at its end too.
    let place = try PathStatus.canonical(path) ?? PathStatus.canonicalPlace(of: path) ?? path
    let kept = access.location.repository
    let repository = try PathStatus.canonical(kept) ?? kept
    guard
      place.components.contains(where: { $0.string == FolderLocation.repositoryName })
        || place.starts(with: repository)
    else { return path }
    throw CommandFailure(
      .invalidInput, "\(Quoting.path(path)) is in a repository", hint: "name another directory")
  }

  private func request(_ access: FolderAccess) throws -> RestoreRequest {
    if let at {
      let paths = try PathArguments(access.invocation, access.location).keys(names + self.paths)
      return RestoreRequest(.snapshot(try access.snapshot(at)), paths: paths)
    }
    let arguments = try StateArguments(
      access, names: names, paths: paths, limit: 1, allowsUnknown: true)
    switch arguments.states.first {
    case .snapshot(let known): return RestoreRequest(.snapshot(known), paths: arguments.paths)
    case nil: return RestoreRequest(.newest, paths: arguments.paths)
    case .working:
      throw CommandFailure(.usage, "the folder is as it is now already: WORKING is no snapshot")
    }
  }
}
