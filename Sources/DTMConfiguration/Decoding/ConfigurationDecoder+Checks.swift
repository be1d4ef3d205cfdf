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
      }
    }
    return errors.count > before ? nil : result
  }

  private mutating func command(_ node: JSONNode) -> [String] {
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
  }
}
