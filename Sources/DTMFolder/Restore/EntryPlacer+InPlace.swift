internal import DTMRepository
internal import DTMSystem
internal import SystemPackage

/// Files that get another content where they are.
extension EntryPlacer {
  /// A file that is open to be written.
  private struct Target {
    let file: OpenEntry
    /// Whether it is as the plan knows it, and no mixture.
    let isUntouched: Bool
  }

  /// Writes what differs into a file; where that fails, what was there is written back.
  ///
  /// Can be done again after it was cut off. Throws where it can be neither ended nor taken back now: the
  /// journal stays, and the next command tries again.
  mutating func overwrite(_ index: Int) throws(FolderError) {
    let item = run.plan.items[index]
    guard let old = item.old, let new = item.new else { return }
    guard let directory = try parent(of: index, "open") else { return }
    let opened: Target?
    do throws(Errno) { opened = try open(index, new, in: directory) } catch {
      return try run.skip(index, .system(error), "open")
    }
    guard let target = opened else { return }
    let attributes = try run.attributes(of: new, objects) ?? []
    let writer = InPlaceWriter(objects)
    do throws(FolderError) {
      run.addBytes(
        try writer.write(new, over: target.isUntouched ? old : nil, into: target.file.descriptor) {
          [run] () throws(FolderError) in try run.reached(.wrote(index))
        })
    } catch {
      // Cut off, as by a crash (tests).
      if error.code == .needsRecovery { throw error }
      return try takeBack(index, old, error, target.file.descriptor, writer)
    }
    try settle(new, attributes, old, target.file.descriptor)
  }

  /// Gives a file whose content is there everything else.
  private func settle(
    _ entry: TreeEntry, _ attributes: [ExtendedAttribute], _ other: TreeEntry,
    _ file: borrowing Descriptor
  ) throws(FolderError) {
    let status = try onPath(entry.key, "stat") { () throws(Errno) in try file.status() }
    run.metadata.apply(
      entry, attributes, to: file, status, isExact: other.attributes != entry.attributes)
    if (other.inodeFlags | entry.inodeFlags | status.inodeFlags) != 0 {
      run.metadata.setFlags(entry.inodeFlags, of: entry.key, file)
    }
  }

  /// Opens a file for writing; nil where it must not be written, or is right already.
  private func open(
    _ index: Int, _ new: TreeEntry, in directory: OpenEntry
  ) throws(Errno) -> Target? {
    let key = new.key
    let present = try directory.descriptor.openOnSameMount(key.name, [.readOnly, .nonBlocking])
    let status = try present.status()
    let isUntouched = run.isAsPlanned(status, index)
    guard isUntouched || (run.isResumed && status.kind == .file), status.links == 1 else {
      run.skip(index, .changing, RestoreRun.changedDetail)
      return nil
    }
    if !isUntouched, RestoreRun.matches(status, new) { return nil }
    if try present.hasNoWriter() == false {
      run.skip(index, .changing, "somebody has it open for writing; it is left as it is")
      return nil
    }
    guard run.metadata.release(key, present, status) else { throw .notPermitted }
    // While it is neither the one nor the other, nobody reads more than of both, and it lends nobody its
    // owner's rights. Its owner may not write it otherwise.
    let isOthers = status.uid != new.owner.id || status.gid != new.group.id
    let shared = status.permissions & new.permissions & (isOthers ? 0o700 : 0o777) | 0o600
    if shared != status.permissions { try present.setPermissions(shared) }
    let file = OpenEntry(
      try directory.descriptor.openOnSameMount(key.name, [.readWrite, .nonBlocking]))
    let found = try file.descriptor.status()
    guard found.inode == status.inode, found.device == status.device else {
      run.skip(index, .changing, RestoreRun.changedDetail)
      return nil
    }
    return Target(file: file, isUntouched: isUntouched)
  }

  private func takeBack(
    _ index: Int, _ old: TreeEntry, _ cause: FolderError, _ file: borrowing Descriptor,
    _ writer: InPlaceWriter
  ) throws(FolderError) {
    do throws(FolderError) {
      _ = try writer.write(old, over: nil, into: file)
    } catch {
      throw FolderError(
        cause.code, cause.message,
        details: ["what was there can't be written back now either: \(error.message)"],
        hint: "make room; the next dtm command that writes tries again", path: old.key,
        cause: cause.cause)
    }
    // Its attributes were not touched.
    let attributes = try run.attributes(of: old, objects)
    try settle(old, attributes ?? [], old, file)
    if cause.code == .corrupt { return run.skipDamaged(index, cause.message) }
    run.skip(index, .unreadable, "\(cause.message); what was there was written back")
  }
}
