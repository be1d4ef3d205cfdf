package import SystemPackage

/// Why a talk over the control socket failed.
package struct ControlError: Error, Sendable, Equatable, CustomStringConvertible {
  /// What decides how the caller goes on.
  package struct Code: Sendable, Hashable, CustomStringConvertible {
    private enum Value: String {
      case unavailable, timedOut, permissionDenied, notFound, busy, failed, configuration
      case invalidInput, unsupported, malformed, exists
    }
    private let value: Value

    /// Nobody listens on the socket, or the connection ended before the reply.
    package static let unavailable = Code(value: .unavailable)
    /// The deadline passed before the reply.
    package static let timedOut = Code(value: .timedOut)
    package static let permissionDenied = Code(value: .permissionDenied)
    /// The daemon knows no such folder.
    package static let notFound = Code(value: .notFound)
    /// The folder can't do that now; try again.
    package static let busy = Code(value: .busy)
    /// The snapshot could not be taken.
    package static let failed = Code(value: .failed)
    /// The configuration has an error.
    package static let configuration = Code(value: .configuration)
    /// What is to be made is there already.
    package static let exists = Code(value: .exists)
    /// The daemon refuses a parameter.
    package static let invalidInput = Code(value: .invalidInput)
    /// The daemon has no such method: it is older than the caller.
    package static let unsupported = Code(value: .unsupported)
    /// The other side does not speak Varlink, or a message is above the limit.
    package static let malformed = Code(value: .malformed)

    package var description: String { value.rawValue }
  }

  package let code: Code
  /// A sentence without a full stop that names the thing.
  package let message: String
  /// The socket, where it is about the connection.
  package let path: FilePath?
  /// What the daemon answered, where it answered.
  package let fault: DaemonFault?
  /// The system's error below, where there was one.
  package let cause: Errno?

  package init(
    code: Code, message: String, path: FilePath? = nil, fault: DaemonFault? = nil,
    cause: Errno? = nil
  ) {
    self.code = code
    self.message = message
    self.path = path
    self.fault = fault
    self.cause = cause
  }

  /// Equality is on the code.
  package static func == (left: ControlError, right: ControlError) -> Bool {
    left.code == right.code
  }

  package var description: String { message }

  static func malformed(_ message: String) -> ControlError {
    ControlError(code: .malformed, message: message)
  }

  /// A message above `MessageDecoder.limitInBytes`.
  static let tooLarge = malformed("a message is larger than 1 MiB")

  /// What the daemon's answer means to a caller.
  package init(_ fault: DaemonFault) {
    let code: Code =
      switch fault {
      case .noSuchFolder: .notFound
      case .permissionDenied: .permissionDenied
      case .busy: .busy
      case .snapshotFailed: .failed
      case .stageRefused(_, let isKnown): isKnown ? .exists : .notFound
      case .configurationError: .configuration
      case .invalidParameter, .expectedMore: .invalidInput
      case .interfaceNotFound, .methodNotFound, .methodNotImplemented: .unsupported
      case .other: .malformed
      }
    self.init(code: code, message: fault.explanation, fault: fault)
  }
}
