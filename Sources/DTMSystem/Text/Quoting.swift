/// How names, which are bytes, are shown to people.
package enum Quoting {
  /// The bytes as text: UTF-8 as it is; other bytes, control characters and the invisible ones that
  /// reorder or break a line as `\xff`, `\n`, `\t`, `\r`; a backslash as `\\`.
  ///
  /// Different bytes never give the same text, and nothing in it acts on a terminal.
  package static func path(_ bytes: [UInt8]) -> String {
    if !bytes.contains(where: { $0 < 0x20 || $0 >= 0x7f || $0 == UInt8(ascii: "\\") }) {
      return String(decoding: bytes, as: UTF8.self)
    }
    var result = ""
    var rest = bytes[...]
    while !rest.isEmpty {
      guard let length = sequenceLength(rest),
        let scalar = String(decoding: rest.prefix(length), as: UTF8.self).unicodeScalars.first
      else {
        result += "\\x" + hex(rest.removeFirst())
        continue
      }
      switch scalar {
      case "\n": result += "\\n"
      case "\t": result += "\\t"
      case "\r": result += "\\r"
      case "\\": result += "\\\\"
      case _ where isHarmful(scalar):
        for byte in rest.prefix(length) { result += "\\x" + hex(byte) }
      default: result.unicodeScalars.append(scalar)
      }
      rest.removeFirst(length)
    }
    return result
  }

  /// The bytes as one word of a POSIX shell's command line, or of bash's where control characters are in
  /// it: what a command line that is shown says, to be copied and run.
  package static func shell(_ bytes: [UInt8]) -> String {
    let plain = Array("/._-+,:@%=".utf8)
    let isPlain = bytes.allSatisfy { byte in
      (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
        || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) || plain.contains(byte)
    }
    if isPlain, !bytes.isEmpty { return String(decoding: bytes, as: UTF8.self) }
    let text = path(bytes)
    // Text that is shown otherwise than it is has escapes, which only `$'…'` takes back.
    if !text.utf8.elementsEqual(bytes) { return "$'\(quotes(in: text, as: "\\'"))'" }
    return "'\(quotes(in: text, as: "'\\''"))'"
  }

  /// By bytes: a quote and a combining mark behind it are one character.
  private static func quotes(in text: String, as other: String) -> String {
    let parts = text.utf8.split(separator: UInt8(ascii: "'"), omittingEmptySubsequences: false)
    return String(decoding: Array(parts.joined(separator: other.utf8)), as: UTF8.self)
  }

  /// A path beneath a folder, with `/` between its components; `.` for the folder itself.
  package static func path(_ key: PathKey) -> String { key.isRoot ? "." : path(key.path) }

  /// Two hexadecimal digits.
  package static func hex(_ byte: UInt8) -> String {
    let digits = Array("0123456789abcdef".utf8)
    return String(decoding: [digits[Int(byte >> 4)], digits[Int(byte & 15)]], as: UTF8.self)
  }

  /// Control characters (C0, DEL, C1), line and paragraph separators, and the marks that turn the
  /// direction of text.
  private static func isHarmful(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0..<0x20, 0x7f..<0xa0, 0x61c, 0x200e, 0x200f, 0x2028...0x202e, 0x2066...0x2069, 0xfeff:
      true
    default: false
    }
  }

  /// The length of the UTF-8 sequence at the start, or nil where there is none.
  private static func sequenceLength(_ bytes: ArraySlice<UInt8>) -> Int? {
    guard let first = bytes.first else { return nil }
    let length: Int
    switch first {
    case 0..<0x80: return 1
    case 0xc2..<0xe0: length = 2
    case 0xe0..<0xf0: length = 3
    case 0xf0..<0xf5: length = 4
    default: return nil
    }
    guard bytes.count >= length, Array(bytes.prefix(length)).isValidUTF8 else { return nil }
    return length
  }
}

extension [UInt8] {
  /// Whether these bytes are well-formed UTF-8.
  package var isValidUTF8: Bool {
    do throws(UTF8.ValidationError) {
      _ = try UTF8Span(validating: span)
      return true
    } catch {
      return false
    }
  }
}
