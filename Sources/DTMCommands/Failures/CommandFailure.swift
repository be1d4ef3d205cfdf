/// Why a command did not do what it was asked: what, why, what to do next, and how the program ends.
package struct CommandFailure: Error, Sendable {
  /// The word for scripts, in `{"error": {"code": …}}`.
  package enum Code: String, Sendable {
    case usage, invalidInput, ambiguous, notFound, exists, corrupt, unavailable, inputOutput
    case noSpace, busy, conflict, held, needsRecovery, permissionDenied, configuration
    case unsupportedVersion, brokenPipe
  }

  package let code: Code
  package private(set) var status: CommandStatus
  /// A sentence without a full stop that names the thing; it may be one line only.
  package let message: String
  /// Lines of why, or of candidates.
  package let details: [String]
  /// What to do next.
  package let hint: String?

  package init(
    _ code: Code, _ message: String, details: [String] = [], hint: String? = nil
  ) {
    self.code = code
    self.status = code.status
    self.message = message
    self.details = details
    self.hint = hint
  }

  /// The same, with which the program ends otherwise than usual.
  func with(status: CommandStatus) -> CommandFailure {
    var failure = self
    failure.status = status
    return failure
  }
}

extension CommandFailure.Code {
  /// The exit status that goes with a code.
  package var status: CommandStatus {
    switch self {
    case .usage, .invalidInput, .ambiguous: .usage
    case .notFound, .held: .notFound
    case .exists: .exists
    case .corrupt: .damaged
    case .unavailable: .unavailable
    case .inputOutput, .noSpace: .inputOutput
    case .busy, .conflict, .needsRecovery: .busy
    case .permissionDenied: .permissionDenied
    case .configuration, .unsupportedVersion: .configuration
    case .brokenPipe: .brokenPipe
    }
  }
}
