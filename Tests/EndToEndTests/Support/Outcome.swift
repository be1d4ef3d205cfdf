import DTMSystem
import Testing

/// What a program left when it ended.
struct Outcome {
  let command: String
  /// The exit status; 128 + n for signal n, as a shell says it.
  let status: Int32
  let output: [UInt8]
  let errors: [UInt8]

  var text: String { String(decoding: output, as: UTF8.self) }
  var errorText: String { String(decoding: errors, as: UTF8.self) }

  /// The one JSON document on standard output.
  func json() throws -> JSONNode {
    do {
      return try JSONNode(parsing: output)
    } catch {
      Issue.record("\(command): no JSON: \(error.message): \(text) \(errorText)")
      throw error
    }
  }

  /// The `error` object that `--json` puts on standard error.
  func jsonError() throws -> JSONNode {
    let node = try JSONNode(parsing: errors)
    return try #require(node["error"], "\(command): \(errorText)")
  }
}

extension JSONNode {
  /// The keys of an object, sorted.
  var keys: [String] { (members ?? []).map(\.key).sorted() }

  /// The id of a snapshot in JSON: 64 hex digits.
  func id(_ key: String = "id") throws -> String {
    let text = try #require(self[key]?.string, "no \(key) in \(keys)")
    let isHex =
      text.utf8.count == 64 && text.utf8.allSatisfy { "0123456789abcdef".utf8.contains($0) }
    try #require(isHex, "\(key) is no id: \(text)")
    return text
  }

  /// The elements of an array member.
  func elements(_ key: String) throws -> [JSONNode] {
    try #require(self[key]?.array, "no array \(key) in \(keys)")
  }
}
