/// Writes JSON to bytes by hand: commas, colons, escapes and indentation are its business.
///
/// Non-ASCII text stays UTF-8. Keys come out in the order in which they are written, and nothing
/// checks that they differ. Several documents can follow each other, with `endLine` between them.
package struct JSONWriter {
  /// What has been written so far.
  package private(set) var bytes: [UInt8] = []

  private let pretty: Bool
  private var depth = 0
  /// Whether something stands before the next element of the innermost container.
  private var hasElement = false
  private var isAfterKey = false

  /// `pretty`: two spaces a level and a space after the colon; else no space at all.
  package init(pretty: Bool = false) {
    self.pretty = pretty
  }

  // MARK: - Containers

  /// Writes `{`, what `body` writes (keys and values in turn) and `}`.
  package mutating func object(_ body: (inout JSONWriter) throws -> Void) rethrows {
    try container(UInt8(ascii: "{"), UInt8(ascii: "}"), body)
  }

  /// Writes `[`, the values that `body` writes and `]`.
  package mutating func array(_ body: (inout JSONWriter) throws -> Void) rethrows {
    try container(UInt8(ascii: "["), UInt8(ascii: "]"), body)
  }

  private mutating func container(
    _ opening: UInt8, _ closing: UInt8, _ body: (inout JSONWriter) throws -> Void
  ) rethrows {
    beginValue()
    bytes.append(opening)
    depth += 1
    hasElement = false
    try body(&self)
    depth -= 1
    if pretty && hasElement { indent() }
    bytes.append(closing)
    hasElement = true
  }

  /// Writes a member's key and colon; exactly one value follows.
  package mutating func key(_ name: String) {
    precondition(!isAfterKey, "a value stands after each key")
    separate()
    quoted(name)
    bytes.append(UInt8(ascii: ":"))
    if pretty { bytes.append(UInt8(ascii: " ")) }
    isAfterKey = true
  }

  // MARK: - Values

  /// Writes a string, with what JSON wants escaped.
  package mutating func string(_ text: String) {
    beginValue()
    quoted(text)
  }

  /// Writes all digits.
  package mutating func number(_ value: Int) {
    beginValue()
    digits(value.magnitude, negative: value < 0)
  }

  /// Writes all digits; readers that know doubles alone lose some beyond 2^53.
  package mutating func number(_ value: UInt64) {
    beginValue()
    digits(UInt(value), negative: false)
  }

  /// Writes the shortest text that reads back as the same number; `null` for one that is not finite.
  package mutating func number(_ value: Double) {
    if !value.isFinite { return null() }
    beginValue()
    bytes.append(contentsOf: value.description.utf8)
  }

  /// Writes `true` or `false`.
  package mutating func bool(_ value: Bool) {
    beginValue()
    bytes.append(contentsOf: value ? "true".utf8 : "false".utf8)
  }

  /// Writes `null`.
  package mutating func null() {
    beginValue()
    bytes.append(contentsOf: "null".utf8)
  }

  /// Writes a path with `/` between its components; `{"base64": …}` where it is not UTF-8.
  package mutating func path(_ key: PathKey) {
    guard key.bytes.isValidUTF8 else {
      return object { writer in
        writer.field("base64", String(decoding: Base64.encode(key.path), as: UTF8.self))
      }
    }
    beginValue()
    bytes.append(UInt8(ascii: "\""))
    let start = bytes.count
    bytes.append(contentsOf: key.bytes)
    for place in start..<bytes.count where bytes[place] == 0 {
      bytes[place] = UInt8(ascii: "/")
    }
    endQuoted(from: start)
  }

  /// Writes a parsed value as it was, but for space and escapes.
  package mutating func raw(_ node: JSONNode) {
    switch node.value {
    case .null: null()
    case .bool(let flag): bool(flag)
    case .number(let text):
      beginValue()
      bytes.append(contentsOf: text.utf8)
    case .string(let text): string(text)
    case .array(let nodes):
      array { writer in
        for node in nodes { writer.raw(node) }
      }
    case .object(let members):
      object { writer in
        for member in members {
          writer.key(member.key)
          writer.raw(member.node)
        }
      }
    }
  }

  /// Ends the line, between documents (`dtm watch`: one object a line) or after the last one.
  package mutating func endLine() {
    precondition(depth == 0, "a line ends between documents")
    bytes.append(UInt8(ascii: "\n"))
    hasElement = false
  }

  // MARK: - Text

  private mutating func beginValue() {
    if isAfterKey {
      isAfterKey = false
    } else {
      separate()
    }
  }

  private mutating func separate() {
    if depth == 0 { return }
    if hasElement { bytes.append(UInt8(ascii: ",")) }
    if pretty { indent() }
    hasElement = true
  }

  private mutating func indent() {
    bytes.append(UInt8(ascii: "\n"))
    for _ in 0..<depth {
      bytes.append(UInt8(ascii: " "))
      bytes.append(UInt8(ascii: " "))
    }
  }

  private mutating func quoted(_ text: String) {
    bytes.append(UInt8(ascii: "\""))
    let start = bytes.count
    bytes.append(contentsOf: text.utf8)
    endQuoted(from: start)
  }

  /// Escapes what has been written from `start` on, where something needs it, and ends the string.
  ///
  /// Nearly no text needs it: copying first and looking afterwards is the fast way.
  private mutating func endQuoted(from start: Int) {
    var place = start
    while place < bytes.count && !Self.needsEscape(bytes[place]) { place += 1 }
    if place < bytes.count {
      let rest = Array(bytes[place...])
      bytes.removeSubrange(place...)
      for byte in rest { escaped(byte) }
    }
    bytes.append(UInt8(ascii: "\""))
  }

  private static func needsEscape(_ byte: UInt8) -> Bool {
    byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
  }

  private mutating func escaped(_ byte: UInt8) {
    if !Self.needsEscape(byte) {
      bytes.append(byte)
      return
    }
    bytes.append(UInt8(ascii: "\\"))
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes.append(byte)
    case 0x08: bytes.append(UInt8(ascii: "b"))
    case 0x09: bytes.append(UInt8(ascii: "t"))
    case 0x0a: bytes.append(UInt8(ascii: "n"))
    case 0x0c: bytes.append(UInt8(ascii: "f"))
    case 0x0d: bytes.append(UInt8(ascii: "r"))
    default:
      bytes.append(contentsOf: "u00".utf8)
      bytes.append(contentsOf: Quoting.hex(byte).utf8)
    }
  }

  private mutating func digits(_ magnitude: UInt, negative: Bool) {
    if negative { bytes.append(UInt8(ascii: "-")) }
    let start = bytes.count
    var rest = magnitude
    repeat {
      bytes.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10))
      rest /= 10
    } while rest > 0
    bytes[start...].reverse()
  }
}
