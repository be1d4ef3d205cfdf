/// The place of a directory node in the table.
///
/// A freed place is given out again, though not before `flushFreed()`.
struct NodeIndex: Hashable, Sendable {
  let rawValue: Int32

  /// The protected folder itself.
  static let root = NodeIndex(rawValue: 0)
  static let none = NodeIndex(rawValue: -1)

  var isNone: Bool { rawValue < 0 }
}
