/// What stands behind an entry (format: The tree).
package enum Content: Hashable, Sendable {
  /// Directories, FIFOs, sockets.
  case none
  /// A file's bytes, at most 128.
  case inline([UInt8])
  /// A file of one chunk.
  case chunk(ObjectID)
  /// A file of several chunks, or with holes.
  case list(ObjectID)
  /// A symlink's target.
  case target([UInt8])
  case device(major: UInt32, minor: UInt32)
}
