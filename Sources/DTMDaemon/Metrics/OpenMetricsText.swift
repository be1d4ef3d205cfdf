internal import DTMSystem

/// Writes metrics in the OpenMetrics text format 1.0 (openmetrics.io), which Prometheus scrapes and
/// node_exporter's textfile collector reads.
package struct OpenMetricsText {
  /// What a family's samples are.
  package enum Kind: String {
    case counter, gauge, histogram, info, stateset
  }

  /// Names and values, in the order in which they stand.
  package typealias Labels = [(name: String, value: String)]

  private var text = ""
  private var family = ""

  package init() {}

  /// Begins a family: all its samples follow. `unit`: the name's end, where it has one.
  package mutating func family(_ name: String, _ kind: Kind, unit: String? = nil, help: String) {
    precondition(unit.map { name.hasSuffix("_\($0)") } ?? true, "the unit ends the name")
    family = name
    text += "# TYPE \(name) \(kind.rawValue)\n"
    if let unit { text += "# UNIT \(name) \(unit)\n" }
    text += "# HELP \(name) \(Self.escaped(help, quotes: false))\n"
  }

  /// A sample of the family; `suffix`: what its name has beyond the family's.
  package mutating func sample(_ suffix: String = "", _ labels: Labels = [], _ value: Int) {
    line(suffix, labels, "\(value)")
  }

  /// The same with a number that may have a fraction.
  package mutating func sample(_ suffix: String = "", _ labels: Labels = [], _ value: Double) {
    line(suffix, labels, Self.number(value))
  }

  private mutating func line(_ suffix: String, _ labels: Labels, _ value: String) {
    let all = labels.map { "\($0.name)=\"\(Self.escaped($0.value, quotes: true))\"" }
    text += family + suffix
    if !all.isEmpty { text += "{\(all.joined(separator: ","))}" }
    text += " \(value)\n"
  }

  /// The whole text; nothing follows it.
  package consuming func finish() -> String { text + "# EOF\n" }

  /// A number of the format. Swift's shortest form that reads back as the same is one.
  static func number(_ value: Double) -> String { "\(value)" }

  private static func escaped(_ text: String, quotes: Bool) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\"" where quotes: result += "\\\""
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}
