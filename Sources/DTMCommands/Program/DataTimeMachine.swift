internal import ArgumentParser
internal import DTMControl

/// The root command: it holds what stands before a verb, and the verbs.
struct DataTimeMachine: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "dtm",
    abstract: "Keep the history of a data folder and bring any state of it back",
    discussion: """
      The folder is the nearest ancestor of the working directory that has a repository, or the one \
      that -C or DTM_FOLDER names. Exit statuses are those of sysexits: 0 done, 3 done but \
      incomplete, 64 wrong usage, 65 damaged data, 66 not found, 69 no daemon, 73 exists, \
      74 input/output error, 75 busy, 77 permission denied, 78 configuration error.
      """,
    version: "dtm \(ProgramVersion.current)",
    groupedSubcommands: [
      CommandGroup(
        name: "Record",
        subcommands: [
          Initialize.self, TakeSnapshot.self, Protect.self, Unprotect.self, Wait.self, Pause.self,
          Resume.self,
        ]),
      CommandGroup(name: "Pipelines", subcommands: [Run.self, Stage.self, Runs.self, Bisect.self]),
      CommandGroup(
        name: "Look",
        subcommands: [
          Status.self, Log.self, Show.self, Diff.self, List.self, Cat.self, Find.self, Watch.self,
        ]),
      CommandGroup(
        name: "Go back",
        subcommands: [Restore.self, Checkout.self, Undo.self, Redo.self, Operations.self]),
      CommandGroup(name: "Carry", subcommands: [Export.self, Import.self]),
      CommandGroup(
        name: "Name and keep",
        subcommands: [Branch.self, Tag.self, Label.self, Pin.self, Unpin.self]),
      CommandGroup(
        name: "Look after it",
        subcommands: [
          Doctor.self, MakeChecks.self, GuardVerb.self, Verify.self, Repair.self, Prune.self,
          Forget.self, CollectGarbage.self, Erase.self, Stats.self, ConfigurationCommand.self,
          Completions.self,
        ]),
    ])

  /// Taken off before anything is parsed (`FolderOption`): what the parser meets stands behind the command,
  /// where it would be overlooked.
  @Option(
    name: [.customShort("C"), .customLong("folder")],
    help: ArgumentHelp("Work on this data folder", valueName: "dir"),
    transform: { throw ValidationError("it stands before the command: dtm -C \($0) COMMAND") })
  var folder: String?
}
