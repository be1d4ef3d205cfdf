internal import ArgumentParser
internal import DTMFolder
internal import DTMRepository
internal import DTMSystem
internal import SystemPackage

struct Initialize: ReportingVerb {
  static let configuration = CommandConfiguration.verb(
    commandName: "init",
    abstract: "Make a repository for a folder and take a first snapshot",
    usage: "dtm init [DIR] [--repository PATH] [options]",
    discussion: """
      The repository is .dtm in the folder, as git has it, unless --repository names another place. \
      dtm protect keeps it outside, so that it outlives the folder.
      """)

  @Argument(help: ArgumentHelp("The folder (default: the working directory)", valueName: "dir"))
  var directory: String?

  @Option(help: ArgumentHelp("Keep the repository there, outside of the folder", valueName: "path"))
  var repository: String?

  @Option(help: ArgumentHelp("Name the first branch (default: main)", valueName: "name"))
  var branch: String?

  @Flag(name: .customLong("no-first-snapshot"), help: "Take no first snapshot")
  var noFirstSnapshot = false

  @Flag(help: "Say that this folder, a copy or moved, is the one that its repository is about")
  var adopt = false

  @OptionGroup var options: OutputOptions

  func run(in invocation: Invocation) throws -> CommandStatus {
    let folder = try FolderArgument(invocation).existing(
      directory ?? invocation.folderOption ?? ".")
    try FolderArgument.assumeOwner(of: folder, invocation)
    // A wrong one fails the first snapshot: then nothing is to be made.
    if !noFirstSnapshot { _ = try DaemonConfigurations(invocation).folder(holding: folder) }
    let making = FolderMaking(
      folder: folder, repository: try repository.map(invocation.absolute), branch: branch,
      time: invocation.time)
    let made = try making.make()
    if adopt { try making.adopt(made) }
    let access = try FolderAccess(invocation, made.location)
    var status = CommandStatus.done
    var first: TakenSnapshot?
    if made.isCreated, !noFirstSnapshot {
      var wish = SnapshotWish()
      wish.message = "first snapshot"
      let taken = try SnapshotTaking(access: access).take(wish)
      first = taken
      if !taken.known.snapshot.isComplete { status = .incomplete }
    }
    try print(made, first, access)
    return status
  }

  private func print(
    _ made: FolderMaking.Result, _ first: TakenSnapshot?, _ access: FolderAccess
  ) throws {
    let output = access.invocation.output
    if options.json {
      var writer = JSONWriter(pretty: true)
      writer.object { writer in
        writer.field("folder", made.location.folder.string)
        writer.field("repository", made.location.repository.string)
        writer.field("id", made.id.hex)
        writer.field("created", made.isCreated)
        writer.field("snapshot", first?.known.id.hex)
      }
      writer.endLine()
      return try output.write(writer.bytes)
    }
    if options.quiet { return }
    let folder = Quoting.path(made.location.folder)
    let place = Quoting.path(made.location.repository)
    if !made.isCreated {
      if adopt { return try output.line("\(folder) is the folder of the repository at \(place)") }
      return try output.line("\(folder) has its repository already, at \(place)")
    }
    try output.line("made the repository of \(folder) at \(place)")
    if made.location.isInside {
      try output.line(
        "it lies in the folder: who removes the folder removes its history too"
          + " (dtm protect keeps it outside)")
    }
    if let first { _ = try SnapshotResult(access).print(first) }
  }
}
