/// A step of a restore; tests stop a restore at each of them.
package enum RestorePoint: Sendable, Hashable {
  /// The plan is durable; nothing has been touched.
  case planned
  /// The item with this index has been built under its temporary name.
  case built(Int)
  /// Everything is built and on disk.
  case synchronized
  /// The journal says so.
  case marked
  /// The item with this index is in place, or gone.
  case applied(Int)
  /// Directories have their metadata.
  case settled
  /// The folder is as it was wanted, on disk.
  case completed
  /// The snapshot of the result is committed.
  case recorded
}
