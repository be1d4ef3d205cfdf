internal import DTMSystem

/// A uuid of the format: a pack's, a repository's or a folder's. 16 random bytes.
package struct PackID: Hashable, Comparable, Sendable {
  package let bytes: [UInt8]

  /// 16 bytes; nil for any other number.
  package init?(_ bytes: [UInt8]) {
    guard bytes.count == 16 else { return nil }
    self.bytes = bytes
  }

  /// 32 lower-case hex digits, as in file names.
  package init?(hex: String) {
    guard hex.utf8.count == 32, hex == hex.lowercased(), let bytes = Hex.bytes(hex) else {
      return nil
    }
    self.init(bytes)
  }

  private init(drawn bytes: [UInt8]) {
    self.bytes = bytes
  }

  /// A new one from the kernel's random generator.
  package static func random() -> PackID { PackID(drawn: SecureRandom.bytes(16)) }

  /// A new one for a file of a repository.
  static func random(_ files: any FileOperations) -> PackID {
    PackID(drawn: files.uniqueBytes(16))
  }

  /// No pack's: what stands before a real one is known.
  static let zero = PackID(drawn: [UInt8](repeating: 0, count: 16))

  package var hex: String { Hex.string(bytes) }

  package static func < (left: PackID, right: PackID) -> Bool {
    left.bytes.lexicographicallyPrecedes(right.bytes)
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
