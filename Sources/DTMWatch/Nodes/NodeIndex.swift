/// The place of a directory node in the table.
///
/// A freed place is given out again, though not before `flushFreed()`.
package struct NodeIndex: Hashable, Sendable {
  /// Its position in the table.
  package let rawValue: Int32

  /// The protected folder itself.
  package static let root = NodeIndex(rawValue: 0)
  /// No node.
  package static let none = NodeIndex(rawValue: -1)

  /// Whether this is no node.
  package var isNone: Bool { rawValue < 0 }
}
