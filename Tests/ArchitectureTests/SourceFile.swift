/// One Swift source as the rules see it.
struct SourceFile {
  /// Relative to the package, with `/`: `Sources/DTMSystem/Files/PathKey.swift`.
  let path: String
  /// The lines as they stand, without their ends.
  let lines: [String]
  /// The lines with comments and the text of string literals blanked out; what stands in an
  /// interpolation stays, for it is code.
  let code: [String]

  init(path: String, text: String) {
    self.path = path
    lines = Self.lines(of: Array(text.utf8))
    code = Self.lines(of: SourceMask.blankingTextAndComments(in: Array(text.utf8)))
  }

  /// The target the file belongs to: the folder right beneath `Sources`.
  var module: String {
    let parts = path.split(separator: "/")
    return parts.count > 1 ? String(parts[1]) : ""
  }

  /// Whether a line (from 0) holds a comment and nothing else.
  func isComment(_ index: Int) -> Bool {
    guard lines.indices.contains(index) else { return false }
    return !lines[index].isBlank && code[index].isBlank
  }

  private static func lines(of bytes: [UInt8]) -> [String] {
    var parts = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    if parts.last?.isEmpty == true { parts.removeLast() }
    return parts.map { String(decoding: $0, as: UTF8.self) }
  }
}

extension String {
  /// No character but spaces and tabs.
  var isBlank: Bool { utf8.allSatisfy { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") } }
}
