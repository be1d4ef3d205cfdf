internal import Crypto

/// SHA-256, the only digest of the format. The one file that touches the hashing library.
package enum Digest {
  private static let listDomain = Array("dtm list 1\0".utf8)
  private static let pageDomain = Array("dtm page 1\0".utf8)
  private static let snapshotDomain = Array("dtm snapshot 1\0".utf8)

  /// The id of an object of a kind (format: Objects).
  package static func id(_ kind: ObjectKind, _ bytes: [UInt8]) -> ObjectID {
    id(kind, bytes.span)
  }

  /// The id of an object of a kind (format: Objects).
  package static func id(_ kind: ObjectKind, _ bytes: Span<UInt8>) -> ObjectID {
    var hash = SHA256()
    switch kind {
    case .chunk: break
    case .list: unsafe listDomain.span.withUnsafeBytes { unsafe hash.update(bufferPointer: $0) }
    case .page: unsafe pageDomain.span.withUnsafeBytes { unsafe hash.update(bufferPointer: $0) }
    case .snapshot:
      unsafe snapshotDomain.span.withUnsafeBytes { unsafe hash.update(bufferPointer: $0) }
    }
    unsafe bytes.withUnsafeBytes { unsafe hash.update(bufferPointer: $0) }
    return objectID(hash.finalize())
  }

  /// SHA-256 of bytes, as an id.
  package static func sha256(_ bytes: Span<UInt8>) -> ObjectID { id(.chunk, bytes) }

  /// The format's checksum: the first 8 bytes of the SHA-256.
  package static func checksum(_ bytes: Span<UInt8>) -> UInt64 {
    id(.chunk, bytes).words.0.byteSwapped
  }

  private static func objectID(_ digest: SHA256Digest) -> ObjectID {
    unsafe digest.withUnsafeBytes { bytes in
      ObjectID(
        words: (
          unsafe bytes.loadUnaligned(fromByteOffset: 0, as: UInt64.self).bigEndian,
          unsafe bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self).bigEndian,
          unsafe bytes.loadUnaligned(fromByteOffset: 16, as: UInt64.self).bigEndian,
          unsafe bytes.loadUnaligned(fromByteOffset: 24, as: UInt64.self).bigEndian
        ))
    }
  }

  /// A SHA-256 that grows; for packs, whose digest covers the whole file.
  package struct Running {
    private var hash = SHA256()

    package init() {}

    /// Takes in the next bytes.
    package mutating func update(_ bytes: [UInt8]) {
      unsafe bytes.span.withUnsafeBytes { unsafe hash.update(bufferPointer: $0) }
    }

    /// The digest of all bytes so far; more may follow.
    package func current() -> ObjectID { Digest.objectID(hash.finalize()) }
  }
}
