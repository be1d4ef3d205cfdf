internal import ArgumentParser
internal import DTMFolder
internal import DTMRepository
internal import DTMSystem

/// What all boundaries take.
struct StageOptions: ParsableArguments {
  @Argument(help: "The stage's name")
  var name: String

  @Option(
    name: .customLong("run-id"),
    help: ArgumentHelp("The pipeline's run (default: DTM_RUN_ID)", valueName: "id"))
  var runID: String?

  @Option(help: ArgumentHelp("Which try of the stage it is, from 1", valueName: "n"))
  var attempt: Int?

  @Option(help: ArgumentHelp("Add a label", valueName: "key=value"))
  var label: [LabelArgument] = []

  func validate() throws {
    if let attempt, attempt < 1 { throw ValidationError("--attempt counts from 1") }
  }

  /// Records the boundary and prints it.
  func record(
    _ event: StageEvent, _ options: OutputOptions, in invocation: Invocation
  ) throws -> CommandStatus {
    try StageLabels.check(name, "a stage")
    let labels = try StageLabels(label, run: runID, environment: invocation.environment)
    var wish = StageWish(event, stage: name)
    wish.pipeline = labels.pipeline
    wish.run = labels.run
    wish.attempt = attempt
    let access = try FolderAccess(invocation)
    let taking = StageTaking(access: access)
    let stage = try taking.take(
      StageTaking.Report(wish: wish, labels: labels.labels), by: taking.daemon())
    return try StageResult(options, access).print(stage, event)
  }
}

struct StageBegin: ReportingVerb {
  static let configuration = CommandConfiguration.verb(
    commandName: "begin",
    abstract: "Record that a stage begins",
    usage: "dtm stage begin NAME [--run-id ID] [--attempt N] [--label KEY=VALUE]... [options]",
    discussion: """
      Without a run id it begins a new run, whose id is printed (-q: nothing else). Without --attempt \
      it is the first, or the next where the last one failed.
      """)

  @OptionGroup var stage: StageOptions
  @OptionGroup var options: OutputOptions

  func run(in invocation: Invocation) throws -> CommandStatus {
    try stage.record(.begin, options, in: invocation)
  }
}

struct StageEnd: ReportingVerb {
  static let configuration = CommandConfiguration.verb(
    commandName: "end",
    abstract: "Record that a stage ended well",
    usage: "dtm stage end NAME [--run-id ID] [--attempt N] [--label KEY=VALUE]... [options]",
    discussion: "Without a run id it is the stage of this name that began last and has not ended.")

  @OptionGroup var stage: StageOptions
  @OptionGroup var options: OutputOptions

  func run(in invocation: Invocation) throws -> CommandStatus {
    try stage.record(.ok, options, in: invocation)
  }
}

struct StageFail: ReportingVerb {
  static let configuration = CommandConfiguration.verb(
    commandName: "fail",
    abstract: "Record that a stage failed, and what it left",
    usage: "dtm stage fail NAME [--run-id ID] [--attempt N] [--label KEY=VALUE]... [options]",
    discussion: "Without a run id it is the stage of this name that began last and has not ended.")

  @OptionGroup var stage: StageOptions
  @OptionGroup var options: OutputOptions

  func run(in invocation: Invocation) throws -> CommandStatus {
    try stage.record(.failed, options, in: invocation)
  }
}
