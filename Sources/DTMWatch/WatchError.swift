package import SystemPackage

/// A failure of the watcher.
package struct WatchError: Error, Sendable, CustomStringConvertible {
  /// What a caller decides by.
  package struct Code: Hashable, Sendable {
    private enum Value: Sendable { case held, timedOut, stopped, unavailable }
    private let value: Value

    /// The folder is missing, replaced or empty: there is nothing that may become a snapshot.
    package static let held = Code(value: .held)
    /// The reader did not answer in time.
    package static let timedOut = Code(value: .timedOut)
    /// The watcher was stopped, or its reader ended with an error.
    package static let stopped = Code(value: .stopped)
    /// The system refused a thread, a descriptor or an event channel.
    package static let unavailable = Code(value: .unavailable)
  }

  package let code: Code
  /// A sentence that names the folder.
  package let message: String
  package let cause: Errno?

  package var description: String {
    cause.map { "\(message): \($0)" } ?? message
  }
}
