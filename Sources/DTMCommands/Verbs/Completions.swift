internal import ArgumentParser

struct Completions: ReportingVerb {
  static let configuration = CommandConfiguration.verb(
    commandName: "completions",
    abstract: "Print the completions of a shell",
    usage: "dtm completions bash|zsh|fish",
    discussion: """
      For bash: dtm completions bash >~/.local/share/bash-completion/completions/dtm
      """)

  enum Shell: String, ExpressibleByArgument, CaseIterable {
    case bash, zsh, fish
  }

  @Argument(help: "The shell")
  var shell: Shell

  @OptionGroup var options: OutputOptions

  func validate() throws {
    if options.json { throw ValidationError("completions are no JSON document") }
  }

  func run(in invocation: Invocation) throws -> CommandStatus {
    let script: CompletionShell =
      switch shell {
      case .bash: .bash
      case .zsh: .zsh
      case .fish: .fish
      }
    try invocation.output.line(DataTimeMachine.completionScript(for: script))
    return .done
  }
}
