/// A member of an object in one call: key and value.
extension JSONWriter {
  /// Nil is written as `null`.
  package mutating func field(_ name: String, _ value: String?) {
    key(name)
    if let value { string(value) } else { null() }
  }

  /// Nil is written as `null`.
  package mutating func field(_ name: String, _ value: Int?) {
    key(name)
    if let value { number(value) } else { null() }
  }

  /// Nil is written as `null`.
  package mutating func field(_ name: String, _ value: UInt64?) {
    key(name)
    if let value { number(value) } else { null() }
  }

  /// Nil is written as `null`.
  package mutating func field(_ name: String, _ value: Bool?) {
    key(name)
    if let value { bool(value) } else { null() }
  }

  /// Nil, and what is not finite, is written as `null`.
  package mutating func field(_ name: String, _ value: Double?) {
    key(name)
    if let value { number(value) } else { null() }
  }

  /// Nil is written as `null`.
  package mutating func field(_ name: String, path: PathKey?) {
    key(name)
    if let path { self.path(path) } else { null() }
  }

  /// A member whose value is an array of strings.
  package mutating func field(_ name: String, strings: [String]) {
    key(name)
    array { writer in
      for text in strings { writer.string(text) }
    }
  }

  /// A member whose value is an array of paths.
  package mutating func field(_ name: String, paths: [PathKey]) {
    key(name)
    array { writer in
      for path in paths { writer.path(path) }
    }
  }

  /// A member whose value is an object.
  package mutating func object(
    _ name: String, _ body: (inout JSONWriter) throws -> Void
  ) rethrows {
    key(name)
    try object(body)
  }

  /// A member whose value is an array.
  package mutating func array(
    _ name: String, _ body: (inout JSONWriter) throws -> Void
  ) rethrows {
    key(name)
    try array(body)
  }
}
