/// A word or a sign of a line of code.
struct Token: Equatable {
  let text: String
  /// In bytes from the line's start.
  let column: Int
  /// Whether white space stands before it.
  let isSpaced: Bool

  var isWord: Bool { text.utf8.first.map(Self.isWordByte) ?? false }

  /// Splits a line of masked code: words (letters, digits, `_`, any byte that is not ASCII), each
  /// other sign by itself.
  static func tokens(of line: String) -> [Token] {
    let bytes = Array(line.utf8)
    var tokens: [Token] = []
    var start = 0
    var isSpaced = true
    while start < bytes.count {
      if bytes[start] == UInt8(ascii: " ") || bytes[start] == UInt8(ascii: "\t") {
        isSpaced = true
        start += 1
        continue
      }
      var end = start + 1
      if isWordByte(bytes[start]) {
        while end < bytes.count, isWordByte(bytes[end]) { end += 1 }
      }
      let text = String(decoding: bytes[start..<end], as: UTF8.self)
      tokens.append(Token(text: text, column: start, isSpaced: isSpaced))
      isSpaced = false
      start = end
    }
    return tokens
  }

  private static func isWordByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), 0x80...0xFF:
      true
    default: false
    }
  }
}

extension [Token] {
  /// Whether the tokens from `index` on begin with these texts.
  func starts(with texts: [String], at index: Int) -> Bool {
    guard index + texts.count <= count else { return false }
    return zip(self[index...], texts).allSatisfy { $0.text == $1 }
  }
}
