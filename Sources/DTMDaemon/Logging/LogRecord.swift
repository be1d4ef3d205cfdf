internal import DTMSystem
internal import Logging

/// One log entry, taken apart for a journal or a stream.
struct LogRecord {
  let level: Logger.Level
  let message: String
  let event: DaemonEvent?
  /// Sorted by key, the event left out.
  let details: [(key: String, value: String)]

  init(_ event: LogEvent, handlerMetadata: Logger.Metadata) {
    var metadata = handlerMetadata
    if let own = event.metadata { metadata.merge(own) { $1 } }
    if let error = event.error { metadata["error"] = .string("\(error)") }
    level = event.level
    message = event.message.description
    self.event = metadata.removeValue(forKey: Logger.eventKey)
      .flatMap { DaemonEvent(rawValue: $0.description) }
    details = metadata.map { (key: $0.key, value: $0.value.description) }.sorted { $0.key < $1.key }
  }

  /// One line for people: `lake: snapshot taken  files=3 snapshot=7f3a9c2e trigger=quiet`.
  ///
  /// Control characters are escaped, so that a name can't pose as another line.
  var line: String {
    var line = ""
    var rest = ""
    for (key, value) in details {
      let shown = Quoting.path(Array(value.utf8))
      switch key {
      case "folder": line = shown + ": "
      // Eight digits are what `dtm log` shows; the whole id is in its field.
      case "snapshot": rest += " snapshot=\(shown.prefix(8))"
      default: rest += shown.contains(" ") ? " \(key)=\"\(shown)\"" : " \(key)=\(shown)"
      }
    }
    return line + message + (rest.isEmpty ? "" : " " + rest)
  }

  /// syslog(3)'s number.
  var priority: Int {
    switch level {
    case .trace, .debug: 7
    case .info: 6
    case .notice: 5
    case .warning: 4
    case .error: 3
    case .critical: 2
    }
  }
}

/// The names of journal fields.
enum JournalField {
  /// `durationUsec` → `DTM_DURATION_USEC`; nil for what can't be a field's name.
  static func name(_ key: String) -> String? {
    var name = "DTM_"
    for byte in key.utf8 {
      switch byte {
      case UInt8(ascii: "A")...UInt8(ascii: "Z"):
        name += "_"
        name.unicodeScalars.append(Unicode.Scalar(byte))
      case UInt8(ascii: "a")...UInt8(ascii: "z"):
        name.unicodeScalars.append(Unicode.Scalar(byte - 32))
      case UInt8(ascii: "0")...UInt8(ascii: "9"): name.unicodeScalars.append(Unicode.Scalar(byte))
      case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"): name += "_"
      default: return nil
      }
    }
    // The journal's limit (systemd.journal-fields(7)).
    return name.utf8.count <= 64 ? name : nil
  }
}
