internal import ArgumentParser
internal import DTMFolder

struct Redo: ReportingVerb {
  static let configuration = CommandConfiguration.verb(
    commandName: "redo",
    abstract: "Do again what was undone",
    usage: "dtm redo [OPERATION] [options]")

  @Argument(help: "The operation's number, as dtm operations has it (default: the last undone)")
  var operation: UInt64?

  @Flag(
    name: .customLong("in-place"),
    help: "Write into files of 1 MiB and more what differs, as dtm restore --in-place does")
  var inPlace = false

  @OptionGroup var options: OutputOptions

  func run(in invocation: Invocation) throws -> CommandStatus {
    let access = try FolderAccess(invocation)
    return try OperationResult(options, access).print(
      try Restoring(access).redo(operation, inPlace: inPlace), word: "did again")
  }
}
