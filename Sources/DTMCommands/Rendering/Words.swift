internal import DTMFolder
internal import DTMRepository
internal import DTMSystem

/// Words that several commands print.
package enum Words {
  /// How many digits of an id people see.
  static let shortIDLength = 8

  static func short(_ id: ObjectID) -> String { String(id.hex.prefix(shortIDLength)) }

  /// `1 file`, `3 files`, `100,000 files`.
  package static func count(_ number: Int, _ one: String, _ many: String? = nil) -> String {
    "\(grouped(number)) \(number == 1 ? one : many ?? one + "s")"
  }

  /// `1,200,000`.
  package static func grouped(_ number: Int) -> String {
    var digits = String(number.magnitude)
    var groups: [String] = []
    while digits.count > 3 {
      groups.insert(String(digits.suffix(3)), at: 0)
      digits.removeLast(3)
    }
    return (number < 0 ? "−" : "") + ([digits] + groups).joined(separator: ",")
  }

  /// `+212 KiB`, `−40 MiB`, `±0`.
  package static func change(inBytes delta: Int) -> String {
    delta == 0 ? "±0" : (delta > 0 ? "+" : "") + HumanUnits.bytes(delta)
  }

  /// `A3 M7 D1`, without what is none; empty for a snapshot that changed nothing.
  static func counts(_ counts: Snapshot.Counts) -> String {
    [("M", counts.modified), ("A", counts.added), ("D", counts.removed)]
      .filter { $0.1 > 0 }.map { $0.0 + String($0.1) }.joined(separator: " ")
  }

  /// Trigger and rules: `manual`, `rule hourly, bulk`.
  static func trigger(_ snapshot: Snapshot) -> String {
    snapshot.rules.isEmpty
      ? snapshot.trigger : "\(snapshot.trigger) \(snapshot.rules.joined(separator: ", "))"
  }

  /// One line of a text that may have several.
  package static func firstLine(_ text: String) -> String {
    let line = text.split(separator: "\n", omittingEmptySubsequences: true).first ?? ""
    return visible(String(line)) + (text.contains("\n") ? " …" : "")
  }

  /// Text from outside, without what acts on a terminal.
  package static func visible(_ text: String) -> String {
    let scalars = text.unicodeScalars
    if !scalars.contains(where: { $0.value < 0x20 || ($0.value >= 0x7F && $0.value < 0xA0) }) {
      return text
    }
    return Quoting.path(Array(text.utf8))
  }

  static func labels(_ labels: [String: String]) -> String {
    labels.sorted { $0.key < $1.key }.map { visible("\($0.key)=\($0.value)") }
      .joined(separator: " ")
  }
}
