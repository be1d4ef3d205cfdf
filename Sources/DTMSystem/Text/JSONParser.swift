/// A recursive-descent parser of RFC 8259 over bytes.
///
/// Line breaks stand only between tokens (a raw control character in a string is an error), so the
/// line is counted in `skipSpace` alone.
struct JSONParser {
  /// From this many members on, duplicate keys are looked for in a set instead of the list.
  private static let manyMembers = 12

  let bytes: [UInt8]
  var index = 0
  private var line = 1
  private var lineStart = 0

  init(_ bytes: [UInt8]) {
    self.bytes = bytes
  }

  /// The whole document: one value with space around it.
  mutating func document() throws(JSONSyntaxError) -> JSONNode {
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
    if depth > JSONNode.maximumDepth { throw tooDeep }
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
    if depth > JSONNode.maximumDepth { throw tooDeep }
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

  // MARK: - Bytes and places

  var peek: UInt8? { index < bytes.count ? bytes[index] : nil }

  mutating func take(_ byte: UInt8) -> Bool {
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

  var column: Int { index - lineStart + 1 }

  func error(_ message: String) -> JSONSyntaxError {
    error(message, at: index)
  }

  func error(_ message: String, at offset: Int) -> JSONSyntaxError {
    JSONSyntaxError(message: message, line: line, column: offset - lineStart + 1)
  }

  func ended(_ expected: String, at offset: Int? = nil) -> JSONSyntaxError {
    error("the document ends where \(expected) is expected", at: offset ?? index)
  }

  private var tooDeep: JSONSyntaxError {
    error("arrays and objects are nested more than \(JSONNode.maximumDepth) deep")
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
