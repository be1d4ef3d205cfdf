internal import ArgumentParser

/// A command of `dtm`.
protocol Verb: ParsableCommand {
  var choices: OutputChoices { get }

  /// Does it. What is thrown becomes words and an exit status in `CommandFailure`.
  func run(in invocation: Invocation) throws -> CommandStatus
}

/// A command with the usual options.
protocol ReportingVerb: Verb {
  var options: OutputOptions { get }
}

extension ReportingVerb {
  var choices: OutputChoices {
    OutputChoices(
      json: options.json, quiet: options.quiet, verbose: options.verbose,
      noColor: options.noColor)
  }
}
