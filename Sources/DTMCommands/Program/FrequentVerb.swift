/// A verb that pipelines and prompts call all the time, mostly with nothing but output options. Those are
/// understood here: of a tiny snapshot's instructions a third were the parser's, and tables that Swift makes
/// of every command of the program to find one by its name.
protocol FrequentVerb: ReportingVerb {
  /// Does what it does where nothing more was said than the invocation's choices.
  static func run(plain invocation: Invocation) throws -> CommandStatus
}

/// A frequent verb and what was said of its output.
struct PlainCommand {
  let verb: any FrequentVerb.Type
  private(set) var choices = OutputChoices()

  /// Nil for whatever is more than a frequent verb's name and output options in full: the parser's.
  init?(_ arguments: [String]) {
    switch arguments.first {
    case "snapshot": verb = TakeSnapshot.self
    case "status": verb = Status.self
    default: return nil
    }
    for argument in arguments.dropFirst() {
      switch argument {
      case "--json": choices.json = true
      case "-q", "--quiet": choices.quiet = true
      case "-v", "--verbose": choices.verbose = true
      case "--no-color": choices.noColor = true
      default: return nil
      }
    }
  }
}
