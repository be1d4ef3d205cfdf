/// How a command ends, as scripts read it (sysexits(3) from 64 on).
package enum CommandStatus: Int32, Sendable {
  case done = 0
  /// The command says no: `diff --exit-code` found differences.
  case negative = 1
  /// Done, but something is left out: the problems are listed.
  case incomplete = 3
  case usage = 64
  case damaged = 65
  case notFound = 66
  case unavailable = 69
  case exists = 73
  case inputOutput = 74
  case busy = 75
  case permissionDenied = 77
  case configuration = 78
  /// Who reads standard output went away; 128 + SIGPIPE, as a shell says it.
  case brokenPipe = 141
}
