internal import DTMSystem
internal import Logging

/// Writes log entries to standard error: plain words at a terminal, else with `<N>` priorities in
/// front, which journald and systemd understand (sd-daemon(3)).
struct StreamLogHandler: LogHandler {
  var metadata: Logger.Metadata = [:]
  var metadataProvider: Logger.MetadataProvider?
  var logLevel: Logger.Level
  private let isTerminal: Bool
  private let write: @Sendable ([UInt8]) -> Void

  /// `write`: takes whole lines; one call each, so that lines of several threads do not mix.
  init(logLevel: Logger.Level, isTerminal: Bool, write: @escaping @Sendable ([UInt8]) -> Void) {
    self.logLevel = logLevel
    self.isTerminal = isTerminal
    self.write = write
  }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    let record = LogRecord(event, handlerMetadata: metadata)
    let prefix = isTerminal ? word(record.level) : "<\(record.priority)>"
    write(Array((prefix + record.line + "\n").utf8))
  }

  private func word(_ level: Logger.Level) -> String {
    switch level {
    case .trace, .debug, .info, .notice: ""
    case .warning: "warning: "
    case .error, .critical: "error: "
    }
  }
}
