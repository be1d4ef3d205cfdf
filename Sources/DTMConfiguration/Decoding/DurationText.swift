/// Spans of time as a configuration writes them.
package enum DurationText {
  /// What the decoder reads.
  static let pattern = "^([0-9]+(ms|s|min|m|h|d|w))+$"

  /// The shortest text that reads back as the same span: `250ms`, `2s`, `5m`, `1h30m`, `7d`.
  ///
  /// Whole milliseconds, not negative; what is beyond is cut.
  package static func text(of span: Duration) -> String {
    let (seconds, attoseconds) = span.components
    var rest = max(0, seconds * 1000 + attoseconds / 1_000_000_000_000_000)
    var text = ""
    for (name, length) in [
      ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1),
    ]
      as [(String, Int64)]
    where rest >= length {
      text += "\(rest / length)\(name)"
      rest %= length
    }
    return text.isEmpty ? "0s" : text
  }
}
