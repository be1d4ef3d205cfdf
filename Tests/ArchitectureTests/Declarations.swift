/// Rules about declarations and the size of files.
enum Declarations {
  /// Words that begin a declaration, after its modifiers, and the modifiers themselves.
  static let words: Set<String> = keywords.union(modifiers)

  private static let keywords: Set<String> = [
    "struct", "class", "enum", "protocol", "actor", "typealias", "func", "var", "let", "init",
    "subscript", "extension", "associatedtype", "macro", "operator",
  ]

  private static let modifiers: Set<String> = [
    "static", "final", "mutating", "nonmutating", "consuming", "borrowing", "indirect", "lazy",
    "weak", "override", "required", "convenience", "nonisolated", "private", "fileprivate",
    "prefix", "postfix", "infix", "unsafe", "isolated", "distributed", "dynamic",
  ]

  /// Members whose meaning is their protocol's: a comment would repeat the standard library's.
  private static let witnesses: Set<String> = [
    "rawValue", "init(rawValue", "description", "debugDescription", "hash(into", "encode(to",
    "init(from", "func==", "func<", "id", "errorDescription", "configuration",
    "enqueue(_",
  ]

  static let longestFileInLines = 600

  static func tooLong(_ file: SourceFile) -> [Violation] {
    if file.lines.count <= longestFileInLines { return [] }
    return [Violation(file, longestFileInLines, "\(file.lines.count) lines: split the file")]
  }

  /// `package` declarations without a doc comment.
  ///
  /// One comment may speak for a run of properties on neighbouring lines, and a protocol's comment
  /// for the methods that meet it (`requirements`: the names of the package's own protocols' methods).
  static func undocumented(
    in file: SourceFile, requirements: Set<String> = []
  ) -> [Violation] {
    var isSpokenFor = false
    return file.code.indices.compactMap { index in
      let tokens = Token.tokens(of: file.code[index])
      guard let keyword = packageDeclaration(tokens) else {
        isSpokenFor = false
        return nil
      }
      let isDocumented =
        hasDocComment(file, above: index) || isWitness(tokens, keyword: keyword)
        || (tokens[keyword].text == "func" && requirements.contains(tokens[keyword + 1].text))
      let isProperty = tokens[keyword].text == "let" || tokens[keyword].text == "var"
      defer { isSpokenFor = isProperty && (isDocumented || isSpokenFor) }
      if isDocumented || (isProperty && isSpokenFor) { return nil }
      let name = tokens[keyword...].prefix(3).map(\.text).joined(separator: " ")
      var violation = Violation(file, index, "`package … \(name)` has no doc comment")
      // A property's or an initialiser's meaning is often its type's: said, but no failure.
      violation.isWarning = isProperty || tokens[keyword].text == "init"
      return violation
    }
  }

  /// The names of the methods that the protocols of these files require.
  static func requirements(of files: [SourceFile]) -> Set<String> {
    var names: Set<String> = []
    for file in files {
      var depth = 0
      var isInProtocol = false
      for line in file.code {
        let tokens = Token.tokens(of: line)
        for (position, token) in tokens.enumerated() {
          let next = position + 1 < tokens.count ? tokens[position + 1].text : ""
          switch token.text {
          case "protocol" where depth == 0: isInProtocol = true
          case "{": depth += 1
          case "}":
            depth -= 1
            if depth == 0 { isInProtocol = false }
          case "func" where isInProtocol: names.insert(next)
          default: break
          }
        }
      }
    }
    return names
  }

  /// The position of the keyword when the line begins a `package` declaration.
  private static func packageDeclaration(_ tokens: [Token]) -> Int? {
    var isPackage = false
    var position = skippingAttributes(tokens)
    while position < tokens.count {
      let word = tokens[position].text
      if word == "package" {
        isPackage = true
      } else if keywords.contains(word) {
        // `class func` and the like: the later word names the declaration.
        return isPackage ? position : nil
      } else if !modifiers.contains(word) {
        return nil
      }
      position += 1
      if position < tokens.count, tokens[position].text == "(" {  // private(set)
        position = (tokens[position...].firstIndex { $0.text == ")" } ?? tokens.count - 1) + 1
      }
    }
    return nil
  }

  private static func skippingAttributes(_ tokens: [Token]) -> Int {
    var position = 0
    while position + 1 < tokens.count, tokens[position].text == "@" {
      position += 2
      guard position < tokens.count, tokens[position].text == "(", !tokens[position].isSpaced
      else { continue }
      var depth = 0
      while position < tokens.count {
        if tokens[position].text == "(" { depth += 1 }
        if tokens[position].text == ")" { depth -= 1 }
        position += 1
        if depth == 0 { break }
      }
    }
    return position
  }

  private static func isWitness(_ tokens: [Token], keyword: Int) -> Bool {
    let rest = tokens[(keyword + 1)...].map(\.text)
    if tokens[keyword].text == "init" {
      return rest.count > 1 && witnesses.contains("init(" + rest[1])
    }
    guard let name = rest.first else { return false }
    if tokens[keyword].text == "func" {
      let operatorName = rest.prefix { $0 != "(" }.joined()
      if witnesses.contains("func" + operatorName) { return true }
      return rest.count > 2 && witnesses.contains(name + "(" + rest[2])
    }
    return witnesses.contains(name)
  }

  /// Looks above a line, past attributes that stand on lines of their own.
  private static func hasDocComment(_ file: SourceFile, above index: Int) -> Bool {
    var line = index - 1
    while line >= 0, file.code[line].trimmingSpaces.hasPrefix("@"), !file.isComment(line) {
      line -= 1
    }
    guard file.isComment(line) else { return false }
    let text = file.lines[line].trimmingSpaces
    return text.hasPrefix("///") || text.hasSuffix("*/")
  }
}

extension String {
  fileprivate var trimmingSpaces: Substring {
    drop { $0 == " " || $0 == "\t" }
  }
}
