internal import ArgumentParser

/// The verbs of a stage.
struct Stage: ParsableCommand {
  static let configuration = CommandConfiguration.verb(
    commandName: "stage",
    abstract: "Record that a pipeline's stage begins, ends or fails",
    discussion: """
      Each is a snapshot with the labels stage, run_id, attempt and outcome. Said twice it is \
      recorded once, so that a scheduler may try again. dtm run does both around a command.
      """,
    subcommands: [StageBegin.self, StageEnd.self, StageFail.self])
}
