package import SystemPackage

/// Why the daemon can't start.
package struct DaemonError: Error, Sendable, CustomStringConvertible {
  /// What decides how a caller behaves.
  package struct Code: Sendable, Hashable {
    private enum Value { case configuration, alreadyRunning, unavailable }
    private let value: Value

    /// The configuration has an error; its text is the message.
    package static let configuration = Code(value: .configuration)
    /// Another daemon listens on the socket.
    package static let alreadyRunning = Code(value: .alreadyRunning)
    /// The system refused a socket or a thread.
    package static let unavailable = Code(value: .unavailable)
  }

  package let code: Code
  package let message: String
  package let cause: Errno?

  init(_ code: Code, _ message: String, cause: Errno? = nil) {
    self.code = code
    self.message = message
    self.cause = cause
  }

  package var description: String { cause.map { "\(message): \($0)" } ?? message }
}
