internal import DTMRules
internal import DTMSystem

/// The guard, and the command for alerts.
extension ConfigurationDecoder {
  mutating func guarding(_ node: JSONNode) -> GuardPolicy {
    // What is there means only what it lists.
    var result = GuardPolicy.off
    let before = errors.count
    object(node, GuardKey.self) { decoder, key, value in
      switch key {
      case .removed: result.removed = decoder.percentage(value, key)
      case .rewritten: result.rewritten = decoder.percentage(value, key)
      case .within: result.within = decoder.duration(value, key) ?? result.within
      case .atLeast: result.atLeast = decoder.count(value, key) ?? result.atLeast
      case .measures: result.measures = Set(decoder.words(value, key))
      case .hold: result.hold = decoder.duration(value, key) ?? result.hold
      }
    }
    if result.removed == nil, result.rewritten == nil, let members = node.members,
      !members.isEmpty, errors.count == before
    {
      report(
        node, "guard has neither \"removed\" nor \"rewritten\", so that nothing raises an alarm",
        hint: "{} says that nothing is guarded")
    }
    return result
  }

  mutating func alert(_ node: JSONNode) -> AlertCommand? {
    var result = AlertCommand(command: [])
    object(node, AlertKey.self) { decoder, key, value in
      switch key {
      case .run: result.command = decoder.command(value)
      case .timeout: result.timeout = decoder.duration(value, key) ?? result.timeout
      }
    }
    return result.command.isEmpty ? nil : result
  }

  private mutating func percentage(_ node: JSONNode, _ key: GuardKey) -> Int? {
    let what = "a share in a string, from \"1%\" to \"100%\""
    guard let text = text(node, key.rawValue, what) else { return nil }
    let digits = text.utf8.dropLast()
    guard text.utf8.last == UInt8(ascii: "%"), digits.allSatisfy({ (0x30...0x39).contains($0) }),
      digits.count <= 3, let number = Int(text.dropLast()), (1...100).contains(number)
    else {
      report(node, "\"\(key.rawValue)\" is \(what), not \(Self.name(of: node))")
      return nil
    }
    return number
  }
}

extension GuardPolicy {
  /// The members of a guard's object: reading them gives the same policy; none where nothing is guarded.
  func writeMembers(to writer: inout JSONWriter) {
    if removed == nil, rewritten == nil { return }
    if let removed { writer.field(GuardKey.removed.rawValue, "\(removed)%") }
    if let rewritten { writer.field(GuardKey.rewritten.rawValue, "\(rewritten)%") }
    writer.field(GuardKey.within.rawValue, DurationText.text(of: within))
    writer.field(GuardKey.atLeast.rawValue, atLeast)
    writer.field(
      GuardKey.measures.rawValue,
      strings: Measure.allCases.filter(measures.contains).map(\.rawValue))
    writer.field(GuardKey.hold.rawValue, DurationText.text(of: hold))
  }
}

extension AlertCommand {
  /// The members of an alert's object: reading them gives the same command.
  func writeMembers(to writer: inout JSONWriter) {
    writer.field(AlertKey.run.rawValue, strings: command)
    writer.field(AlertKey.timeout.rawValue, DurationText.text(of: timeout))
  }
}
