internal import DTMSystem

/// A uuid of the format: a pack's, a repository's or a folder's. 16 random bytes.
package struct PackID: Hashable, Comparable, Sendable {
  // A repository of a terabyte has tens of thousands of them, in tables and sets.
  private let high: UInt64
  private let low: UInt64

  private init(high: UInt64, low: UInt64) {
    (self.high, self.low) = (high, low)
  }

  /// 16 bytes; nil for any other number.
  package init?(_ bytes: [UInt8]) {
    guard bytes.count == 16 else { return nil }
    self.init(drawn: bytes)
  }

  /// 32 lower-case hex digits, as in file names.
  package init?(hex: String) {
    self.init(hex: hex.utf8)
  }

  /// The same, as they stand in a name.
  init?(hex digits: some Collection<UInt8>) {
    guard digits.count == 32 else { return nil }
    var words: (UInt64, UInt64) = (0, 0)
    var isHex = true
    // Without a branch for each digit: which of them are letters, no processor guesses.
    for digit in digits {
      let isDigit = digit &- UInt8(ascii: "0") < 10
      let isLetter = digit &- UInt8(ascii: "a") < 6
      isHex = isHex && (isDigit != isLetter)
      let value = (digit & 0xF) &+ (digit >> 6) &* 9
      words = (words.0 << 4 | words.1 >> 60, words.1 << 4 | UInt64(value))
    }
    guard isHex else { return nil }
    self.init(high: words.0, low: words.1)
  }

  private init(drawn bytes: [UInt8]) {
    self.init(
      high: bytes[..<8].reduce(0) { $0 << 8 | UInt64($1) },
      low: bytes[8..<16].reduce(0) { $0 << 8 | UInt64($1) })
  }

  /// A new one from the kernel's random generator.
  package static func random() -> PackID { PackID(drawn: SecureRandom.bytes(16)) }

  /// A new one for a file of a repository.
  static func random(_ files: any FileOperations) -> PackID {
    PackID(drawn: files.uniqueBytes(16))
  }

  /// No pack's: what stands before a real one is known.
  static let zero = PackID(high: 0, low: 0)

  package var bytes: [UInt8] {
    (0..<16).map { UInt8(truncatingIfNeeded: ($0 < 8 ? high : low) >> UInt64(56 - $0 % 8 * 8)) }
  }

  package var hex: String { Hex.string(bytes) }

  /// An id is uniform already: its first word is hash enough.
  package func hash(into hasher: inout Hasher) {
    hasher.combine(high)
  }

  package static func < (left: PackID, right: PackID) -> Bool {
    (left.high, left.low) < (right.high, right.low)
  }
}

/// What a pack holds; the numbers stand in its header and in the ref log.
package enum PackKind: UInt8, Sendable, CaseIterable {
  /// Chunks of file content.
  case data = 1
  /// Lists, pages, snapshots, attributes.
  case metadata = 2

  /// The ending of the pack's file name.
  package var fileExtension: String {
    switch self {
    case .data: "data"
    case .metadata: "meta"
    }
  }
}
