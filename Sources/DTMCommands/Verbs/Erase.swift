internal import ArgumentParser
internal import DTMConfiguration
internal import DTMFolder
internal import DTMRepository
internal import DTMSystem
internal import SystemPackage

struct Erase: ReportingVerb {
  static let configuration = CommandConfiguration.verb(
    commandName: "erase",
    abstract: "Take the content of paths out of all history for good",
    usage: "dtm erase PATTERN --confirm NAME [options]",
    discussion: """
      The pattern is one of .gitignore: a name alone fits everywhere, one with a slash from the folder on; \
      a directory goes with all beneath it. Every snapshot that holds such a path is written again without \
      it and gets another id; the old id still finds it, and so does undo of what was done before. Then \
      the content is freed and every pack is looked through for it. Nothing brings it back. The folder itself is left alone: what is there is in \
      the next snapshot again, unless it is ignored. Nobody else may capture the folder meanwhile: stop \
      dtmd first.
      """)

  @Argument(help: "What goes, such as '*.key' or raw/customers.csv")
  var pattern: String

  @Option(help: ArgumentHelp("The folder's name, to show that it is meant", valueName: "name"))
  var confirm: String?

  @Flag(help: "Only say what would go")
  var dryRun = false

  @OptionGroup var options: OutputOptions

  private static let patience: Duration = .seconds(30)

  func validate() throws {
    if confirm == nil, !dryRun {
      throw ValidationError(
        "it needs --confirm with the folder's name; --dry-run shows what would go")
    }
  }

  func run(in invocation: Invocation) throws -> CommandStatus {
    let fitting = try IgnorePattern(argument: pattern)
    let matches: (PathKey, Bool) -> Bool = { fitting.fits($0, isDirectory: $1) }
    let access = try FolderAccess(invocation)
    if dryRun {
      let plan = try invocation.progress.during("looking through the history") {
        try HistoryRewriting(access.repository, folder: access.id, matching: matches).plan()
      }
      let result = ErasureResult(plan, invocation)
      if options.json {
        try result.writePlanJSON()
      } else {
        try result.printPlan(isQuiet: options.quiet)
      }
      return plan.paths.isEmpty ? .negative : .done
    }
    try checkName(access)
    return try erase(matches, access)
  }

  private func checkName(_ access: FolderAccess) throws {
    let configured = try DaemonConfigurations(access.invocation).folder(
      holding: access.location.folder)?.name
    let name = configured ?? access.location.folder.lastComponent?.string ?? ""
    if confirm == name { return }
    throw CommandFailure(
      .usage, "--confirm names another folder: this one is \(Quoting.path(Array(name.utf8)))",
      hint: "nothing was erased")
  }

  private func erase(
    _ matches: @escaping (PathKey, Bool) -> Bool, _ access: FolderAccess
  ) throws -> CommandStatus {
    let invocation = access.invocation
    guard let lock = try access.repository.captureLock() else {
      let holder = CaptureLock.holder(access.repository.files).map { "process \($0)" }
      throw CommandFailure(
        .busy, "\(holder ?? "another process") captures the folder, or protects it",
        hint: "stop dtmd, erase, and start it again; nothing was erased")
    }
    defer { withExtendedLifetime(lock) {} }
    let erasure = try invocation.progress.during("erasing") {
      try Erasure(
        access.repository, folder: access.id, pattern: pattern, matching: matches,
        grace: try access.grace(), uid: invocation.user, at: invocation.time.now(),
        waits: invocation.patience(Self.patience))
    }
    let result = ErasureResult(erasure.history, invocation)
    if options.json {
      try result.writeJSON(erasure)
    } else {
      try result.print(erasure, isQuiet: options.quiet)
    }
    if erasure.collection.waitingBytes > 0 { return .busy }
    return erasure.history.paths.isEmpty ? .negative : .done
  }
}
