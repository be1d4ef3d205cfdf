internal import DTMRepository
internal import DTMSystem

extension CaptureRun {
  /// A directory at a place where it was not: what is beneath it may be known from another.
  func noteMove(
    _ key: PathKey, _ status: FileStatus, _ before: KnownEntries.Known?
  ) throws(FolderError) {
    guard let known, !options.readsAll else { return }
    let record = StateRecord(
      status, rootDevice: root.device, captureClass: .stable, isRacy: false)
    if before?.record.identity == record.identity { return }
    let old = try onState { () throws(StateFailure) in try known.directory(record.identity) }
    guard let old, old != key else { return }
    while let last = moves.last, !key.isBeneath(last.new) { moves.removeLast() }
    moves.append((key, old))
  }

  /// The entry of a file in a directory that was moved, unread, where stat says it is the same.
  func moved(
    _ key: PathKey, _ status: FileStatus
  ) throws(FolderError) -> (TreeEntry, StateRecord)? {
    while let last = moves.last, !key.isBeneath(last.new) { moves.removeLast() }
    guard let move = moves.last, key.parent == move.new else { return nil }
    let old = move.old.appending(key.name)
    guard let record = try knownRecord(old),
      record.vouches(for: status, rootDevice: root.device), var entry = try baseEntry(old)
    else { return nil }
    entry.key = key
    return (entry, record)
  }
}
