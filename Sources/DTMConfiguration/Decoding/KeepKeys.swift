internal import DTMRules
internal import DTMSystem

enum KeepKey: String, ConfigurationKey {
  case last, hourly, daily, weekly, monthly, yearly, within, grace

  static var objectName: String { "keep" }
  static var definition: String { "keep" }

  private static let most = 1_000_000
  private static let longest = Duration.seconds(36_500 * 86_400)

  /// The rule of a period; nil for the others.
  var period: RetentionPeriod? { RetentionPeriod.allCases.first { $0.adverb == rawValue } }

  var rule: ValueRule {
    switch self {
    case .within, .grace: .duration(.zero...Self.longest)
    default: .count(0...Self.most)
    }
  }

  var help: String {
    switch self {
    case .last: "The newest so many."
    case .hourly: "The newest of each of so many hours that have one, by the local calendar."
    case .daily: "The newest of each of so many days."
    case .weekly: "The newest of each of so many weeks, from Monday."
    case .monthly: "The newest of each of so many months."
    case .yearly: "The newest of each of so many years."
    case .within: "All that are no older than this beside the newest one; 36500d keeps all."
    case .grace: "For so long what was pruned can be restored, and brought back with dtm undo."
    }
  }

  var defaultText: String? {
    self == .grace ? DurationText.text(of: KeepPolicy.standardGrace) : nil
  }
}

/// What is kept.
extension ConfigurationDecoder {
  mutating func keep(_ node: JSONNode) -> KeepPolicy? {
    var retention = RetentionPolicy()
    var grace = KeepPolicy.standardGrace
    let before = errors.count
    object(node, KeepKey.self) { decoder, key, value in
      switch key {
      case .last: retention.last = decoder.count(value, key) ?? 0
      case .within: retention.within = decoder.duration(value, key) ?? .zero
      case .grace: grace = decoder.duration(value, key) ?? grace
      case .hourly, .daily, .weekly, .monthly, .yearly:
        guard let period = key.period, let count = decoder.count(value, key), count > 0 else {
          break
        }
        retention.counts[period] = count
      }
    }
    if errors.count > before { return nil }
    if retention.isEmpty {
      report(
        node, "this keeps nothing: at least one rule has to keep something",
        hint: "left out, keep has what dtm prune --help says; {\"within\": \"36500d\"} keeps all")
      return nil
    }
    return KeepPolicy(retention: retention, grace: grace)
  }
}

extension KeepPolicy {
  /// The members of a `keep` object: reading them gives the same policy.
  func writeMembers(to writer: inout JSONWriter) {
    if retention.last > 0 { writer.field(KeepKey.last.rawValue, retention.last) }
    for period in RetentionPeriod.allCases {
      if let count = retention.counts[period] { writer.field(period.adverb, count) }
    }
    if retention.within > .zero {
      writer.field(KeepKey.within.rawValue, DurationText.text(of: retention.within))
    }
    writer.field(KeepKey.grace.rawValue, DurationText.text(of: grace))
  }
}
