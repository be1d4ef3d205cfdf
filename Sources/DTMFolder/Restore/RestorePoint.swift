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
  /// What stands in the place of the item with this index was looked at for the last time.
  case checked(Int)
  /// That has a temporary name now, and what was built, if anything, its place.
  case exchanged(Int)
  /// Something was written into the file of the item with this index.
  case wrote(Int)
  /// The item with this index is in place, or gone.
  case applied(Int)
  /// Directories have their metadata.
  case settled
  /// The folder is as it was wanted, on disk.
  case completed
  /// The snapshot of the result is committed.
  case recorded
}
