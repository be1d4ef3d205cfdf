internal import DTMRules
internal import DTMSystem

/// Rules.
extension ConfigurationDecoder {
  mutating func rules(_ node: JSONNode) -> [Rule] {
    var rules: [Rule] = []
    var names: Set<String> = []
    for element in array(node, "rules", "rules") {
      guard let rule = rule(element) else { continue }
      if !names.insert(rule.name).inserted {
        report(
          element["name"] ?? element,
          "another rule of this folder is called \"\(Quoting.path(Array(rule.name.utf8)))\"")
      }
      rules.append(rule)
    }
    return rules
  }

  private mutating func rule(_ node: JSONNode) -> Rule? {
    var name: String?
    var conditions: [RuleCondition]?
    var labels: [String: RuleTemplate] = [:]
    var tag: RuleTemplate?
    var isPinned = false
    object(node, RuleKey.self) { decoder, key, value in
      switch key {
      case .name: name = decoder.ruleName(value)
      case .on: conditions = decoder.conditions(value)
      case .labels: labels = decoder.templates(value)
      case .tag: tag = decoder.template(value, "tag")
      case .pin:
        if let flag = value.bool {
          isPinned = flag
        } else {
          decoder.report(value, "\"pin\" is true or false, not \(Self.name(of: value))")
        }
      }
    }
    guard let name, let conditions else { return nil }
    let rule = Rule(
      name: name, conditions: conditions, labels: labels, tag: tag, isPinned: isPinned)
    checkPaths(rule, node)
    return rule
  }

  /// A template that is about a path needs a condition that is.
  private mutating func checkPaths(_ rule: Rule, _ node: JSONNode) {
    let hasPath = rule.conditions.contains {
      if case .stage = $0 { true } else { $0.isAboutPath }
    }
    if hasPath { return }
    for (key, template) in rule.labels where template.needsPath {
      report(
        node["labels"]?[key] ?? node,
        "this rule fires for no path: only {rule}, {time} and {folder} say something")
    }
    if let tag = rule.tag, tag.needsPath {
      report(
        node["tag"] ?? node,
        "this rule fires for no path: only {rule}, {time} and {folder} say something")
    }
  }

