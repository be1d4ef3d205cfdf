internal import DTMSystem
internal import SystemPackage

/// Arguments as strings from which their bytes can be had back.
///
/// Names are bytes, the parser takes strings. A byte that is not part of well-formed UTF-8 stands as
/// the character U+10FF00 + byte (private use, plane 16), and so do the bytes of a character of that
/// range itself: different bytes never give the same string.
package enum RawArguments {
  private static let base: UInt32 = 0x10_FF00

  /// What follows the program's name.
  static var ofProcess: [String] {
    let usual = Array(CommandLine.arguments.dropFirst())
    // Repaired, or of the private range: look at the bytes.
    let isPlain = usual.allSatisfy { text in
      !text.unicodeScalars.contains { $0 == "\u{FFFD}" || $0.value >= base }
    }
    if isPlain { return usual }
    guard let file = try? Descriptor.open("/proc/self/cmdline", .readOnly),
      let bytes = try? file.readToEnd(limit: 8 << 20)
    else { return usual }
    var words = bytes.split(separator: 0, omittingEmptySubsequences: false).map(Array.init)
    // Each argument ends with a NUL.
    if words.last?.isEmpty == true { words.removeLast() }
    return words.dropFirst().map(string(of:))
  }

  /// The string of an argument's bytes.
  package static func string(of bytes: [UInt8]) -> String {
    if bytes.isValidUTF8 {
      let text = String(decoding: bytes, as: UTF8.self)
      if !text.unicodeScalars.contains(where: { $0.value >= base }) { return text }
    }
    var result = String.UnicodeScalarView()
    var rest = bytes[...]
    while let first = rest.first {
      if let scalar = leadingScalar(rest), scalar.value < base {
        result.append(scalar)
        rest = rest.dropFirst(UTF8.width(scalar))
      } else if let scalar = Unicode.Scalar(base + UInt32(first)) {
        result.append(scalar)
        rest = rest.dropFirst()
      }
    }
    return String(result)
  }

  /// The bytes of an argument.
  package static func bytes(of text: String) -> [UInt8] {
    var result: [UInt8] = []
    for scalar in text.unicodeScalars {
      if scalar.value >= base, scalar.value - base <= 0xFF {
        result.append(UInt8(scalar.value - base))
      } else {
        result += Array(String(scalar).utf8)
      }
    }
    return result
  }

  private static func leadingScalar(_ bytes: ArraySlice<UInt8>) -> Unicode.Scalar? {
    for length in 1...4 where bytes.count >= length {
      let part = Array(bytes.prefix(length))
      if part.isValidUTF8 { return String(decoding: part, as: UTF8.self).unicodeScalars.first }
    }
    return nil
  }
}
