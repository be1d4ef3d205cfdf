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

extension CommandConfiguration {
  /// Of a command that stands after `dtm`.
  ///
  /// `CommandLineProgram` parses most verbs by themselves. For a command that has a name before its own
  /// the parser leaves out what only a program's root is asked for, completion scripts: looking for them
  /// took a third of a tiny snapshot's time before its work.
  static func verb(
    commandName: String, abstract: String, usage: String? = nil, discussion: String = "",
    subcommands: [any ParsableCommand.Type] = [],
    defaultSubcommand: (any ParsableCommand.Type)? = nil
  ) -> CommandConfiguration {
    CommandConfiguration(
      commandName: commandName, _superCommandName: "dtm", abstract: abstract, usage: usage,
      discussion: discussion, subcommands: subcommands, defaultSubcommand: defaultSubcommand)
  }
}
