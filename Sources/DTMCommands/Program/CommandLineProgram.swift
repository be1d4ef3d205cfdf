internal import ArgumentParser
internal import DTMControl
internal import DTMSystem
internal import SystemPackage

/// The program `dtm`.
package enum CommandLineProgram {
  /// Runs the command that this process was started with, and ends the process.
  package static func main() -> Never {
    ProcessSignals.ignoreThoseOfFiles()
    let output = StandardSink(.output)
    let invocation = Invocation(
      arguments: RawArguments.ofProcess, environment: ProcessEnvironment.variables,
      output: output, errors: StandardSink(.error), time: SystemTimeSource(),
      user: ThreadIdentity.processUser, showsProgress: true
    ) { try ProcessPlace.workingDirectory() }
    ProcessEnd.exit(status: run(invocation).rawValue)
  }

  /// Runs a command; its words go where the invocation says.
  package static func run(_ invocation: Invocation) -> CommandStatus {
    do throws(CommandFailure) {
      // The most frequent question of scripts is answered before anything is built.
      if invocation.arguments == ["--version"] {
        try invocation.output.line("dtm \(ProgramVersion.current)")
        try invocation.output.finish()
        return .done
      }
      return try run(parsing: invocation.arguments, invocation)
    } catch {
      if error.code != .brokenPipe {
        invocation.report(error, isJSON: wantsJSON(invocation.arguments))
      }
      return error.status
    }
  }

  private static func run(
    parsing arguments: [String], _ invocation: Invocation
  ) throws(CommandFailure) -> CommandStatus {
    let (folder, rest) = FolderOption.taken(from: arguments)
    invocation.folderOption = folder
    if let plain = PlainCommand(rest) {
      return try finish(plain.choices, invocation) { try plain.verb.run(plain: invocation) }
    }
    var command: any ParsableCommand
    do {
      if let verb = leaf(rest) {
        command = verb
      } else {
        try UsageFailure.checkVerb(rest)
        command = try DataTimeMachine.parseAsRoot(rest)
      }
    } catch let failure as CommandFailure {
      throw failure
    } catch {
      return try answer(error, invocation)
    }
    guard let verb = command as? any Verb else {
      // The parser's own help command, `dtm` alone, or a command that has verbs: each shows help.
      do { try command.run() } catch { return try answer(error, invocation) }
      return .done
    }
    return try finish(verb.choices, invocation) { try verb.run(in: invocation) }
  }

  /// Does what a verb does and sees to its output.
  private static func finish(
    _ choices: OutputChoices, _ invocation: Invocation, _ run: () throws -> CommandStatus
  ) throws(CommandFailure) -> CommandStatus {
    invocation.choices = choices
    do {
      let status = try run()
      invocation.progress.clear()
      try invocation.output.finish()
      return status
    } catch {
      // What was found before the failure is shown, but not in the midst of a document.
      let failure = CommandFailure(error)
      if failure.code != .brokenPipe && !choices.json { try invocation.output.finish() }
      throw failure
    }
  }

  /// The verb of flawless arguments, without the parser's way through all of them, which takes longer
  /// than many a command. Whatever is wrong, or a question for help, is left to the root, which knows
  /// the whole name.
  private static func leaf(_ arguments: [String]) -> (any ParsableCommand)? {
    guard let name = arguments.first,
      let type = UsageFailure.verbs.first(where: { $0.configuration.commandName == name }),
      type.configuration.subcommands.isEmpty
    else { return nil }
    do {
      let command = try type.parseAsRoot(Array(arguments.dropFirst()))
      return command as? any Verb
    } catch {
      return nil
    }
  }

  /// Help and versions, which the parser has as errors, go to standard output.
  private static func answer(
    _ error: any Error, _ invocation: Invocation
  ) throws(CommandFailure) -> CommandStatus {
    guard DataTimeMachine.exitCode(for: error).isSuccess else {
      throw UsageFailure.failure(error)
    }
    let text = DataTimeMachine.fullMessage(for: error, columns: invocation.width ?? 80)
    try invocation.output.line(text)
    try invocation.output.finish()
    return .done
  }

  /// Whether an error is to be JSON: decided before the arguments are understood.
  private static func wantsJSON(_ arguments: [String]) -> Bool {
    arguments.prefix { $0 != "--" }.contains("--json")
  }
}
