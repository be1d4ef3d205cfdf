/// One line of a `.dtmignore` file: gitignore(5) syntax, on bytes.
package struct IgnorePattern: Sendable, Hashable {
  private enum Form: Hashable {
    /// The last component is this, byte for byte.
    case name
    /// The last component ends so (`*.tmp`, without the star).
    case suffix
    /// A glob for the last component.
    case nameGlob
    /// A glob for the whole path beneath the directory of the file.
    case path
  }

  /// Whether it takes back what an earlier pattern ignored (`!`).
  package let isNegated: Bool
  private let needsDirectory: Bool
  private let form: Form
  /// The name, suffix or glob.
  private let bytes: [UInt8]
  /// How many bytes at the beginning hold nothing special.
  private let literalLength: Int

  /// Nil for a comment and an empty line. The line has no line feed; a carriage return at its end
  /// and trailing blanks that are not escaped do not count.
  package init?(line: [UInt8]) {
    var text = line[...]
    if let end = text.firstIndex(of: 0) { text = text[..<end] }
    if text.last == UInt8(ascii: "\r") { text.removeLast() }
    if text.first == UInt8(ascii: "#") { return nil }
    text = Self.trimmingBlanks(text)
    var isNegated = false
    if text.first == UInt8(ascii: "!") {
      isNegated = true
      text.removeFirst()
    }
    let slash = UInt8(ascii: "/")
    var needsDirectory = false
    if text.last == slash {
      needsDirectory = true
      text.removeLast()
    }
    if text.isEmpty { return nil }
    self.isNegated = isNegated
    self.needsDirectory = needsDirectory
    if text.contains(slash) {
      form = .path
      if text.first == slash { text.removeFirst() }
      bytes = Array(text)
    } else if !text.contains(where: Wildcard.isSpecial) {
      form = .name
      bytes = Array(text)
    } else if text.first == UInt8(ascii: "*"),
      !text.dropFirst().contains(where: Wildcard.isSpecial)
    {
      form = .suffix
      bytes = Array(text.dropFirst())
    } else {
      form = .nameGlob
      bytes = Array(text)
    }
    literalLength = bytes.firstIndex(where: Wildcard.isSpecial) ?? bytes.count
  }

  /// The patterns of a file, in order; a byte order mark at its beginning is left out.
  package static func parse(_ file: [UInt8]) -> [IgnorePattern] {
    let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
    let text = file.starts(with: mark) ? file[3...] : file[...]
    return text.split(separator: UInt8(ascii: "\n")).compactMap { IgnorePattern(line: Array($0)) }
  }

  /// Whether it speaks of a path.
  ///
  /// `path`: beneath the directory of the pattern's file, `/` between components; `nameStart`:
  /// where its last component begins.
  package func matches(path: [UInt8], nameStart: Int, isDirectory: Bool) -> Bool {
    if needsDirectory && !isDirectory { return false }
    switch form {
    case .name:
      return path.count - nameStart == bytes.count && path[nameStart...].elementsEqual(bytes)
    case .suffix:
      return path.count - nameStart >= bytes.count
        && path[(path.count - bytes.count)...].elementsEqual(bytes)
    case .nameGlob:
      return Wildcard.matches(bytes[...], Array(path[nameStart...]), isPath: false)
    case .path:
      guard path.count >= literalLength,
        path[..<literalLength].elementsEqual(bytes[..<literalLength])
      else { return false }
      if literalLength == bytes.count { return path.count == literalLength }
      return Wildcard.matches(bytes[literalLength...], Array(path[literalLength...]), isPath: true)
    }
  }

  /// As git's trim_trailing_spaces: blanks at the end go, but for one after a backslash.
  private static func trimmingBlanks(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    var firstBlank: Int?
    var index = text.startIndex
    while index < text.endIndex {
      switch text[index] {
      case UInt8(ascii: " "):
        if firstBlank == nil { firstBlank = index }
      case UInt8(ascii: "\\"):
        index += 1
        if index == text.endIndex { return text }
        firstBlank = nil
      default:
        firstBlank = nil
      }
      index += 1
    }
    return firstBlank.map { text[..<$0] } ?? text
  }
}
