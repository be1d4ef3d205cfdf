internal import DTMSystem

/// A member of a message that is missing or of another type than the interface says.
struct FieldError: Error {
  let name: String
}

/// Reads the members of a message's object by name and type.
struct MessageFields {
  private let node: JSONNode

  init(_ node: JSONNode) throws(FieldError) {
    if node.members == nil { throw FieldError(name: "parameters") }
    self.node = node
  }

  /// Throws for a member that the interface does not have.
  func allow(_ names: String...) throws(FieldError) {
    for member in node.members ?? [] where !names.contains(member.key) {
      throw FieldError(name: member.key)
    }
  }

  func string(_ name: String) throws(FieldError) -> String {
    try required(name) { $0.string }
  }

  func int(_ name: String) throws(FieldError) -> Int {
    try required(name) { $0.int }
  }

  func double(_ name: String) throws(FieldError) -> Double {
    try required(name) { $0.double }
  }

  func bool(_ name: String) throws(FieldError) -> Bool {
    try required(name) { $0.bool }
  }

  func strings(_ name: String) throws(FieldError) -> [String] {
    try list(name).map { node throws(FieldError) in
      guard let text = node.string else { throw FieldError(name: name) }
      return text
    }
  }

  func list(_ name: String) throws(FieldError) -> [JSONNode] {
    try required(name) { $0.array }
  }

  func object(_ name: String) throws(FieldError) -> MessageFields {
    guard let node = self.node[name] else { throw FieldError(name: name) }
    return try MessageFields(node)
  }

  /// A `[string]string`; nil where it is not there.
  func optionalDictionary(_ name: String) throws(FieldError) -> [String: String]? {
    guard let node = present(name) else { return nil }
    guard let members = node.members else { throw FieldError(name: name) }
    var result: [String: String] = [:]
    for member in members {
      guard let text = member.node.string else { throw FieldError(name: name) }
      result[member.key] = text
    }
    return result
  }

  func optionalString(_ name: String) throws(FieldError) -> String? {
    try optional(name) { $0.string }
  }

  func optionalInt(_ name: String) throws(FieldError) -> Int? {
    try optional(name) { $0.int }
  }

  func optionalTime(_ name: String) throws(FieldError) -> Timestamp? {
    try optional(name) { $0.string.flatMap { Timestamp(rfc3339: $0) } }
  }

  func optionalStrings(_ name: String) throws(FieldError) -> [String]? {
    present(name) == nil ? nil : try strings(name)
  }

  func optionalDouble(_ name: String) throws(FieldError) -> Double? {
    try optional(name) { $0.double }
  }

  func optionalBool(_ name: String) throws(FieldError) -> Bool? {
    try optional(name) { $0.bool }
  }

  func optionalObject(_ name: String) throws(FieldError) -> MessageFields? {
    guard let node = present(name) else { return nil }
    return try MessageFields(node)
  }

  /// A word of an enumeration.
  func word<Word: RawRepresentable<String>>(
    _ name: String, _ type: Word.Type
  ) throws(FieldError) -> Word {
    guard let word = Word(rawValue: try string(name)) else { throw FieldError(name: name) }
    return word
  }

  func optionalWord<Word: RawRepresentable<String>>(
    _ name: String, _ type: Word.Type
  ) throws(FieldError) -> Word? {
    present(name) == nil ? nil : try word(name, type)
  }

  private func present(_ name: String) -> JSONNode? {
    guard let node = node[name], !node.isNull else { return nil }
    return node
  }

  private func required<Value>(
    _ name: String, _ value: (JSONNode) -> Value?
  ) throws(FieldError) -> Value {
    guard let node = node[name], let value = value(node) else { throw FieldError(name: name) }
    return value
  }

  private func optional<Value>(
    _ name: String, _ value: (JSONNode) -> Value?
  ) throws(FieldError) -> Value? {
    guard let node = present(name) else { return nil }
    guard let value = value(node) else { throw FieldError(name: name) }
    return value
  }
}
