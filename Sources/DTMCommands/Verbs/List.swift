internal import ArgumentParser
internal import DTMFolder
internal import DTMRepository
internal import DTMSystem

struct List: ReportingVerb {
  static let configuration = CommandConfiguration.verb(
    commandName: "ls",
    abstract: "List what a snapshot holds",
    usage: "dtm ls [SNAPSHOT] [PATH] [options]")

  @Argument(
    help: ArgumentHelp(
      "The snapshot, or WORKING (default: HEAD), then the path", valueName: "snapshot path"))
  var names: [String] = []

  @Argument(
    parsing: .postTerminator,
    help: ArgumentHelp("After --: a path", valueName: "path", visibility: .hidden))
  var paths: [String] = []

  @Flag(name: .customShort("l"), help: "Show mode, owner, size and time")
  var long = false

  @Flag(name: .customShort("R"), help: "List what is beneath directories too")
  var recursive = false

  @OptionGroup var options: OutputOptions

  func run(in invocation: Invocation) throws -> CommandStatus {
    let access = try FolderAccess(invocation)
    let arguments = try StateArguments(access, names: names, paths: paths, limit: 1)
    let state = try arguments.states.first ?? .snapshot(access.snapshot("HEAD"))
    let tree = try access.tree(of: state)
    let start = try PathArguments(invocation, access.location).key(".")
    var paths = arguments.paths
    if paths.isEmpty { paths = [try isDirectory(start, tree) ? start : .root] }
    let printer = ListPrinter(self, invocation)
    for path in paths { try list(path, tree, state, printer.add) }
    try printer.finish()
    return .done
  }

  private func isDirectory(_ key: PathKey, _ tree: Tree) throws -> Bool {
    try key.isRoot || tree.entry(key)?.kind == .directory
  }

  private func list(
    _ path: PathKey, _ tree: Tree, _ state: FolderState, _ add: (TreeEntry) throws -> Void
  ) throws {
    if !path.isRoot {
      guard let entry = try tree.entry(path) else {
        throw CommandFailure(
          .notFound, "there is no \(Quoting.path(path)) in \(state.words)",
          hint: "dtm log --path \(Quoting.path(path)) lists the snapshots that changed it")
      }
      if entry.kind != .directory { return try add(entry) }
    }
    var failure: (any Error)?
    let body: (TreeEntry) throws(RepositoryError) -> Bool = { entry in
      do {
        if !entry.key.isRoot { try add(entry) }
        return true
      } catch {
        failure = error
        return false
      }
    }
    if recursive {
      try tree.forEach(beneath: path, body)
    } else {
      try tree.forEachChild(of: path, body)
    }
    if let failure { throw failure }
  }
}
