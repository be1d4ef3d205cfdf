package import DTMSystem

/// A text with places for what a rule fired for: `{dir.name}-{stem}`.
package struct RuleTemplate: Sendable, Hashable {
  /// As it is written.
  package let text: String
  private let parts: [Part]

  private enum Part: Sendable, Hashable {
    case text(String)
    /// `{path}` and its like: so many directories up, then a part of the path.
    case path(up: Int, Leaf)
    case rule, time, folder
  }

  private enum Leaf: String, Sendable {
    case path, name, stem
  }

  /// Words that a template may hold, for messages.
  package static let words = [
    "path", "name", "stem", "dir", "dir.name", "rule", "time", "folder",
  ]

  /// What a template is filled with.
  package struct Values: Sendable {
    /// Nil where a rule fires for no path.
    package var path: PathKey?
    package var rule: String
    /// RFC 3339.
    package var time: String
    package var folder: String

    package init(path: PathKey?, rule: String, time: String, folder: String) {
      self.path = path
      self.rule = rule
      self.time = time
      self.folder = folder
    }
  }

  /// Why a text is no template.
  package enum Fault: Error, Sendable, Equatable {
    /// A brace without its other one.
    case unbalanced
    /// `{word}` with a word that is none.
    case unknown(String)
  }

  /// `{{` is a brace.
  package init(_ text: String) throws(Fault) {
    var parts: [Part] = []
    var literal = ""
    var rest = Substring(text)
    while let character = rest.popFirst() {
      guard character == "{" || character == "}" else {
        literal.append(character)
        continue
      }
      if rest.first == character {
        literal.append(character)
        rest.removeFirst()
        continue
      }
      guard character == "{", let end = rest.firstIndex(of: "}") else { throw .unbalanced }
      if !literal.isEmpty { parts.append(.text(literal)) }
      literal = ""
      parts.append(try Self.part(String(rest[..<end])))
      rest = rest[rest.index(after: end)...]
    }
    if !literal.isEmpty { parts.append(.text(literal)) }
    self.text = text
    self.parts = parts
  }

  private static func part(_ word: String) throws(Fault) -> Part {
    switch word {
    case "rule": return .rule
    case "time": return .time
    case "folder": return .folder
    default: break
    }
    var words = word.split(separator: ".", omittingEmptySubsequences: false)[...]
    var up = 0
    while words.first == "dir" {
      up += 1
      words = words.dropFirst()
    }
    if words.isEmpty, up > 0 { return .path(up: up, .path) }
    guard words.count == 1, let leaf = Leaf(rawValue: String(words[words.startIndex])),
      up == 0 || leaf != .path
    else { throw .unknown(word) }
    return .path(up: up, leaf)
  }

  /// Whether it is about the path that a rule fires for.
  package var needsPath: Bool {
    parts.contains { if case .path = $0 { true } else { false } }
  }

  /// The text with the values in it; what a path has no part for is empty. Names that are not UTF-8 are
  /// shown as they are printed.
  package func filled(_ values: Values) -> String {
    parts.map { part in
      switch part {
      case .text(let text): text
      case .rule: values.rule
      case .time: values.time
      case .folder: values.folder
      case .path(let up, let leaf): Self.text(values.path, up, leaf)
      }
    }.joined()
  }

  private static func text(_ path: PathKey?, _ up: Int, _ leaf: Leaf) -> String {
    var key = path
    for _ in 0..<up { key = key?.parent }
    guard let key, !key.isRoot else { return "" }
    switch leaf {
    case .path: return Quoting.path(key)
    case .name: return Quoting.path(key.name)
    case .stem:
      let name = key.name
      // `.hidden` has no suffix.
      guard let dot = name.lastIndex(of: UInt8(ascii: ".")), dot > 0 else {
        return Quoting.path(name)
      }
      return Quoting.path(Array(name[..<dot]))
    }
  }
}
