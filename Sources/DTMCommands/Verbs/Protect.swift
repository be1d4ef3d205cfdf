internal import ArgumentParser
internal import DTMConfiguration
internal import DTMControl
internal import DTMFolder
internal import DTMRepository
internal import DTMSystem
internal import Synchronization
internal import SystemPackage

struct Protect: ReportingVerb {
  static let configuration = CommandConfiguration.verb(
    commandName: "protect",
    abstract: "Have the daemon protect a folder",
    usage: "dtm protect DIR [options]",
    discussion: """
      Adds the folder to the configuration of this user's daemon (of the system's, as root), makes its \
      repository outside of it, takes a first snapshot and has a running daemon reload. The repository \
      is /var/lib/dtm/NAME, or $XDG_STATE_HOME/dtm/NAME for a user's own daemon.
      """)

  @Argument(help: ArgumentHelp("The folder", valueName: "dir"))
  var directory: String

  @Option(help: ArgumentHelp("Call it so (default: the directory's name)", valueName: "name"))
  var name: String?

  @Option(help: ArgumentHelp("Keep the repository there", valueName: "path"))
  var repository: String?

  @Option(help: ArgumentHelp("Leave out what matches, as in .gitignore", valueName: "pattern"))
  var ignore: [String] = []

  @OptionGroup var options: OutputOptions

  func run(in invocation: Invocation) throws -> CommandStatus {
    let folder = try FolderArgument(invocation).existing(directory)
    let configurations = DaemonConfigurations(invocation)
    let location = configurations.own
    if let there = try configurations.folder(holding: folder) {
      return try alreadyThere(there, folder, invocation)
    }
    let name = try name ?? Self.usualName(of: folder)
    let place = try repositoryPlace(name, folder, invocation)
    let owner = try Self.owner(of: folder)
    // Before anything is made: a configuration that would have to be refused makes nothing.
    try FolderDropIn(
      name: name, path: folder,
      repository: place ?? FolderLocation.at(folder)?.repository, ignore: ignore
    ).check(in: location)
    if let place { try RepositoryPlace(invocation).prepare(place, owner) }
    let user = invocation.user
    let time = invocation.time
    let made = try AsOwner.run(owner.uid, owner.gid, processUser: user) {
      () throws(CommandFailure) in
      do {
        return try FolderMaking(folder: folder, repository: place, branch: nil, time: time).make()
      } catch {
        throw CommandFailure(error)
      }
    }
    let file = try FolderDropIn(
      name: name, path: folder, repository: made.location.repository, ignore: ignore
    ).write(to: location)
    do {
      let ignoring = try configurations.folder(holding: folder)?.ignore ?? []
      try AsOwner.run(owner.uid, owner.gid, processUser: user) { () throws(CommandFailure) in
        do {
          try FirstSnapshot(made: made, ignoring: ignoring, user: user).takeIfNone()
        } catch {
          throw CommandFailure(error)
        }
      }
    } catch {
      // What can't be recorded is not protected: it is not said to be.
      _ = try FolderDropIn.remove(folderNamed: name, from: location)
      throw error
    }
    let isRunning = try DaemonReload(invocation).reload()
    try print(made, name, file, isRunning: isRunning, invocation)
    return .done
  }

  /// The directory's name, in the letters that a folder's name may have.
  private static func usualName(of folder: FilePath) throws(CommandFailure) -> String {
    guard let name = folder.lastComponent?.string else {
      throw CommandFailure(.usage, "/ has no name", hint: "give one with --name")
    }
    return name
  }

  private func alreadyThere(
    _ there: FolderConfiguration, _ folder: FilePath, _ invocation: Invocation
  ) throws -> CommandStatus {
    if there.path != folder {
      throw CommandFailure(
        .exists, "\(Quoting.path(folder)) lies in \(Quoting.path(there.path)), which is protected")
    }
    if let repository, try invocation.absolute(repository) != there.repository {
      throw CommandFailure(
        .exists, "\(Quoting.path(folder)) is protected already, as \(there.name)",
        hint: "dtm unprotect \(Quoting.shell(folder)) first")
    }
    if !options.quiet, !options.json {
      try invocation.output.line("\(Quoting.path(folder)) is protected already, as \(there.name)")
    }
    return .done
  }

  /// Where the repository is to be; nil where the folder has one that stays where it is.
  private func repositoryPlace(
    _ name: String, _ folder: FilePath, _ invocation: Invocation
  ) throws -> FilePath? {
    if let repository { return try invocation.absolute(repository) }
    if try FolderLocation.at(folder) != nil { return nil }
    let component = FilePath.Component(name)
    guard let component, FilePath(name).components.count == 1 else {
      throw CommandFailure(
        .invalidInput, "\(Quoting.path(Array(name.utf8))) can't be a folder's name",
        hint: "give another with --name")
    }
    return RepositoryPlace(invocation).usual.appending(component)
  }

  private static func owner(of folder: FilePath) throws -> FileStatus {
    do throws(Errno) { return try Descriptor.open(folder, [.path]).status() } catch {
      throw CommandFailure(error, "look at \(Quoting.path(folder))")
    }
  }

  private func print(
    _ made: FolderMaking.Result, _ name: String, _ file: FilePath, isRunning: Bool,
    _ invocation: Invocation
  ) throws {
    let output = invocation.output
    if options.json {
      var writer = JSONWriter(pretty: true)
      writer.object { writer in
        writer.field("name", name)
        writer.field("folder", made.location.folder.string)
        writer.field("repository", made.location.repository.string)
        writer.field("id", made.id.hex)
        writer.field("created", made.isCreated)
        writer.field("configuration", file.string)
        writer.field("running", isRunning)
      }
      writer.endLine()
      return try output.write(writer.bytes)
    }
    if options.quiet { return }
    let folder = Quoting.path(made.location.folder)
    try output.line(
      "\(folder) is protected as \(name); its history is in "
        + Quoting.path(made.location.repository))
    if made.location.isInside {
      try output.line("it lies in the folder: who removes the folder removes its history too")
    }
    if !isRunning { try output.line(DaemonReload.notRunning(invocation)) }
  }
}
