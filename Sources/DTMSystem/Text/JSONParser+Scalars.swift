/// Numbers, strings and the three words.
extension JSONParser {
  mutating func word(_ expected: StaticString) throws(JSONSyntaxError) {
    let text = expected.description.utf8
    var end = index
    for byte in text {
      guard end < bytes.count, bytes[end] == byte else {
        throw error("a value is expected here (true, false and null are written in small letters)")
      }
      end += 1
    }
    if end < bytes.count, Self.continuesWord(bytes[end]) {
      throw error("a value is expected here (true, false and null are written in small letters)")
    }
    index = end
  }

  private static func continuesWord(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
      true
    default: false
    }
  }

  mutating func number() throws(JSONSyntaxError) -> String {
    let start = index
    _ = take(UInt8(ascii: "-"))
    if take(UInt8(ascii: "0")) {
      if let byte = peek, Self.isDigit(byte) { throw error("a number has no leading zeros") }
    } else if !digits() {
      throw index < bytes.count ? error("a digit is expected here") : ended("a digit")
    }
    if take(UInt8(ascii: ".")), !digits() {
      throw index < bytes.count
        ? error("a digit is expected after the decimal point") : ended("a digit")
    }
    if let byte = peek, byte | 0x20 == UInt8(ascii: "e") {
      index += 1
      if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
      if !digits() {
        throw index < bytes.count ? error("a digit is expected in the exponent") : ended("a digit")
      }
    }
    if let byte = peek, Self.continuesWord(byte) || byte == UInt8(ascii: ".") {
      throw error("this can't stand in a number")
    }
    return String(decoding: bytes[start..<index], as: UTF8.self)
  }

  /// Skips digits; false where there are none.
  private mutating func digits() -> Bool {
    let start = index
    while let byte = peek, Self.isDigit(byte) { index += 1 }
    return index > start
  }

  private static func isDigit(_ byte: UInt8) -> Bool {
    byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")
  }

  mutating func string() throws(JSONSyntaxError) -> String {
    index += 1
    let start = index
    skipPlain()
    let end = index
    if peek == UInt8(ascii: "\"") {
      index += 1
      return String(decoding: bytes[start..<end], as: UTF8.self)
    }
    var text = Array(bytes[start..<end])
    while true {
      guard let byte = peek else { throw ended("the closing quote of a string") }
      switch byte {
      case UInt8(ascii: "\""):
        index += 1
        return String(decoding: text, as: UTF8.self)
      case UInt8(ascii: "\\"):
        try escape(into: &text)
      case 0..<0x20:
        throw error(
          byte == UInt8(ascii: "\n")
            ? "a string ends on its line (write \\n for a line break)"
            : "a control character in a string is written as \\u00XX")
      default:
        text.append(byte)
        index += 1
      }
    }
  }

  /// Moves past bytes that stand for themselves in a string.
  private mutating func skipPlain() {
    var place = index
    let end = bytes.count
    while place < end {
      let byte = bytes[place]
      if byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { break }
      place += 1
    }
    index = place
  }

  private mutating func escape(into text: inout [UInt8]) throws(JSONSyntaxError) {
    guard index + 1 < bytes.count else { throw ended("an escape sequence", at: bytes.count) }
    let plain: UInt8
    switch bytes[index + 1] {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): plain = bytes[index + 1]
    case UInt8(ascii: "b"): plain = 0x08
    case UInt8(ascii: "f"): plain = 0x0c
    case UInt8(ascii: "n"): plain = 0x0a
    case UInt8(ascii: "r"): plain = 0x0d
    case UInt8(ascii: "t"): plain = 0x09
    case UInt8(ascii: "u"): return try unicodeEscape(into: &text)
    default: throw error("there is no such escape sequence")
    }
    text.append(plain)
    index += 2
  }

  private mutating func unicodeEscape(into text: inout [UInt8]) throws(JSONSyntaxError) {
    let unit = try hexUnit(at: index)
    var code = UInt32(unit)
    var length = 6
    if unit & 0xfc00 == 0xd800 {
      if index + 6 >= bytes.count {
        throw ended("the second half of a surrogate pair", at: bytes.count)
      }
      guard bytes[index + 6] == UInt8(ascii: "\\"),
        index + 7 >= bytes.count || bytes[index + 7] == UInt8(ascii: "u")
      else { throw error("half a surrogate pair is no character") }
      let second = try hexUnit(at: index + 6)
      guard second & 0xfc00 == 0xdc00 else { throw error("half a surrogate pair is no character") }
      code = 0x10000 + (UInt32(unit & 0x3ff) << 10 | UInt32(second & 0x3ff))
      length = 12
    }
    guard let scalar = Unicode.Scalar(code) else {
      throw error("half a surrogate pair is no character")
    }
    text.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
    index += length
  }

  /// The 16 bits of the `\uXXXX` that starts at `start`.
  private func hexUnit(at start: Int) throws(JSONSyntaxError) -> UInt16 {
    var unit: UInt16 = 0
    for place in (start + 2)..<(start + 6) {
      guard place < bytes.count else { throw ended("an escape sequence", at: bytes.count) }
      let digit: UInt8
      switch bytes[place] {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = bytes[place] - UInt8(ascii: "0")
      case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = bytes[place] - UInt8(ascii: "a") + 10
      case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = bytes[place] - UInt8(ascii: "A") + 10
      default: throw error("four hexadecimal digits are expected after \\u", at: place)
      }
      unit = unit << 4 | UInt16(digit)
    }
    return unit
  }
}