  mutating func ruleName(_ node: JSONNode) -> String? {
    guard let text = text(node, "name", "a string") else { return nil }
    if text.isEmpty || text.utf8.count > RuleKey.longestName
      || text.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F })
    {
      report(
        node,
        "such a name has 1 to \(RuleKey.longestName) bytes and no control character, not \(Self.name(of: node))"
      )
      return nil
    }
    return text
  }

  // MARK: - Conditions

  private mutating func conditions(_ node: JSONNode) -> [RuleCondition]? {
    let before = errors.count
    var result: [RuleCondition] = []
    var directory: RulePattern?
    var has: (files: Int, matching: RulePattern)?
    object(node, ConditionKey.self) { decoder, key, value in
      switch key {
      case .marker: decoder.pattern(value, key).map { result.append(.marker($0)) }
      case .movedIn: decoder.pattern(value, key).map { result.append(.movedIn($0)) }
      case .stage: decoder.pattern(value, key).map { result.append(.stage($0)) }
      case .filesChanged: decoder.count(value, key).map { result.append(.filesChanged($0)) }
      case .bytesChanged: decoder.size(value, key).map { result.append(.bytesChanged($0)) }
      case .every: decoder.duration(value, key).map { result.append(.every($0)) }
      case .at: decoder.timeOfDay(value, key).map { result.append(.at(minute: $0)) }
      case .directory: directory = decoder.pattern(value, key)
      case .has: has = decoder.has(value)
      }
    }
    if errors.count > before { return nil }
    switch (directory, has) {
    case (let directory?, let has?):
      result.append(.directory(directory, files: has.files, matching: has.matching))
    case (nil, nil): break
    case (_?, nil): report(node, "\"directory\" goes with \"has\"")
    case (nil, _?): report(node, "\"has\" goes with \"directory\"")
    }
    if result.isEmpty, errors.count == before {
      report(node, "on says nothing: its keys are \(ConditionKey.words.joined(separator: ", "))")
    }
    return errors.count > before ? nil : result
  }

  private mutating func has(_ node: JSONNode) -> (files: Int, matching: RulePattern)? {
    var files: Int?
    var matching = RulePattern("*")
    object(node, HasKey.self) { decoder, key, value in
      switch key {
      case .files: files = decoder.count(value, key)
      case .matching: matching = decoder.pattern(value, key)
      }
    }
    guard let files, let matching else { return nil }
    return (files, matching)
  }

  mutating func pattern(_ node: JSONNode, _ key: some ConfigurationKey) -> RulePattern? {
    guard let text = text(node, key.rawValue, "a pattern in a string") else { return nil }
    if let fault = Self.fault(ofPattern: text) {
      report(node, "\(Self.name(of: node)) can't be a pattern: \(fault)")
      return nil
    }
    guard let pattern = RulePattern(text) else {
      report(node, "\(Self.name(of: node)) can't be a pattern here: it takes something back")
      return nil
    }
    return pattern
  }

  mutating func count(_ node: JSONNode, _ key: some ConfigurationKey) -> Int? {
    guard case .count(let range) = key.rule else { return nil }
    guard let number = node.int, range.contains(number) else {
      report(
        node,
        "\"\(key.rawValue)\" is a number from \(range.lowerBound) to \(range.upperBound), not \(Self.name(of: node))"
      )
      return nil
    }
    return number
  }

  private mutating func size(_ node: JSONNode, _ key: some ConfigurationKey) -> Int? {
    let what = "a size in a string, such as \"64KiB\" or \"20GiB\""
    guard let text = text(node, key.rawValue, what) else { return nil }
    guard let size = HumanUnits.parseBytes(text), size > 0 else {
      report(node, "\"\(key.rawValue)\" is \(what), not \(Self.name(of: node))")
      return nil
    }
    return size
  }

  private mutating func timeOfDay(_ node: JSONNode, _ key: some ConfigurationKey) -> Int? {
    let what = "a time of day in a string, such as \"02:30\""
    guard let text = text(node, key.rawValue, what) else { return nil }
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 2, parts.allSatisfy({ $0.utf8.count == 2 }),
      parts.allSatisfy({ $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }),
      let hour = Int(parts[0]), let minute = Int(parts[1]), hour < 24, minute < 60
    else {
      report(node, "\"\(key.rawValue)\" is \(what), not \(Self.name(of: node))")
      return nil
    }
    return hour * 60 + minute
  }

  // MARK: - Templates

  private mutating func templates(_ node: JSONNode) -> [String: RuleTemplate] {
    guard let members = node.members else {
      report(node, "\"labels\" is an object of texts, not \(Self.name(of: node))")
      return [:]
    }
    var result: [String: RuleTemplate] = [:]
    for member in members {
      if member.key.isEmpty || member.key.contains("=") {
        report(member.node, "a label's key is not empty and has no = in it")
      }
      result[member.key] = template(member.node, member.key)
    }
    return result
  }

  private mutating func template(_ node: JSONNode, _ key: String) -> RuleTemplate? {
    guard let text = text(node, key, "a text") else { return nil }
    do throws(RuleTemplate.Fault) {
      return try RuleTemplate(text)
    } catch {
      switch error {
      case .unbalanced:
        report(
          node, "\(Self.name(of: node)) has a brace without its other one", hint: "{{ is a brace")
      case .unknown(let word):
        let nearest = editDistanceNearest(word, among: RuleTemplate.words)
        report(
          node, "{\(Quoting.path(Array(word.utf8)))} is no word of a template",
          hint: nearest.map { "did you mean {\($0)}?" }
            ?? "its words are {\(RuleTemplate.words.joined(separator: "}, {"))}")
      }
      return nil
    }
  }
}

extension Rule {
  /// The members of a rule's object: reading them gives the same rule.
  func writeMembers(to writer: inout JSONWriter) {
    writer.field(RuleKey.name.rawValue, name)
    writer.object(RuleKey.on.rawValue) { writer in
      for condition in conditions { Self.write(condition, to: &writer) }
    }
    if !labels.isEmpty {
      writer.object(RuleKey.labels.rawValue) { writer in
        for (key, template) in labels.sorted(by: { $0.key < $1.key }) {
          writer.field(key, template.text)
        }
      }
    }
    if let tag { writer.field(RuleKey.tag.rawValue, tag.text) }
    writer.field(RuleKey.pin.rawValue, isPinned)
  }

  private static func write(_ condition: RuleCondition, to writer: inout JSONWriter) {
    switch condition {
    case .marker(let pattern): writer.field(ConditionKey.marker.rawValue, pattern.text)
    case .movedIn(let pattern): writer.field(ConditionKey.movedIn.rawValue, pattern.text)
    case .filesChanged(let count): writer.field(ConditionKey.filesChanged.rawValue, count)
    case .bytesChanged(let size): writer.field(ConditionKey.bytesChanged.rawValue, "\(size)B")
    case .every(let period):
      writer.field(ConditionKey.every.rawValue, DurationText.text(of: period))
    case .at(let minute):
      let (hours, minutes) = (String(minute / 60), String(minute % 60))
      writer.field(
        ConditionKey.at.rawValue,
        (hours.count < 2 ? "0" : "") + hours + ":" + (minutes.count < 2 ? "0" : "") + minutes)
    case .directory(let pattern, let files, let matching):
      writer.field(ConditionKey.directory.rawValue, pattern.text)
      writer.object(ConditionKey.has.rawValue) { writer in
        writer.field(HasKey.files.rawValue, files)
        writer.field(HasKey.matching.rawValue, matching.text)
      }
    case .stage(let pattern): writer.field(ConditionKey.stage.rawValue, pattern.text)
    }
  }
}
