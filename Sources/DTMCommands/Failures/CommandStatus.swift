/// How a command ends, as scripts read it (sysexits(3) from 64 on).
package struct CommandStatus: RawRepresentable, Sendable, Hashable {
  package let rawValue: Int32

  /// Any status: `dtm run` passes on that of its command.
  package init(rawValue: Int32) {
    self.rawValue = rawValue
  }

  package static let done = CommandStatus(rawValue: 0)
  /// The command says no: `diff --exit-code` found differences.
  package static let negative = CommandStatus(rawValue: 1)
  /// Done, but something is left out: the problems are listed.
  package static let incomplete = CommandStatus(rawValue: 3)
  package static let usage = CommandStatus(rawValue: 64)
  package static let damaged = CommandStatus(rawValue: 65)
  package static let notFound = CommandStatus(rawValue: 66)
  package static let unavailable = CommandStatus(rawValue: 69)
  package static let exists = CommandStatus(rawValue: 73)
  package static let inputOutput = CommandStatus(rawValue: 74)
  package static let busy = CommandStatus(rawValue: 75)
  package static let permissionDenied = CommandStatus(rawValue: 77)
  package static let configuration = CommandStatus(rawValue: 78)
  /// `dtm run` itself failed, as GNU's env, timeout and nohup say it.
  package static let runFailed = CommandStatus(rawValue: 125)
  /// The command of `dtm run` can't be run, or is not there, as a shell says it.
  package static let notExecutable = CommandStatus(rawValue: 126)
  package static let noCommand = CommandStatus(rawValue: 127)
  /// Who reads standard output went away; 128 + SIGPIPE, as a shell says it.
  package static let brokenPipe = CommandStatus(rawValue: 141)
}
