internal import DTMSystem

/// The id of an object: a SHA-256, kept as four big-endian words so that comparing words compares bytes.
package struct ObjectID: Hashable, Comparable, Sendable {
  /// The id's bytes 0 … 7, 8 … 15, 16 … 23, 24 … 31, most significant first.
  package let words: (UInt64, UInt64, UInt64, UInt64)

  /// Bytes of an id.
  package static let length = 32

  /// `words`: the 32 bytes as four big-endian numbers, so that they sort as the bytes do.
  package init(words: (UInt64, UInt64, UInt64, UInt64)) {
    self.words = words
  }

  /// The id in the 32 bytes of a span from an offset on, which have to be in bounds.
  package init(_ span: Span<UInt8>, at offset: Int) {
    func word(_ place: Int) -> UInt64 {
      span.littleEndianWord(at: offset + 8 * place).byteSwapped
    }
    words = (word(0), word(1), word(2), word(3))
  }

  /// The id in 32 bytes; nil for any other number of bytes.
  package init?(_ bytes: some RandomAccessCollection<UInt8>) {
    guard bytes.count == Self.length else { return nil }
    var words: [UInt64] = [0, 0, 0, 0]
    var position = 0
    for byte in bytes {
      words[position / 8] = words[position / 8] << 8 | UInt64(byte)
      position += 1
    }
    self.init(words: (words[0], words[1], words[2], words[3]))
  }

  /// The id of 64 hex digits, either case; nil for anything else.
  package init?(hex: String) {
    guard let bytes = Hex.bytes(hex) else { return nil }
    self.init(bytes)
  }

  /// The 32 bytes.
  package var bytes: [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(Self.length)
    append(to: &result)
    return result
  }

  /// Appends the 32 bytes.
  package func append(to bytes: inout [UInt8]) {
    for word in [words.0, words.1, words.2, words.3] {
      for shift in stride(from: 56, through: 0, by: -8) {
        bytes.append(UInt8(truncatingIfNeeded: word >> UInt64(shift)))
      }
    }
  }

  /// 64 lower-case hex digits.
  package var hex: String { Hex.string(bytes) }

  /// The first eight digits, for people.
  package var short: String { String(hex.prefix(8)) }

  package static func == (left: ObjectID, right: ObjectID) -> Bool {
    left.words.0 == right.words.0 && left.words.1 == right.words.1
      && left.words.2 == right.words.2 && left.words.3 == right.words.3
  }

  package static func < (left: ObjectID, right: ObjectID) -> Bool {
    left.words < right.words
  }

  /// An id is uniform already: its first word is hash enough.
  package func hash(into hasher: inout Hasher) {
    hasher.combine(words.0)
  }
}

extension ObjectID: CustomStringConvertible {
  package var description: String { hex }
}

/// What an object is; the numbers stand in frames (format: Objects).
package enum ObjectKind: UInt8, Sendable {
  case chunk = 1
  case list = 2
  case page = 3
  case snapshot = 4
}

/// An object's full name: a chunk of hostile content may have the id of a list (format: Objects).
struct ObjectName: Hashable {
  let id: ObjectID
  let kind: ObjectKind

  func hash(into hasher: inout Hasher) {
    hasher.combine(id)
  }
}

/// Lower-case hexadecimal text.
package enum Hex {
  private static let digits = Array("0123456789abcdef".utf8)

  /// Two lower-case digits a byte.
  package static func string(_ bytes: some Sequence<UInt8>) -> String {
    var text: [UInt8] = []
    for byte in bytes {
      text.append(digits[Int(byte >> 4)])
      text.append(digits[Int(byte & 15)])
    }
    return String(decoding: text, as: UTF8.self)
  }

  /// The bytes of an even number of hex digits, either case; nil for anything else.
  package static func bytes(_ text: String) -> [UInt8]? {
    var result: [UInt8] = []
    var high: UInt8?
    for character in text.utf8 {
      guard let digit = value(character) else { return nil }
      if let first = high {
        result.append(first << 4 | digit)
        high = nil
      } else {
        high = digit
      }
    }
    return high == nil ? result : nil
  }

  private static func value(_ character: UInt8) -> UInt8? {
    switch character {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): character - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): character - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): character - UInt8(ascii: "A") + 10
    default: nil
    }
  }
}
