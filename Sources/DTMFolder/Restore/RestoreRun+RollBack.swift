internal import DTMRepository
internal import DTMSystem
internal import SystemPackage

/// Taking back what was built, while nothing of it is in place yet.
extension RestoreRun {
  /// Removes everything that was built under temporary names, and closes directories that were opened
  /// up. Can be done again. Goes on where one can't be removed, and throws the first such error.
  func rollBack() throws(FolderError) {
    var remover = TreeRemover(root)
    var failure: FolderError?
    for (index, item) in plan.items.enumerated().reversed()
    where item.action.builds && item.container == nil {
      let key = (item.key.parent ?? .root).appending(plan.temporaryName(index))
      do throws(Errno) {
        try remover.remove(key)
      } catch {
        // Without its parent it is not there either.
        if error == .notDirectory || error == .improperLink { continue }
        failure = failure ?? FolderError(error, "remove", Quoting.path(key.path), path: key)
      }
    }
    for settling in plan.settlings.reversed() { close(settling) }
    if let failure { throw failure }
  }

  private func close(_ settling: RestorePlan.Settling) {
    guard let old = settling.old else { return }
    let isShut = old.isDirectoryEntry && old.permissions & 0o700 != 0o700
    let isImmutable = old.inodeFlags & MetadataWriter.immutable != 0
    if !isShut && !isImmutable { return }
    do throws(Errno) {
      let entry =
        old.isDirectoryEntry
        ? try root.openDirectory(settling.key)
        : OpenEntry(
          try root.openDirectory(settling.key.parent ?? .root).descriptor.openOnSameMount(
            settling.key.name, [.readOnly, .nonBlocking]))
      let status = try entry.descriptor.status()
      if isShut, status.permissions == old.permissions | 0o700 {
        try entry.descriptor.setPermissions(old.permissions)
      }
      if isImmutable, status.inodeFlags != old.inodeFlags {
        metadata.setFlags(old.inodeFlags, of: settling.key, entry.descriptor)
      }
    } catch {
      problems.add(isShut ? .permissions : .flags, settling.key, error)
    }
  }
}
