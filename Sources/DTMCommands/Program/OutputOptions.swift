internal import ArgumentParser

/// What every command that reports something takes.
struct OutputOptions: ParsableArguments {
  @Flag(help: "Print JSON")
  var json = false

  @Flag(name: .shortAndLong, help: "Print nothing but ids, names or paths")
  var quiet = false

  @Flag(name: .shortAndLong, help: "Explain on standard error what is done")
  var verbose = false

  @Flag(name: .customLong("no-color"), help: "Print without colours")
  var noColor = false
}

/// How a command's words look.
struct OutputChoices: Sendable {
  var json = false
  var quiet = false
  var verbose = false
  var noColor = false
  /// What is longer than the screen goes through a pager.
  var pages = true
}
