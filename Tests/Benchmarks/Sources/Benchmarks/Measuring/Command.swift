/// A program with its arguments, where and with what it runs.
struct Command: Sendable {
  /// The program first.
  var arguments: [String]
  /// Beside PATH and LANG.
  var environment: [String: String] = [:]
  var directory = "/"
  /// A file that takes standard output; nil drops it.
  var output: String?
  /// Exit statuses that are no failure.
  var accepted: Set<CInt> = [0]

  init(_ arguments: String..., in directory: String = "/") {
    self.arguments = arguments
    self.directory = directory
  }

  /// The same with more in its environment.
  func with(_ more: [String: String]) -> Command {
    var command = self
    command.environment.merge(more) { $1 }
    return command
  }

  /// The same, writing standard output to a file.
  func writing(to path: String) -> Command {
    var command = self
    command.output = path
    return command
  }

  /// Runs it to its end; it has to succeed.
  @discardableResult func run() throws -> Measurement {
    let child = try Child(self)
    defer { child.end() }
    return try child.wait()
  }
}

/// What stops a run.
struct Failure: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }

  init(_ command: Command, _ what: String) {
    description = "\(command.arguments.joined(separator: " ")): \(what)"
  }
}
