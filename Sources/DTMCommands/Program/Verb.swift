internal import ArgumentParser

/// A command of `dtm`.
protocol Verb: ParsableCommand {
  var options: OutputOptions { get }

  /// Does it. What is thrown becomes words and an exit status in `CommandFailure`.
  func run(in invocation: Invocation) throws -> ExitStatus
}
