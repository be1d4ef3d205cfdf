internal import ArgumentParser
internal import DTMFolder

struct Undo: ReportingVerb {
  static let configuration = CommandConfiguration.verb(
    commandName: "undo",
    abstract: "Take an operation back: a restore, a checkout, a branch, a tag",
    usage: "dtm undo [OPERATION] [options]",
    discussion: "Twice goes two operations back. What would be lost is recorded first.")

  @Argument(help: "The operation's number, as dtm operations has it (default: the last one)")
  var operation: UInt64?

  @Flag(
    name: .customLong("in-place"),
    help: "Write into files of 1 MiB and more what differs, as dtm restore --in-place does")
  var inPlace = false

  @OptionGroup var options: OutputOptions

  func run(in invocation: Invocation) throws -> CommandStatus {
    let access = try FolderAccess(invocation)
    return try OperationResult(options, access).print(
      try Restoring(access).undo(operation, inPlace: inPlace), word: "took back")
  }
}
