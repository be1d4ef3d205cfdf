/// A JSON value with the place where it stands in its document.
///
/// Line and column count from 1; a column is in bytes, as compilers and editors count it. Numbers
/// keep their text, so that nothing is lost between reading and writing.
package struct JSONNode: Sendable {
  /// Arrays and objects nested deeper are refused: the parser recurses once a level.
  package static let maximumDepth = 64

  /// What stands there.
  package let value: JSONValue
  /// From 1.
  package let line: Int
  /// In bytes, from 1.
  package let column: Int

  /// A value that was not parsed; its place is 1:1 unless one is given.
  package init(value: JSONValue, line: Int = 1, column: Int = 1) {
    self.value = value
    self.line = line
    self.column = column
  }

  /// Reads one document: RFC 8259 with UTF-8 checked, duplicate keys and unpaired surrogates
  /// refused, containers nested at most `maximumDepth` deep.
  ///
  /// Throws the first error in the document, with its place. Cost: one pass over the bytes.
  package init(parsing bytes: [UInt8]) throws(JSONSyntaxError) {
    var parser = JSONParser(bytes)
    self = try parser.document()
  }

  /// The member of an object with this key, compared byte by byte; nil where this is no object or
  /// has no such member.
  package subscript(_ key: String) -> JSONNode? {
    members?.first { $0.key.utf8.elementsEqual(key.utf8) }?.node
  }

  /// The text of a string; nil for any other.
  package var string: String? {
    if case .string(let text) = value { text } else { nil }
  }

  /// The value of true or false; nil for any other.
  package var bool: Bool? {
    if case .bool(let flag) = value { flag } else { nil }
  }

  /// A number without fraction and exponent that fits; nil for any other.
  package var int: Int? {
    if case .number(let text) = value { Int(text) } else { nil }
  }

  /// The nearest `Double` of a number; nil where it is beyond the finite ones.
  package var double: Double? {
    guard case .number(let text) = value, let number = Double(text), number.isFinite else {
      return nil
    }
    return number
  }

  /// The elements of an array, in the document's order; nil for any other.
  package var array: [JSONNode]? {
    if case .array(let nodes) = value { nodes } else { nil }
  }

  /// The members of an object, in the document's order.
  package var members: [JSONMember]? {
    if case .object(let members) = value { members } else { nil }
  }

  /// Whether this is null; an absent member is no node at all.
  package var isNull: Bool {
    if case .null = value { true } else { false }
  }

  /// A path as `JSONWriter.path` writes it: a string, or `{"base64": …}`; nil for anything else.
  package var pathKey: PathKey? {
    if let string { return PathKey(string) }
    guard let members, members.count == 1, let text = self["base64"]?.string,
      let bytes = Base64.decode(Array(text.utf8))
    else { return nil }
    return PathKey(path: bytes)
  }
}

/// What a JSON value is.
package indirect enum JSONValue: Sendable {
  case null
  case bool(Bool)
  /// The number's text as the document has it.
  case number(String)
  case string(String)
  case array([JSONNode])
  case object([JSONMember])
}

/// One member of a JSON object; line and column are those of the key.
package struct JSONMember: Sendable {
  /// With its escapes resolved.
  package let key: String
  /// Of the key, from 1.
  package let line: Int
  /// Of the key, in bytes, from 1.
  package let column: Int
  /// The value.
  package let node: JSONNode

  package init(key: String, node: JSONNode, line: Int = 1, column: Int = 1) {
    self.key = key
    self.node = node
    self.line = line
    self.column = column
  }
}

/// Why a document is not JSON, and where.
package struct JSONSyntaxError: Error, Sendable, Equatable, CustomStringConvertible {
  /// A phrase without a full stop, such as "a comma or } is missing".
  package let message: String
  /// From 1.
  package let line: Int
  /// In bytes, from 1.
  package let column: Int

  package init(message: String, line: Int, column: Int) {
    self.message = message
    self.line = line
    self.column = column
  }

  package var description: String { "\(line):\(column): \(message)" }
}
