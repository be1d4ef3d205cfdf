/// Sizes and spans of time as people read and write them.
package enum HumanUnits {
  private static let sizeNames = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"]

  /// A size in IEC units: `812 B`, `41.2 MiB`, `212 KiB`; one decimal below 100; `−40 MiB` with a
  /// minus sign (U+2212) where negative.
  package static func bytes(_ count: Int) -> String {
    let sign = count < 0 ? "−" : ""
    let magnitude = UInt64(count.magnitude)
    if magnitude < 1024 { return "\(sign)\(magnitude) B" }
    for (place, name) in sizeNames.enumerated() {
      let shift = UInt64(10 * (place + 1))
      let rest = magnitude & ((1 << shift) - 1)
      // Rounded to tenths; rest is below 2^60, so that ten times it fits.
      let tenths = (magnitude >> shift) * 10 + (rest * 10 + 1 << (shift - 1)) >> shift
      // 1023.5 KiB would be shown as 1024 KiB: it is 1.0 MiB.
      if tenths >= 10235 && place + 1 < sizeNames.count { continue }
      if tenths < 1000 { return "\(sign)\(tenths / 10).\(tenths % 10) \(name)" }
      return "\(sign)\((tenths + 5) / 10) \(name)"
    }
    return "\(sign)\(magnitude) B"
  }

  /// A span of time in at most two units: `250 ms`, `2.5 s`, `45 s`, `15 min`, `1 h 5 min`,
  /// `3 d 4 h`; a minus sign (U+2212) where negative.
  package static func duration(_ span: Duration) -> String {
    if span < .zero { return "−" + duration(.zero - span) }
    let (seconds, attoseconds) = span.components
    let milliseconds = attoseconds / 1_000_000_000_000_000
    if seconds == 0 { return "\(milliseconds) ms" }
    if seconds < 10 {
      let tenths = milliseconds / 100
      return tenths == 0 ? "\(seconds) s" : "\(seconds).\(tenths) s"
    }
    return wholeSeconds(seconds)
  }

  /// How long ago: `just now`, `45 s ago`, `3 min ago`, `2 h ago`, `4 d ago`; `in 3 min` where the
  /// number is negative.
  package static func ago(seconds: Int) -> String {
    if seconds.magnitude < 2 { return "just now" }
    let text = oneUnit(Int64(clamping: seconds.magnitude))
    return seconds < 0 ? "in \(text)" : "\(text) ago"
  }

  private static func oneUnit(_ seconds: Int64) -> String {
    switch seconds {
    case ..<60: "\(seconds) s"
    case ..<3600: "\(seconds / 60) min"
    case ..<86400: "\(seconds / 3600) h"
    default: "\(seconds / 86400) d"
    }
  }

  private static func wholeSeconds(_ seconds: Int64) -> String {
    switch seconds {
    case ..<60: "\(seconds) s"
    case ..<3600: two(seconds / 60, "min", seconds % 60, "s")
    case ..<86400: two(seconds / 3600, "h", seconds % 3600 / 60, "min")
    default: two(seconds / 86400, "d", seconds % 86400 / 3600, "h")
    }
  }

  private static func two(_ large: Int64, _ name: String, _ small: Int64, _ smallName: String)
    -> String
  {
    small == 0 ? "\(large) \(name)" : "\(large) \(name) \(small) \(smallName)"
  }
}
