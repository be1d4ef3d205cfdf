import DTMSystem
import Testing

/// An interface in Varlink's language (varlink.org), as far as this project's goes, and whether values
/// are what it says.
struct InterfaceChecker {
  indirect enum Form {
    case bool, int, float, string, object
    case named(String)
    case optional(Form)
    case array(Form)
    case dictionary(Form)
    case structure([(name: String, form: Form)])
  }

  struct Method {
    let input: Form
    let output: Form
  }

  private(set) var methods: [String: Method] = [:]
  private var types: [String: Form] = [:]
  private var tokens: ArraySlice<Substring>

  struct Malformed: Error {
    let token: String
  }

  init(_ description: String) throws {
    let lines = description.split(separator: "\n").map { $0.prefix { $0 != "#" } }
    var words: [Substring] = []
    for line in lines {
      var rest = line[...]
      while let first = rest.first {
        if first.isLetter {
          let word = rest.prefix { $0.isLetter || $0.isNumber || $0 == "." }
          words.append(word)
          rest = rest.dropFirst(word.count)
        } else {
          if !first.isWhitespace { words.append(rest.prefix(1)) }
          rest = rest.dropFirst()
        }
      }
    }
    tokens = words[...]
    try take("interface")
    tokens = tokens.dropFirst()
    while let keyword = tokens.popFirst() {
      guard let name = tokens.popFirst() else { throw Malformed(token: String(keyword)) }
      switch keyword {
      case "type": types[String(name)] = try structure()
      case "error": _ = try structure()
      case "method":
        let input = try structure()
        try take("-")
        try take(">")
        methods[String(name)] = Method(input: input, output: try structure())
      default: throw Malformed(token: String(keyword))
      }
    }
  }

  private mutating func take(_ wanted: String) throws {
    guard let token = tokens.popFirst(), token == wanted else {
      throw Malformed(token: String(tokens.first ?? "end"))
    }
  }

  private mutating func structure() throws -> Form {
    try take("(")
    var members: [(name: String, form: Form)] = []
    while let name = tokens.popFirst(), name != ")" {
      if name == "," { continue }
      try take(":")
      members.append((String(name), try form()))
    }
    return .structure(members)
  }

  private mutating func form() throws -> Form {
    guard let token = tokens.popFirst() else { throw Malformed(token: "end") }
    switch token {
    case "bool": return .bool
    case "int": return .int
    case "float": return .float
    case "string": return .string
    case "object": return .object
    case "?": return .optional(try form())
    case "[":
      if tokens.first == "]" {
        try take("]")
        return .array(try form())
      }
      try take("string")
      try take("]")
      return .dictionary(try form())
    default: return .named(String(token))
    }
  }

  /// What of a value is not as the form says; empty where all is.
  func differences(_ value: JSONNode, _ form: Form, at place: String) -> [String] {
    switch form {
    case .bool: value.bool == nil ? [place] : []
    case .int: value.int == nil ? [place] : []
    case .float: value.double == nil ? [place] : []
    case .string: value.string == nil ? [place] : []
    case .object: value.members == nil ? [place] : []
    case .optional(let form): value.isNull ? [] : differences(value, form, at: place)
    case .named(let name):
      types[name].map { differences(value, $0, at: place) } ?? ["\(place): no type \(name)"]
    case .array(let form):
      value.array?.flatMap { differences($0, form, at: place + "[]") } ?? [place]
    case .dictionary(let form):
      value.members?.flatMap { differences($0.node, form, at: "\(place).\($0.key)") } ?? [place]
    case .structure(let members): self.members(value, members, at: place)
    }
  }

  private func members(
    _ value: JSONNode, _ wanted: [(name: String, form: Form)], at place: String
  ) -> [String] {
    guard let found = value.members else { return [place] }
    let strangers = found.filter { member in !wanted.contains { $0.name == member.key } }
    return strangers.map { "\(place).\($0.key) is not in the interface" }
      + wanted.flatMap { member -> [String] in
        guard let node = value[member.name] else {
          if case .optional = member.form { return [] }
          return ["\(place).\(member.name) is missing"]
        }
        return differences(node, member.form, at: "\(place).\(member.name)")
      }
  }
}
