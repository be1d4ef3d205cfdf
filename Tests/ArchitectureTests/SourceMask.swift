/// Blanks what is no code in a Swift source, byte by byte, so that lines and columns stay.
///
/// Knows nested comments, string literals of one and of many lines, raw ones, and interpolations
/// (which are code again). Regex literals are not known: the sources have none.
struct SourceMask {
  private enum Mode {
    case code(parentheses: Int)
    case text(hashes: Int, isMultiline: Bool)
  }

  private let bytes: [UInt8]
  private var output: [UInt8]
  private var position = 0
  private var modes: [Mode] = [.code(parentheses: 0)]

  static func blankingTextAndComments(in bytes: [UInt8]) -> [UInt8] {
    var mask = SourceMask(bytes: bytes, output: bytes)
    mask.run()
    return mask.output
  }

  private init(bytes: [UInt8], output: [UInt8]) {
    self.bytes = bytes
    self.output = output
  }

  private mutating func run() {
    while position < bytes.count {
      switch modes[modes.count - 1] {
      case .code(let parentheses): stepInCode(parentheses)
      case .text(let hashes, let isMultiline): stepInText(hashes, isMultiline)
      }
    }
  }

  private mutating func stepInCode(_ parentheses: Int) {
    if starts("//") {
      while position < bytes.count, bytes[position] != UInt8(ascii: "\n") { blank(1) }
    } else if starts("/*") {
      blankBlockComment()
    } else if let opening = openingOfText() {
      modes.append(.text(hashes: opening.hashes, isMultiline: opening.isMultiline))
      position += opening.length
    } else if starts("(") {
      modes[modes.count - 1] = .code(parentheses: parentheses + 1)
      position += 1
    } else if starts(")") {
      // The parenthesis that opened an interpolation was counted as the first.
      if parentheses == 1, modes.count > 1 {
        modes.removeLast()
      } else {
        modes[modes.count - 1] = .code(parentheses: max(0, parentheses - 1))
      }
      position += 1
    } else {
      position += 1
    }
  }

  private mutating func stepInText(_ hashes: Int, _ isMultiline: Bool) {
    let pounds = String(repeating: "#", count: hashes)
    let closing = (isMultiline ? "\"\"\"" : "\"") + pounds
    if starts(closing) {
      modes.removeLast()
      position += closing.utf8.count
    } else if starts("\\" + pounds + "(") {
      position += 1 + hashes + 1
      modes.append(.code(parentheses: 1))
    } else if starts("\\" + pounds) {
      blank(1 + hashes + 1)
    } else if !isMultiline, bytes[position] == UInt8(ascii: "\n") {
      modes.removeLast()  // an unended literal does not compile: do not lose the rest of the file
    } else {
      blank(1)
    }
  }

  private mutating func blankBlockComment() {
    var depth = 0
    repeat {
      if starts("/*") {
        depth += 1
        blank(2)
      } else if starts("*/") {
        depth -= 1
        blank(2)
      } else {
        blank(1)
      }
    } while depth > 0 && position < bytes.count
  }

  private func openingOfText() -> (hashes: Int, isMultiline: Bool, length: Int)? {
    var end = position
    while end < bytes.count, bytes[end] == UInt8(ascii: "#") { end += 1 }
    let hashes = end - position
    guard end < bytes.count, bytes[end] == UInt8(ascii: "\"") else { return nil }
    let quotes = bytes[end...].prefix(3)
    let isMultiline = quotes.count == 3 && quotes.allSatisfy { $0 == UInt8(ascii: "\"") }
    return (hashes, isMultiline, hashes + (isMultiline ? 3 : 1))
  }

  private func starts(_ text: String) -> Bool { bytes[position...].starts(with: text.utf8) }

  private mutating func blank(_ count: Int) {
    for _ in 0..<count where position < bytes.count {
      if bytes[position] != UInt8(ascii: "\n") { output[position] = UInt8(ascii: " ") }
      position += 1
    }
  }
}
