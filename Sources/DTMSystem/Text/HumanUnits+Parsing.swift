/// Reading what a configuration or an option says.
extension HumanUnits {
  /// The units of `parseDuration`, in milliseconds.
  private static let durationUnits: [(name: String, milliseconds: Int64)] = [
    ("ms", 1), ("s", 1000), ("m", 60_000), ("min", 60_000), ("h", 3_600_000), ("d", 86_400_000),
    ("w", 604_800_000),
  ]

  /// The units of `parseBytes`, in bytes.
  private static let sizeUnits: [(name: String, bytes: Int)] = [
    ("B", 1), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("TiB", 1 << 40),
    ("PiB", 1 << 50), ("kB", 1000), ("KB", 1000), ("MB", 1_000_000), ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000), ("PB", 1_000_000_000_000_000),
  ]

  /// A span of time: a whole number and a unit (`ms s m min h d w`), as in `250ms`, `2s`, `15m`;
  /// several of them, largest first, as in `1h30m`. Nil for anything else, or beyond 2⁶³ ms.
  package static func parseDuration(_ text: String) -> Duration? {
    var rest = Array(text.utf8)[...]
    var total: Int64 = 0
    var previous = Int64.max
    if rest.isEmpty { return nil }
    while !rest.isEmpty {
      guard let count = takeNumber(&rest) else { return nil }
      let letters = rest.prefix { $0 < UInt8(ascii: "0") || $0 > UInt8(ascii: "9") }
      rest = rest.dropFirst(letters.count)
      guard let unit = durationUnits.first(where: { $0.name.utf8.elementsEqual(letters) }),
        unit.milliseconds < previous
      else { return nil }
      previous = unit.milliseconds
      let (part, overflow) = count.multipliedReportingOverflow(by: unit.milliseconds)
      let (sum, carry) = total.addingReportingOverflow(part)
      if overflow || carry { return nil }
      total = sum
    }
    return .milliseconds(total)
  }

  /// A size in bytes: a whole number and a unit, `64KiB`, `20GiB`, `10MB`, `512B`. Nil for anything
  /// else, or beyond 2⁶³ bytes.
  package static func parseBytes(_ text: String) -> Int? {
    var rest = Array(text.utf8)[...]
    guard let count = takeNumber(&rest),
      let unit = sizeUnits.first(where: { $0.name.utf8.elementsEqual(rest) })
    else { return nil }
    let (size, overflow) = Int(count).multipliedReportingOverflow(by: unit.bytes)
    return overflow ? nil : size
  }

  private static func takeNumber(_ text: inout ArraySlice<UInt8>) -> Int64? {
    let digits = text.prefix { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }
    text = text.dropFirst(digits.count)
    // 18 digits always fit.
    if digits.isEmpty || digits.count > 18 { return nil }
    return digits.reduce(0) { $0 * 10 + Int64($1 - UInt8(ascii: "0")) }
  }
}
