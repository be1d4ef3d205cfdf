/// Words and forms that the sources do without.
enum Words {
  /// `try!`, `as!`, a forced unwrapping, `fatalError(`, the global dispatch queue, `public`.
  static func forbiddenForms(in file: SourceFile) -> [Violation] {
    file.code.indices.flatMap { index -> [Violation] in
      let tokens = Token.tokens(of: file.code[index])
      return tokens.indices.compactMap { position in
        forbiddenForm(tokens, at: position).map { Violation(file, index, $0) }
      }
    }
  }

  private static func forbiddenForm(_ tokens: [Token], at position: Int) -> String? {
    let token = tokens[position]
    let next = position + 1 < tokens.count ? tokens[position + 1] : nil
    switch token.text {
    case "!":
      guard !token.isSpaced, position > 0 else { return nil }
      if let next, next.text == "=", !next.isSpaced { return nil }  // a!=b
      let before = tokens[position - 1]
      if before.text == "try" || before.text == "as" {
        return "`\(before.text)!` stops the program"
      }
      let ends = before.isWord || [")", "]", "?", "`", "\""].contains(before.text)
      return ends ? "a forced unwrapping stops the program" : nil
    case "fatalError":
      return next?.text == "(" ? "`fatalError(` stops the program" : nil
    case "DispatchQueue":
      return tokens.starts(with: [".", "global"], at: position + 1)
        ? "`DispatchQueue.global` stalls every task: use an executor of DTMSystem" : nil
    case "public", "open":
      guard let next, next.isSpaced, Declarations.words.contains(next.text) else { return nil }
      return "`\(token.text)`: we ship programs; `package` is the widest"
    default:
      return nil
    }
  }

  /// `@unchecked Sendable` and `nonisolated(unsafe)` without the comment that proves them.
  static func unprovenConcurrency(in file: SourceFile) -> [Violation] {
    file.code.indices.flatMap { index -> [Violation] in
      let tokens = Token.tokens(of: file.code[index])
      return tokens.indices.compactMap { position -> Violation? in
        let isUnchecked = tokens.starts(with: ["@", "unchecked", "Sendable"], at: position)
        let isNonisolated = tokens.starts(with: ["nonisolated", "(", "unsafe", ")"], at: position)
        guard isUnchecked || isNonisolated, !file.isComment(index - 1) else { return nil }
        let name = isUnchecked ? "@unchecked Sendable" : "nonisolated(unsafe)"
        return Violation(file, index, "`\(name)` without a comment right above that proves it")
      }
    }
  }

  /// Names of types that say nothing.
  static let emptyWords: Set<String> = [
    "Manager", "Managers", "Helper", "Helpers", "Util", "Utils", "Utility", "Utilities",
  ]

  static func emptyNames(in file: SourceFile) -> [Violation] {
    let kinds: Set = ["struct", "class", "enum", "protocol", "actor", "typealias"]
    return file.code.indices.flatMap { index -> [Violation] in
      let tokens = Token.tokens(of: file.code[index])
      return tokens.indices.compactMap { position -> Violation? in
        guard kinds.contains(tokens[position].text), position + 1 < tokens.count else { return nil }
        let name = tokens[position + 1].text
        guard let word = words(of: name).first(where: emptyWords.contains) else { return nil }
        return Violation(file, index, "\(name): `\(word)` says nothing about what it does")
      }
    }
  }

  /// `PackFileManager` → Pack, File, Manager.
  static func words(of name: String) -> [String] {
    name.reduce(into: []) { words, character in
      if character.isUppercase || words.isEmpty {
        words.append(String(character))
      } else {
        words[words.count - 1].append(character)
      }
    }
  }
}
