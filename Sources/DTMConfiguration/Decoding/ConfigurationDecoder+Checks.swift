internal import DTMRules
internal import DTMSystem

/// Checks.
extension ConfigurationDecoder {
  mutating func checks(_ node: JSONNode) -> [Check] {
    var checks: [Check] = []
    var names: Set<String> = []
    for element in array(node, "checks", "checks") {
      guard let check = check(element) else { continue }
      if !names.insert(check.name).inserted {
        report(
          element["name"] ?? element,
          "another check of this folder is called \"\(Quoting.path(Array(check.name.utf8)))\"")
      }
      checks.append(check)
    }
    return checks
  }

  private mutating func check(_ node: JSONNode) -> Check? {
    var result = Check(name: "", command: [])
    let before = errors.count
    object(node, CheckKey.self) { decoder, key, value in
      switch key {
      case .name: result.name = decoder.ruleName(value) ?? ""
      case .run: result.command = decoder.command(value)
      case .timeout: result.timeout = decoder.duration(value, key) ?? result.timeout
      case .on: result.place = decoder.word(value, key) ?? result.place
      case .after: result.after = decoder.selection(value)
      }
    }
    return errors.count > before ? nil : result
  }

  private mutating func selection(_ node: JSONNode) -> CheckSelection {
    var result = CheckSelection()
    let before = errors.count
    object(node, CheckAfterKey.self) { decoder, key, value in
      switch key {
      case .triggers: result.triggers = decoder.words(value, key)
      case .rules:
        result.rules = decoder.array(value, key.rawValue, "patterns").compactMap {
          decoder.pattern($0, key)
        }
      case .labels:
        guard let members = value.members else {
          return decoder.report(
            value, "\"labels\" is an object of patterns, not \(Self.name(of: value))")
        }
        for member in members { result.labels[member.key] = decoder.pattern(member.node, key) }
      }
    }
    if result.isEverything, errors.count == before {
      report(
        node, "after says nothing",
        hint:
          "its keys are \(CheckAfterKey.words.joined(separator: ", ")); a check without it runs after each"
      )
    }
    return result
  }

  /// Some of a key's words, each once.
  mutating func words<Word: RawRepresentable<String> & Equatable>(
    _ node: JSONNode, _ key: some ConfigurationKey
  ) -> [Word] {
    guard case .words(let known) = key.rule else { return [] }
    var result: [Word] = []
    for element in array(node, key.rawValue, "words") {
      guard let text = text(element, key.rawValue, "an array of words") else { continue }
      guard known.contains(text), let word = Word(rawValue: text) else {
        report(
          element, "\"\(key.rawValue)\" has no word \(Self.name(of: element))",
          hint: editDistanceNearest(text, among: known).map { "did you mean \"\($0)\"?" }
            ?? "its words are \(known.joined(separator: ", "))")
        continue
      }
      if result.contains(word) { report(element, "\"\(text)\" stands here twice") }
      result.append(word)
    }
    return result
  }

  mutating func command(_ node: JSONNode) -> [String] {
    let before = errors.count
    var words: [String] = []
    for element in array(node, "run", "words") {
      guard let word = text(element, "run", "an array of texts") else { continue }
      if word.utf8.contains(0) { report(element, "a word of a command has no NUL in it") }
      words.append(word)
    }
    if errors.count > before { return [] }
    if words.first?.utf8.first != UInt8(ascii: "/") {
      report(node, "\"run\" begins with the absolute path of a program")
    }
    return words
  }
}

extension Check {
  /// The members of a check's object: reading them gives the same check.
  func writeMembers(to writer: inout JSONWriter) {
    writer.field(CheckKey.name.rawValue, name)
    writer.field(CheckKey.run.rawValue, strings: command)
    writer.field(CheckKey.timeout.rawValue, DurationText.text(of: timeout))
    writer.field(CheckKey.on.rawValue, place.rawValue)
    if after.isEverything { return }
    writer.object(CheckKey.after.rawValue) { writer in
      if !after.triggers.isEmpty {
        writer.field(CheckAfterKey.triggers.rawValue, strings: after.triggers.map(\.rawValue))
      }
      if !after.rules.isEmpty {
        writer.field(CheckAfterKey.rules.rawValue, strings: after.rules.map(\.text))
      }
      if after.labels.isEmpty { return }
      writer.object(CheckAfterKey.labels.rawValue) { writer in
        for (key, pattern) in after.labels.sorted(by: { $0.key < $1.key }) {
          writer.field(key, pattern.text)
        }
      }
    }
  }
}
