internal import ArgumentParser
internal import DTMFolder
internal import DTMRepository
internal import DTMSystem

struct Checkout: ReportingVerb {
  static let configuration = CommandConfiguration.verb(
    commandName: "checkout",
    abstract: "Make the whole folder exactly what a snapshot or a branch has",
    usage: """
      dtm checkout SNAPSHOT|BRANCH [options]
      dtm checkout -b NEW [SNAPSHOT] [options]
      """,
    discussion: """
      With a branch, new snapshots go to it from then on. History only moves forward: the next \
      snapshot has the content that was checked out, and the former one as its parent. Ignored paths \
      are left alone. What would be lost is recorded first, and dtm undo takes the checkout back.
      """)

  @Argument(help: "The snapshot or branch")
  var snapshot: String?

  @Option(
    name: .customShort("b"),
    help: ArgumentHelp("Make this branch and switch to it", valueName: "new"))
  var newBranch: String?

  @Flag(name: .customLong("dry-run"), help: "Show what would be done, and do nothing")
  var dryRun = false

  @OptionGroup var options: OutputOptions

  func validate() throws {
    if snapshot == nil, newBranch == nil {
      throw ValidationError("missing expected argument '<snapshot>'")
    }
  }

  func run(in invocation: Invocation) throws -> CommandStatus {
    let access = try FolderAccess(invocation)
    let name = snapshot ?? "HEAD"
    if let newBranch {
      try RefNames.check(newBranch, "branch")
      if let id = access.history.branch(newBranch) {
        throw RefNames.present(newBranch, "branch", at: id)
      }
    }
    let known = try access.snapshot(name)
    var request = RestoreRequest(.snapshot(known))
    request.kind = "checkout"
    request.isDryRun = dryRun
    if let newBranch {
      request.branch = newBranch
      request.newBranchFrom = known.id
    } else if access.history.branch(name) != nil, name != access.history.currentBranch {
      request.branch = name
    }
    let result = try Restoring(access).run(request)
    return try RestoreResult(options, access).print(result, request)
  }
}
