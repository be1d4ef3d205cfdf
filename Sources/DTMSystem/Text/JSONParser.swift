/// A recursive-descent parser of RFC 8259 over bytes.
///
/// Line breaks stand only between tokens (a raw control character in a string is an error), so the
/// line is counted in `skipSpace` alone.
package struct JSONParser {
  /// Deeper documents are refused: the parser recurses once a level.
  package static let maximumDepth = 64

  /// From this many members on, duplicate keys are looked for in a set instead of the list.
  private static let manyMembers = 12

  private let bytes: [UInt8]
  private var index = 0
  private var line = 1
  private var lineStart = 0

  package init(_ bytes: [UInt8]) {
    self.bytes = bytes
  }

  /// The whole document: one value with space around it.
  package mutating func document() throws(JSONSyntaxError) -> JSONNode {
    if bytes.starts(with: [0xef, 0xbb, 0xbf]) { throw error("a byte order mark is not JSON") }
    let invalid = firstInvalidUTF8()
    do throws(JSONSyntaxError) {
      skipSpace()
      if index == bytes.count { throw error("the document is empty") }
      let node = try value(depth: 0)
      skipSpace()
      if index < bytes.count { throw error("something follows the end of the document") }
      if let invalid { throw notUTF8(invalid) }
      return node
    } catch {
      // Whatever the parser made of the bytes after it, the first fault is the one to tell.
      if let invalid, invalid <= offset(of: error) { throw notUTF8(invalid) }
      throw error
    }
  }

  // MARK: - Values

  private mutating func value(depth: Int) throws(JSONSyntaxError) -> JSONNode {
    guard index < bytes.count else { throw ended("a value") }
    let line = line
    let column = column
    let value: JSONValue
    switch bytes[index] {
    case UInt8(ascii: "{"): value = .object(try object(depth: depth + 1))
    case UInt8(ascii: "["): value = .array(try array(depth: depth + 1))
    case UInt8(ascii: "\""): value = .string(try string())
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): value = .number(try number())
    case UInt8(ascii: "t"):
      try word("true")
      value = .bool(true)
    case UInt8(ascii: "f"):
      try word("false")
      value = .bool(false)
    case UInt8(ascii: "n"):
      try word("null")
      value = .null
    case UInt8(ascii: "/"): throw error("a value is expected here; JSON has no comments")
    default: throw error("a value is expected here")
    }
    return JSONNode(value: value, line: line, column: column)
  }

  private mutating func object(depth: Int) throws(JSONSyntaxError) -> [JSONMember] {
    if depth > Self.maximumDepth { throw tooDeep }
    index += 1
    var members: [JSONMember] = []
    var seen: Set<[UInt8]> = []
    skipSpace()
    if take(UInt8(ascii: "}")) { return members }
    while true {
      guard index < bytes.count else { throw ended("a key or }") }
      let keyIndex = index
      let (keyLine, keyColumn) = (line, column)
      guard bytes[index] == UInt8(ascii: "\"") else {
        throw error(
          bytes[index] == UInt8(ascii: "}")
            ? "a comma may not stand before }" : "a key in double quotes is expected here")
      }
      let key = try string()
      if isDuplicate(key, members, &seen) {
        index = keyIndex
        throw error("the key \"\(Quoting.path(Array(key.utf8)))\" is there twice")
      }
      skipSpace()
      guard take(UInt8(ascii: ":")) else {
        throw index < bytes.count ? error("a colon is expected here") : ended("a colon")
      }
      skipSpace()
      let node = try value(depth: depth)
      members.append(JSONMember(key: key, node: node, line: keyLine, column: keyColumn))
      skipSpace()
      if take(UInt8(ascii: "}")) { return members }
      guard take(UInt8(ascii: ",")) else {
        throw index < bytes.count
          ? error("a comma or } is expected here") : ended("a comma or }")
      }
      skipSpace()
    }
  }

  private func isDuplicate(
    _ key: String, _ members: [JSONMember], _ seen: inout Set<[UInt8]>
  ) -> Bool {
    // Not `==`: Swift compares strings by canonical equivalence, JSON by code units.
    if members.count < Self.manyMembers {
      return members.contains { $0.key.utf8.elementsEqual(key.utf8) }
    }
    if seen.isEmpty {
      for member in members { seen.insert(Array(member.key.utf8)) }
    }
    return !seen.insert(Array(key.utf8)).inserted
  }

  private mutating func array(depth: Int) throws(JSONSyntaxError) -> [JSONNode] {
    if depth > Self.maximumDepth { throw tooDeep }
    index += 1
    var nodes: [JSONNode] = []
    skipSpace()
    if take(UInt8(ascii: "]")) { return nodes }
    while true {
      if index < bytes.count, bytes[index] == UInt8(ascii: "]") {
        throw error("a comma may not stand before ]")
      }
      nodes.append(try value(depth: depth))
      skipSpace()
      if take(UInt8(ascii: "]")) { return nodes }
      guard take(UInt8(ascii: ",")) else {
        throw index < bytes.count
          ? error("a comma or ] is expected here") : ended("a comma or ]")
      }
      skipSpace()
    }
  }

  // MARK: - Scalars

  private mutating func word(_ expected: StaticString) throws(JSONSyntaxError) {
    let text = expected.description.utf8
    var end = index
    for byte in text {
      guard end < bytes.count, bytes[end] == byte else {
        throw error("a value is expected here (true, false and null are written in small letters)")
      }
      end += 1
    }
    if end < bytes.count, Self.continuesWord(bytes[end]) {
      throw error("a value is expected here (true, false and null are written in small letters)")
    }
    index = end
  }

  private static func continuesWord(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
      true
    default: false
    }
  }

  private mutating func number() throws(JSONSyntaxError) -> String {
    let start = index
    _ = take(UInt8(ascii: "-"))
    if take(UInt8(ascii: "0")) {
      if let byte = peek, Self.isDigit(byte) { throw error("a number has no leading zeros") }
    } else if !digits() {
      throw index < bytes.count ? error("a digit is expected here") : ended("a digit")
    }
    if take(UInt8(ascii: ".")), !digits() {
      throw index < bytes.count
        ? error("a digit is expected after the decimal point") : ended("a digit")
    }
    if let byte = peek, byte | 0x20 == UInt8(ascii: "e") {
      index += 1
      if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
      if !digits() {
        throw index < bytes.count ? error("a digit is expected in the exponent") : ended("a digit")
      }
    }
    if let byte = peek, Self.continuesWord(byte) || byte == UInt8(ascii: ".") {
      throw error("this can't stand in a number")
    }
    return String(decoding: bytes[start..<index], as: UTF8.self)
  }

  /// Skips digits; false where there are none.
  private mutating func digits() -> Bool {
    let start = index
    while let byte = peek, Self.isDigit(byte) { index += 1 }
    return index > start
  }

  private static func isDigit(_ byte: UInt8) -> Bool {
    byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")
  }

  private mutating func string() throws(JSONSyntaxError) -> String {
    index += 1
    let start = index
    skipPlain()
    let end = index
    if peek == UInt8(ascii: "\"") {
      index += 1
      return String(decoding: bytes[start..<end], as: UTF8.self)
    }
    var text = Array(bytes[start..<end])
    while true {
      guard let byte = peek else { throw ended("the closing quote of a string") }
      switch byte {
      case UInt8(ascii: "\""):
        index += 1
        return String(decoding: text, as: UTF8.self)
      case UInt8(ascii: "\\"):
        try escape(into: &text)
      case 0..<0x20:
        throw error(
          byte == UInt8(ascii: "\n")
            ? "a string ends on its line (write \\n for a line break)"
            : "a control character in a string is written as \\u00XX")
      default:
        text.append(byte)
        index += 1
      }
    }
  }

  /// Moves past bytes that stand for themselves in a string.
  private mutating func skipPlain() {
    var place = index
    let end = bytes.count
    while place < end {
      let byte = bytes[place]
      if byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { break }
      place += 1
    }
    index = place
  }

  private mutating func escape(into text: inout [UInt8]) throws(JSONSyntaxError) {
    guard index + 1 < bytes.count else { throw ended("an escape sequence", at: bytes.count) }
    let plain: UInt8
    switch bytes[index + 1] {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): plain = bytes[index + 1]
    case UInt8(ascii: "b"): plain = 0x08
    case UInt8(ascii: "f"): plain = 0x0c
    case UInt8(ascii: "n"): plain = 0x0a
    case UInt8(ascii: "r"): plain = 0x0d
    case UInt8(ascii: "t"): plain = 0x09
    case UInt8(ascii: "u"): return try unicodeEscape(into: &text)
    default: throw error("there is no such escape sequence")
    }
    text.append(plain)
    index += 2
  }

  private mutating func unicodeEscape(into text: inout [UInt8]) throws(JSONSyntaxError) {
    let unit = try hexUnit(at: index)
    var code = UInt32(unit)
    var length = 6
    if unit & 0xfc00 == 0xd800 {
      if index + 6 >= bytes.count {
        throw ended("the second half of a surrogate pair", at: bytes.count)
      }
      guard bytes[index + 6] == UInt8(ascii: "\\"),
        index + 7 >= bytes.count || bytes[index + 7] == UInt8(ascii: "u")
      else { throw error("half a surrogate pair is no character") }
      let second = try hexUnit(at: index + 6)
      guard second & 0xfc00 == 0xdc00 else { throw error("half a surrogate pair is no character") }
      code = 0x10000 + (UInt32(unit & 0x3ff) << 10 | UInt32(second & 0x3ff))
      length = 12
    }
    guard let scalar = Unicode.Scalar(code) else {
      throw error("half a surrogate pair is no character")
    }
    text.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
    index += length
  }

  /// The 16 bits of the `\uXXXX` that starts at `start`.
  private func hexUnit(at start: Int) throws(JSONSyntaxError) -> UInt16 {
    var unit: UInt16 = 0
    for place in (start + 2)..<(start + 6) {
      guard place < bytes.count else { throw ended("an escape sequence", at: bytes.count) }
      let digit: UInt8
      switch bytes[place] {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = bytes[place] - UInt8(ascii: "0")
      case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = bytes[place] - UInt8(ascii: "a") + 10
      case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = bytes[place] - UInt8(ascii: "A") + 10
      default: throw error("four hexadecimal digits are expected after \\u", at: place)
      }
      unit = unit << 4 | UInt16(digit)
    }
    return unit
  }

  // MARK: - Bytes and places

  private var peek: UInt8? { index < bytes.count ? bytes[index] : nil }

  private mutating func take(_ byte: UInt8) -> Bool {
    guard index < bytes.count, bytes[index] == byte else { return false }
    index += 1
    return true
  }

  private mutating func skipSpace() {
    while index < bytes.count {
      switch bytes[index] {
      case UInt8(ascii: "\n"):
        line += 1
        lineStart = index + 1
      case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"): break
      default: return
      }
      index += 1
    }
  }

  private var column: Int { index - lineStart + 1 }

  private func error(_ message: String) -> JSONSyntaxError {
    error(message, at: index)
  }

  private func error(_ message: String, at offset: Int) -> JSONSyntaxError {
    JSONSyntaxError(message: message, line: line, column: offset - lineStart + 1)
  }

  private func ended(_ expected: String, at offset: Int? = nil) -> JSONSyntaxError {
    error("the document ends where \(expected) is expected", at: offset ?? index)
  }

  private var tooDeep: JSONSyntaxError {
    error("arrays and objects are nested more than \(Self.maximumDepth) deep")
  }

  private func firstInvalidUTF8() -> Int? {
    do throws(UTF8.ValidationError) {
      _ = try UTF8Span(validating: bytes.span)
      return nil
    } catch {
      return error.byteOffsets.lowerBound
    }
  }

  private func offset(of error: JSONSyntaxError) -> Int {
    // Errors are thrown on the parser's line.
    lineStart + error.column - 1
  }

  private func notUTF8(_ offset: Int) -> JSONSyntaxError {
    var line = 1
    var start = 0
    for place in 0..<offset where bytes[place] == UInt8(ascii: "\n") {
      line += 1
      start = place + 1
    }
    return JSONSyntaxError(
      message: "the byte \(Quoting.hex(bytes[offset])) is not UTF-8", line: line,
      column: offset - start + 1)
  }
}
