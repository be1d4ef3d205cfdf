internal import DTMSystem
internal import SystemPackage

/// The values of the table's rules.
extension ConfigurationDecoder {
  /// The text of a string; reports anything else.
  mutating func text(_ node: JSONNode, _ key: String, _ what: String) -> String? {
    if let text = node.string { return text }
    report(node, "\"\(key)\" is \(what), not \(Self.name(of: node))")
    return nil
  }

  mutating func schemaAddress(_ node: JSONNode) {
    _ = text(node, "$schema", "a string")
  }

  mutating func duration(_ node: JSONNode, _ key: some ConfigurationKey) -> Duration? {
    let what = "a duration in a string, such as \"250ms\", \"2s\", \"15m\" or \"1h\""
    guard case .duration(let range) = key.rule,
      let text = text(node, key.rawValue, what)
    else { return nil }
    guard let span = HumanUnits.parseDuration(text) else {
      report(node, "\"\(key.rawValue)\" is \(what), not \(Self.name(of: node))")
      return nil
    }
    guard range.contains(span) else {
      report(
        node,
        "\"\(key.rawValue)\" is from \(DurationText.text(of: range.lowerBound)) to "
          + "\(DurationText.text(of: range.upperBound)), not \(Self.name(of: node))")
      return nil
    }
    return span
  }

  mutating func word<Word: RawRepresentable<String>>(
    _ node: JSONNode, _ key: some ConfigurationKey
  ) -> Word? {
    guard case .word(let words) = key.rule else { return nil }
    let quoted = words.map { "\"\($0)\"" }
    let what =
      quoted.dropLast().joined(separator: ", ") + " or " + (quoted.last ?? "")
    guard let text = text(node, key.rawValue, what) else { return nil }
    if words.contains(text), let word = Word(rawValue: text) { return word }
    report(
      node, "\"\(key.rawValue)\" is \(what), not \(Self.name(of: node))",
      hint: editDistanceNearest(text, among: words).map { "did you mean \"\($0)\"?" })
    return nil
  }

  mutating func absolutePath(_ node: JSONNode, _ key: some ConfigurationKey) -> FilePath? {
    let what = "an absolute path"
    guard case .absolutePath(let maximumLength) = key.rule,
      let text = text(node, key.rawValue, what)
    else { return nil }
    guard text.utf8.first == UInt8(ascii: "/"), !text.utf8.contains(0) else {
      report(node, "\"\(key.rawValue)\" is \(what), not \(Self.name(of: node))")
      return nil
    }
    let path = FilePath(text)
    if path.components.contains(where: { $0.kind != .regular }) {
      report(node, "\"\(key.rawValue)\" is written without . and .., not \(Self.name(of: node))")
      return nil
    }
    if path.components.isEmpty {
      report(node, "\"\(key.rawValue)\" can't be the root of all files")
      return nil
    }
    if path.length > maximumLength {
      report(
        node,
        "\"\(key.rawValue)\" has at most \(maximumLength) bytes, not \(path.length)")
      return nil
    }
    return path
  }

  mutating func folderName(_ node: JSONNode) -> String? {
    guard let text = text(node, "name", "a string") else { return nil }
    guard let fault = FolderName.fault(of: text) else { return text }
    report(node, "\(Self.name(of: node)) can't be a folder's name: \(fault)")
    return nil
  }

  mutating func patterns(_ node: JSONNode, _ key: String) -> [String] {
    var result: [String] = []
    for element in array(node, key, "patterns") {
      guard let pattern = element.string else {
        report(element, "a pattern is a string, not \(Self.name(of: element))")
        continue
      }
      if let fault = Self.fault(ofPattern: pattern) {
        report(element, "\(Self.name(of: element)) can't be a pattern: \(fault)")
      } else {
        result.append(pattern)
      }
    }
    return result
  }

  mutating func groups(_ node: JSONNode, _ key: String) -> [FileGroup] {
    var result: [FileGroup] = []
    for element in array(node, key, "groups of names") {
      guard let nodes = element.array else {
        report(
          element,
          "a group is an array of names with one *, such as [\"*.shp\", \"*.shx\"], not "
            + Self.name(of: element))
        continue
      }
      let before = errors.count
      var names: [String] = []
      for name in nodes {
        guard let text = name.string else {
          report(name, "a name is a string, not \(Self.name(of: name))")
          continue
        }
        if let fault = FileGroup.fault(ofPattern: text) {
          report(name, "\(Self.name(of: name)) can't be a name of a group: \(fault)")
        }
        names.append(text)
      }
      if let group = FileGroup(names) {
        result.append(group)
      } else if errors.count == before {
        report(element, "a group has at least two names, and each once")
      }
    }
    return result
  }

  /// Why a text is not one line of a .gitignore file that does something; nil where it is.
  static func fault(ofPattern text: String) -> String? {
    let bytes = Array(text.utf8)
    if bytes.contains(where: { $0 == 0 || $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }) {
      return "it is more than one line"
    }
    if bytes.allSatisfy({ $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }) {
      return "it is empty"
    }
    if bytes == [UInt8(ascii: "!")] || bytes == [UInt8(ascii: "/")] {
      return "it fits nothing"
    }
    if bytes.first == UInt8(ascii: "#") {
      return "# begins a comment (write \\# for a name that begins with it)"
    }
    return nil
  }
}

/// What a folder may be called: the name of a file, too, and a word on the command line.
package enum FolderName {
  /// So that `NAME.json` and temporary names beside it fit into NAME_MAX (255).
  static let longest = 200

  /// Why a text can't be a folder's name; nil where it can.
  package static func fault(of text: String) -> String? {
    let bytes = Array(text.utf8)
    if bytes.isEmpty { return "it is empty" }
    if bytes.count > longest { return "it has more than \(longest) bytes" }
    if bytes.contains(UInt8(ascii: "/")) { return "it has a / in it" }
    if bytes.first == UInt8(ascii: ".") || bytes.first == UInt8(ascii: "-") {
      return "it begins with . or -"
    }
    if !Quoting.path(bytes).utf8.elementsEqual(bytes) {
      return "it has a backslash or a character that can't be seen in it"
    }
    return nil
  }
}
