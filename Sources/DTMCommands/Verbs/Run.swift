internal import ArgumentParser
internal import DTMFolder
internal import DTMSystem

struct Run: Verb {
  static let configuration = CommandConfiguration.verb(
    commandName: "run",
    abstract: "Run a command between two snapshots",
    usage: "dtm run [--stage NAME] [options] -- COMMAND [ARGUMENT...]",
    discussion: """
      The command's output and exit status are passed on, signals are handed on to it. What it left \
      is recorded in any case, with the labels run_id, outcome and exit_status. It finds \
      DTM_SNAPSHOT_BEFORE, DTM_FOLDER and DTM_RUN_ID in its environment; a dtm run or dtm stage in it \
      belongs to the same run. Status 126: the command can't be run, 127: there is none, 128+n: \
      signal n ended it, 125: dtm itself failed.
      """)

  /// What becomes of the folder when the command fails.
  enum FailureAction: String, ExpressibleByArgument, CaseIterable {
    case keep, restore
  }

  @Option(help: ArgumentHelp("The pipeline's stage that the command is", valueName: "name"))
  var stage: String?

  @Option(help: ArgumentHelp("Add a label", valueName: "key=value"))
  var label: [LabelArgument] = []

  @Option(
    name: .customLong("on-failure"),
    help: "Keep what a failed command left, or restore what was before")
  var onFailure = FailureAction.keep

  @Option(
    help: ArgumentHelp(
      "Run this by sh afterwards, in the folder; where it fails the command has failed",
      valueName: "command"))
  var check: String?

  @Flag(name: .customShort("q"), help: "Say nothing of a command that failed")
  var isSilent = false

  @Flag(name: .shortAndLong, help: "Explain on standard error what is done")
  var verbose = false

  @Argument(parsing: .postTerminator, help: "After --: the command and its arguments")
  var command: [String] = []

  var choices: OutputChoices {
    OutputChoices(quiet: isSilent, verbose: verbose, pages: false)
  }

  func validate() throws {
    if command.isEmpty { throw ValidationError("the command is missing; it stands after --") }
    if let stage, let objection = StageFact.objection(to: stage) {
      throw ValidationError("that can't be the name of a stage: \(objection)")
    }
  }

  func run(in invocation: Invocation) throws -> CommandStatus {
    let labels = try StageLabels(label, run: nil, environment: invocation.environment)
    do {
      return try CommandRun(self, labels, invocation).run()
    } catch {
      throw CommandFailure(error).with(status: .runFailed)
    }
  }
}
