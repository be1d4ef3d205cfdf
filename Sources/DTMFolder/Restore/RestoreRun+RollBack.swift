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
    guard let old = settling.old, old.permissions & 0o700 != 0o700 else { return }
    do throws(Errno) {
      let directory = try root.openDirectory(settling.key)
      if try directory.descriptor.status().permissions == old.permissions | 0o700 {
        try directory.descriptor.setPermissions(old.permissions)
      }
    } catch {
      problems.add(.permissions, settling.key, error)
    }
  }
}
