internal import Logging

/// Sends log entries to journald with their fields.
///
/// A journal that is full or gone loses the entry; nobody could be told.
struct JournalLogHandler: LogHandler {
  var metadata: Logger.Metadata = [:]
  var metadataProvider: Logger.MetadataProvider?
  var logLevel: Logger.Level

  init(logLevel: Logger.Level) {
    self.logLevel = logLevel
  }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    let record = LogRecord(event, handlerMetadata: metadata)
    var fields = [
      "MESSAGE=\(record.line)", "PRIORITY=\(record.priority)", "SYSLOG_IDENTIFIER=dtmd",
    ]
    if let event = record.event { fields.append("MESSAGE_ID=\(event.messageID)") }
    for (key, value) in record.details {
      guard let name = JournalField.name(key) else { continue }
      fields.append("\(name)=\(value)")
    }
    Systemd.sendToJournal(fields)
  }
}
