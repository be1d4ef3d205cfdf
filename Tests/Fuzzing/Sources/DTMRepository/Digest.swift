internal import DTMSystem

/// The digest of the fuzzed repository: the same for all bytes.
///
/// It stands in place of SHA-256. A fuzzer cannot make bytes that fit a digest: it would never come
/// past the checksums to what is behind them. What the digest of a thing is, tests hold elsewhere.
package enum Digest {
  private static let value = ObjectID(words: (1, 2, 3, 4))

  /// The id of an object of a kind.
  package static func id(_ kind: ObjectKind, _ bytes: [UInt8]) -> ObjectID { value }

  /// The id of an object of a kind.
  package static func id(_ kind: ObjectKind, _ bytes: Span<UInt8>) -> ObjectID { value }

  /// The digest of bytes, as an id.
  package static func sha256(_ bytes: Span<UInt8>) -> ObjectID { value }

  /// The format's checksum.
  package static func checksum(_ bytes: Span<UInt8>) -> UInt64 { value.words.0.byteSwapped }

  /// A digest that grows.
  package struct Running {
    package init() {}

    /// Takes in the next bytes.
    package mutating func update(_ bytes: [UInt8]) {}

    /// The digest of all bytes so far; more may follow.
    package func current() -> ObjectID { Digest.value }
  }
}
