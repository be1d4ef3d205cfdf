internal import DTMSystem
package import Logging
internal import SystemPackage

/// Where the daemon's log goes.
package enum LogDestination: String, Sendable, CaseIterable {
  case journal
  case stderr

  /// The journal's socket, which is there where a journald listens.
  private static let journalSocket: FilePath = "/run/systemd/journal/socket"

  /// The destination when nothing is said: the journal when it is there and nobody looks at standard
  /// error.
  package static func automatic(isTerminal: Bool) -> LogDestination {
    if isTerminal { return .stderr }
    return (try? Descriptor.open(journalSocket, .path)) != nil ? .journal : .stderr
  }

  /// A logger that writes there.
  ///
  /// `stream`: takes the lines that go to standard error, one call each.
  package func logger(
    level: Logger.Level, isTerminal: Bool,
    stream: @escaping @Sendable ([UInt8]) -> Void = LogDestination.standardError
  ) -> Logger {
    switch self {
    case .journal: Logger(label: "dtmd") { _ in JournalLogHandler(logLevel: level) }
    case .stderr:
      Logger(label: "dtmd") { _ in
        StreamLogHandler(logLevel: level, isTerminal: isTerminal, write: stream)
      }
    }
  }

  /// Writes to standard error.
  package static let standardError: @Sendable ([UInt8]) -> Void = { bytes in
    // Nobody is left to be told when standard error is closed.
    try? StandardStream.error.write(bytes)
  }
}
