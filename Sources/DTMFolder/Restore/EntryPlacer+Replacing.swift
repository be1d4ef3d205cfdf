internal import DTMRepository
internal import DTMSystem
internal import SystemPackage

/// Files that take others' places, or make way: what was written between the last look at a file and its
/// removal is seen, and stays.
extension EntryPlacer {
  /// Puts what was built in the place of a file by exchanging the two, so that what went can be looked at.
  ///
  /// `present`: the file as it was checked; `built`: what takes its place.
  func replace(
    _ index: Int, _ present: FileStatus, _ built: FileStatus, in directory: OpenEntry,
    _ reached: (RestorePoint) -> Bool
  ) throws(Errno) {
    let item = run.plan.items[index]
    let (name, temporary) = (item.key.name, run.plan.temporaryName(index))
    guard isTold(index) else { return try replaceAtOnce(index, in: directory) }
    do throws(Errno) {
      try directory.descriptor.rename(temporary, to: name, .exchange)
    } catch {
      guard error == .invalidArgument else { throw error }
      return try replaceAtOnce(index, in: directory)
    }
    if !reached(.exchanged(index)) { return }
    guard let gone = try run.root.status(of: temporary, in: directory) else { return }
    if Self.isSame(gone, present) { return try directory.descriptor.remove(temporary) }
    // Somebody wrote it, or put another in its place: that one goes back.
    try directory.descriptor.rename(temporary, to: name, .exchange)
    let left = try run.root.status(of: temporary, in: directory)
    if let left, left.inode != built.inode {
      // And again meanwhile: the newest stays.
      try directory.descriptor.rename(temporary, to: name, .exchange)
    }
    giveUp(index)
  }

  /// Whether what was built took its place before the restore was cut off, and what was there has to go.
  func hasReplaced(_ index: Int, _ built: FileStatus) -> Bool {
    guard run.isResumed, isTold(index), let old = run.plan.items[index].old else { return false }
    return RestoreRun.matches(built, old)
  }

  /// Removes a file by way of its temporary name, under which it can be looked at.
  func removeFile(
    _ index: Int, _ present: FileStatus, in directory: OpenEntry, _ reached: (RestorePoint) -> Bool
  ) throws(Errno) {
    let (name, temporary) = (run.plan.items[index].key.name, run.plan.temporaryName(index))
    do throws(Errno) {
      try directory.descriptor.rename(name, to: temporary, .refuse)
    } catch {
      guard error == .invalidArgument else { throw error }
      return try directory.descriptor.remove(name)
    }
    if !reached(.exchanged(index)) { return }
    guard let gone = try run.root.status(of: temporary, in: directory) else { return }
    if Self.isSame(gone, present) { return try directory.descriptor.remove(temporary) }
    run.skip(index, .changing, RestoreRun.changedDetail)
    try putBack(temporary, as: name, in: directory)
  }

  /// Ends the removal of a file that was cut off; nothing to do is the rule.
  func endRemoval(_ index: Int, in directory: OpenEntry) throws(Errno) {
    let item = run.plan.items[index]
    let temporary = run.plan.temporaryName(index)
    guard run.isResumed, let old = item.old,
      let gone = try run.root.status(of: temporary, in: directory)
    else { return }
    if RestoreRun.matches(gone, old) { return try directory.descriptor.remove(temporary) }
    run.skip(index, .changing, RestoreRun.changedDetail)
    try putBack(temporary, as: item.key.name, in: directory)
  }

  private func putBack(
    _ temporary: [UInt8], as name: [UInt8], in directory: OpenEntry
  ) throws(Errno) {
    do throws(Errno) { try directory.descriptor.rename(temporary, to: name, .refuse) } catch {
      guard error == .fileExists else { throw error }
      // A newer one is there already.
      try directory.descriptor.remove(temporary)
    }
  }

  private func replaceAtOnce(_ index: Int, in directory: OpenEntry) throws(Errno) {
    let item = run.plan.items[index]
    let temporary = run.plan.temporaryName(index)
    try directory.descriptor.rename(temporary, to: item.key.name)
    // rename(2) does nothing where both are names of one file.
    if item.link != nil { try removeIfThere(temporary, in: directory) }
  }

  /// Whether the status of what was there tells it from what takes its place: else who goes on after a
  /// crash could not know which is which.
  private func isTold(_ index: Int) -> Bool {
    let item = run.plan.items[index]
    guard item.link == nil, let old = item.old, let new = item.new else { return false }
    if old.kind != new.kind || old.modified != new.modified { return true }
    return old.kind == .file && old.size != new.size
  }

  /// Whether it is the file that was checked, and nobody has written it since. Its ctime moves with its
  /// name.
  private static func isSame(_ status: FileStatus, _ checked: FileStatus) -> Bool {
    status.inode == checked.inode && status.kind == checked.kind && status.size == checked.size
      && status.modified == checked.modified && status.permissions == checked.permissions
      && status.uid == checked.uid && status.gid == checked.gid
  }
}
