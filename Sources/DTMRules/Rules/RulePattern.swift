package import DTMSystem

/// Which paths a rule is about: one pattern as in .gitignore, without `!`.
package struct RulePattern: Sendable, Hashable {
  /// As it is written.
  package let text: String
  private let pattern: IgnorePattern
  /// What the last name of a path that fits is, or ends with; tells most paths apart by one look-up.
  let hint: Hint

  enum Hint: Sendable, Hashable {
    case name([UInt8])
    /// What follows the last dot.
    case suffix([UInt8])
    case anything
  }

  /// Nil for a text that is no pattern or takes one back.
  package init?(_ text: String) {
    guard let pattern = IgnorePattern(line: Self.simplified(Array(text.utf8))),
      !pattern.isNegated, !text.utf8.contains(where: { $0 < 0x20 })
    else { return nil }
    self.text = text
    self.pattern = pattern
    hint = Self.hint(of: Array(text.utf8))
  }

  /// `**/x` is what `x` is; the latter is matched by its name alone.
  private static func simplified(_ text: [UInt8]) -> [UInt8] {
    let prefix = Array("**/".utf8)
    guard text.starts(with: prefix) else { return text }
    let rest = Array(text.dropFirst(prefix.count))
    return rest.dropLast().contains(UInt8(ascii: "/")) ? text : rest
  }

  private static func hint(of text: [UInt8]) -> Hint {
    let path = text.last == UInt8(ascii: "/") ? text.dropLast() : text[...]
    let name = path.split(separator: UInt8(ascii: "/")).last ?? []
    let special = Array("*?[\\".utf8)
    guard let last = name.lastIndex(where: { special.contains($0) }) else {
      // A blank at the end does not count in a pattern.
      return name.last == UInt8(ascii: " ") ? .anything : .name(Array(name))
    }
    let tail = name[(last + 1)...]
    if name[last] == UInt8(ascii: "]") || tail.contains(UInt8(ascii: "]")) { return .anything }
    guard let dot = tail.lastIndex(of: UInt8(ascii: ".")), tail.last != UInt8(ascii: " ") else {
      return .anything
    }
    return .suffix(Array(tail[(dot + 1)...]))
  }

  /// Whether a path beneath the folder fits.
  package func matches(_ key: PathKey, isDirectory: Bool) -> Bool {
    if key.isRoot { return false }
    let path = key.path
    let start = path.lastIndex(of: UInt8(ascii: "/")).map { $0 + 1 } ?? 0
    return pattern.matches(path: path, nameStart: start, isDirectory: isDirectory)
  }

  package static func == (left: RulePattern, right: RulePattern) -> Bool { left.text == right.text }

  package func hash(into hasher: inout Hasher) { hasher.combine(text) }
}

/// Finds the patterns that may fit a path by its last name, so that a path is tried against few of
/// many.
struct PatternIndex: Sendable {
  private var names: [[UInt8]: [Int]] = [:]
  private var suffixes: [[UInt8]: [Int]] = [:]
  private var others: [Int] = []

  mutating func add(_ hint: RulePattern.Hint, _ number: Int) {
    switch hint {
    case .name(let name): names[name, default: []].append(number)
    case .suffix(let suffix): suffixes[suffix, default: []].append(number)
    case .anything: others.append(number)
    }
  }

  /// The numbers of those that may fit.
  func candidates(_ name: [UInt8]) -> [Int] {
    var found = others
    if !names.isEmpty, let more = names[name] { found += more }
    if !suffixes.isEmpty, let dot = name.lastIndex(of: UInt8(ascii: ".")),
      let more = suffixes[Array(name[(dot + 1)...])]
    {
      found += more
    }
    return found
  }
}
