internal import DTMRepository
internal import DTMSystem
internal import SystemPackage

/// Putting what was built in its place, and removing what is not wanted.
extension RestoreRun {
  /// Carries out a plan that is completely built; also after an earlier attempt was cut off.
  ///
  /// First everything takes its place, in key order; then goes what is not wanted, the deepest first;
  /// then directories get their metadata, the deepest first. After return all is on disk.
  func apply(_ objects: any ObjectReader) throws(FolderError) {
    var placer = EntryPlacer(self, objects)
    for (index, item) in plan.items.enumerated() where item.container == nil && !isSkipped(index) {
      switch item.action {
      case .add, .replace, .exchange, .adjust:
        try placer.place(index)
        try reached(.applied(index))
      case .overwrite:
        try placer.overwrite(index)
        try reached(.applied(index))
      case .keep, .remove, .removeDirectory, .clear: continue
      }
    }
    for index in plan.items.indices.reversed() where !isSkipped(index) {
      switch plan.items[index].action {
      case .remove, .removeDirectory, .clear:
        try placer.remove(index)
        try reached(.applied(index))
      case .keep, .add, .replace, .exchange, .adjust, .overwrite: continue
      }
    }
    try placer.setFlags()
    removeUnused()
    for settling in plan.settlings.reversed() { try placer.settle(settling) }
    try reached(.settled)
    if isDurable { try synchronizeApplied() }
    try reached(.completed)
  }

  /// Removes what was built for items that were given up.
  private func removeUnused() {
    var remover = TreeRemover(root)
    for index in skipped.sorted() where index < plan.items.count {
      let item = plan.items[index]
      guard item.action.builds, item.container == nil else { continue }
      let key = (item.key.parent ?? .root).appending(plan.temporaryName(index))
      do throws(Errno) { try remover.remove(key) } catch {
        problems.add(key, .unsupported, "remove: \(error.description)")
      }
    }
  }

  private func synchronizeApplied() throws(FolderError) {
    var parents: Set<PathKey> = []
    for item in plan.items where item.container == nil {
      if let parent = item.key.parent { parents.insert(parent) }
    }
    for settling in plan.settlings { parents.insert(settling.key) }
    if parents.count <= Self.singleSyncLimit, try synchronize(parents) { return }
    try onPath(.root, "syncfs") { () throws(Errno) in
      try root.openDirectory(.root).descriptor.synchronizeFileSystem()
    }
  }

  /// fsync(2) of directories, those that are still there; false where one can't be opened.
  func synchronize(_ directories: Set<PathKey>) throws(FolderError) -> Bool {
    for key in directories {
      do throws(Errno) {
        try root.openDirectory(key).descriptor.synchronize()
      } catch {
        switch error {
        case .noSuchFileOrDirectory, .notDirectory: continue
        case .ioError, .noSpace, .diskQuotaExceeded:
          throw FolderError(error, "fsync", Quoting.path(key.path), path: key)
        default: return false
        }
      }
    }
    return true
  }

  /// Runs a change of names in a directory; where its mode forbids that to its own owner, or it is
  /// immutable, opens it up. Its metadata is set at the end.
  func writable<Result: ~Copyable>(
    _ directory: OpenEntry, _ key: PathKey, _ body: () throws(Errno) -> Result
  ) throws(Errno) -> Result {
    do throws(Errno) { return try body() } catch {
      guard error == .permissionDenied || error == .notPermitted else { throw error }
    }
    let status = try directory.descriptor.status()
    if status.inodeFlags & MetadataWriter.immutable != 0 {
      guard metadata.release(key, directory.descriptor, status) else { throw .notPermitted }
      // Once: who makes it immutable again is not fought. Its mode may forbid the change still.
      do throws(Errno) { return try body() } catch {
        guard error == .permissionDenied else { throw error }
      }
    }
    guard status.uid == ThreadIdentity.current.uid, status.permissions & 0o300 != 0o300 else {
      throw .permissionDenied
    }
    try directory.descriptor.setPermissions(status.permissions | 0o700)
    return try body()
  }
}

/// Puts single items in place; for one thread.
struct EntryPlacer {
  let run: RestoreRun
  let objects: any ObjectReader
  private var walker: DirectoryWalker

  init(_ run: RestoreRun, _ objects: any ObjectReader) {
    self.run = run
    self.objects = objects
    walker = DirectoryWalker(run.root)
  }

  /// Gives an item its place. Does nothing when it is there already.
  mutating func place(_ index: Int) throws(FolderError) {
    let item = run.plan.items[index]
    guard let new = item.new else { return }
    guard let directory = try parent(of: index, "rename") else { return }
    try attempt(index, "rename") { reached throws(Errno) in
      if item.action == .adjust { return try adjust(index, new, in: directory) }
      let name = item.key.name
      let temporary = run.plan.temporaryName(index)
      guard let built = try run.root.status(of: temporary, in: directory) else { return }
      // Exchanged already, and cut off before the old one went.
      if item.action == .exchange ? built.kind != .directory : hasReplaced(index, built) {
        return try directory.descriptor.remove(temporary)
      }
      let present = try run.root.status(of: name, in: directory)
      if item.action == .add {
        if present != nil { return giveUp(index) }
        return try add(index, temporary, name, in: directory)
      }
      guard let present, run.isAsPlanned(present, index) else {
        return giveUp(index)
      }
      if !reached(.checked(index)) { return }
      try releasing(item.key, present, in: directory) { () throws(Errno) in
        if item.action == .replace {
          try replace(index, present, built, in: directory, reached)
        } else {
          try exchange(temporary, name, in: directory)
        }
      }
    }
  }

  /// Removes what is not wanted any more, or makes way for what takes a directory's place.
  mutating func remove(_ index: Int) throws(FolderError) {
    let item = run.plan.items[index]
    guard let directory = try parent(of: index, "remove") else { return }
    try attempt(index, "remove") { reached throws(Errno) in
      let name = item.key.name
      if item.action == .remove { try endRemoval(index, in: directory) }
      let present = try run.root.status(of: name, in: directory)
      if item.action == .remove {
        guard let present, !run.isSkipped(index) else { return }
        guard run.isAsPlanned(present, index) else {
          return run.skip(index, .changing, RestoreRun.changedDetail)
        }
        if !reached(.checked(index)) { return }
        return try releasing(item.key, present, in: directory) { () throws(Errno) in
          try run.writable(directory, item.key.parent ?? .root) { () throws(Errno) in
            try removeFile(index, present, in: directory, reached)
          }
        }
      }
      if let present, present.kind == .directory {
        do throws(Errno) {
          try releasing(item.key, present, in: directory) { () throws(Errno) in
            try run.writable(directory, item.key.parent ?? .root) { () throws(Errno) in
              try directory.descriptor.remove(name, isDirectory: true)
            }
          }
        } catch {
          guard error == .directoryNotEmpty || error == .fileExists || error == .resourceBusy
          else { throw error }
          run.skip(
            index, .unsupported,
            "the directory stays: what is in it is ignored, mounted, a folder of its own, or newer "
              + "than the last snapshot")
          return
        }
      } else if present != nil, item.action == .removeDirectory {
        return run.skip(index, .changing, RestoreRun.changedDetail)
      }
      guard item.action == .clear else { return }
      let temporary = run.plan.temporaryName(index)
      guard try run.root.status(of: temporary, in: directory) != nil else { return }
      if try run.root.status(of: name, in: directory) != nil {
        return giveUp(index)
      }
      try add(index, temporary, name, in: directory)
    }
  }

  /// Sets a directory's metadata; it stays what it is where nobody asked.
  mutating func settle(_ settling: RestorePlan.Settling) throws(FolderError) {
    let entry = settling.new ?? settling.old
    guard let entry else { return }
    guard entry.isDirectoryEntry else { return putBackFlags(entry) }
    let attributes = try settling.new.map { new throws(FolderError) in
      try run.attributes(of: new, objects)
    }
    do throws(DirectoryObstacle) {
      let directory = try walker.open(settling.key)
      do throws(Errno) {
        let status = try directory.descriptor.status()
        if let new = settling.new {
          _ = run.metadata.release(new.key, directory.descriptor, status)
          let known = attributes ?? nil
          let isExact = known != nil && !(settling.old?.hasSameAccess(as: new) ?? false)
          run.metadata.apply(
            new, known ?? [], to: directory.descriptor, status, isExact: isExact)
        } else if status.permissions == entry.permissions | 0o700 {
          try directory.descriptor.setPermissions(entry.permissions)
        }
        if (entry.inodeFlags | status.inodeFlags) != 0 {
          run.metadata.setFlags(entry.inodeFlags, of: entry.key, directory.descriptor)
        }
      } catch { throw .system(error) }
    } catch {
      run.problems.add(settling.key, .unsupported, "its metadata: \(error.detail)")
    }
  }

  /// Sets the flags that would have kept files from being built or moved.
  mutating func setFlags() throws(FolderError) {
    for (index, item) in run.plan.items.enumerated() where item.action.builds {
      guard let new = item.new, new.inodeFlags & MetadataWriter.immutable != 0,
        new.canHaveFlags, !run.isOff(index)
      else { continue }
      guard let directory = try parent(of: index, "open") else { continue }
      try attempt(index, "open") { _ throws(Errno) in
        let file = try directory.descriptor.openOnSameMount(
          item.key.name, [.readOnly, .nonBlocking])
        run.metadata.setFlags(new.inodeFlags, of: item.key, file)
      }
    }
  }

  // MARK: - Steps

  private func adjust(
    _ index: Int, _ new: TreeEntry, in directory: OpenEntry
  ) throws(Errno) {
    let file: OpenEntry
    do throws(Errno) {
      // A file that is open for reading can have its flags changed.
      file = OpenEntry(
        try directory.descriptor.openOnSameMount(
          new.key.name, new.kind == .file ? [.readOnly, .nonBlocking] : [.path]))
    } catch {
      guard error == .permissionDenied else { throw error }
      file = OpenEntry(try directory.descriptor.openOnSameMount(new.key.name, [.path]))
    }
    try adjust(index, new, file.descriptor)
  }

  private func adjust(
    _ index: Int, _ new: TreeEntry, _ file: borrowing Descriptor
  ) throws(Errno) {
    let status = try file.status()
    guard let old = run.plan.items[index].old, status.kind == new.kind else {
      return run.skip(index, .changing, RestoreRun.changedDetail)
    }
    // Half done before a crash is no change by others: content and time tell.
    guard status.size == old.size || new.kind != .file,
      status.modified == old.modified || status.modified == new.modified
    else { return run.skip(index, .changing, RestoreRun.changedDetail) }
    let attributes: [ExtendedAttribute]
    do throws(FolderError) { attributes = try new.attributes.decoded(objects) } catch {
      return run.skipDamaged(index, "its attributes are damaged: \(error.message)")
    }
    guard new.canHaveFlags else {
      return run.metadata.apply(
        new, attributes, to: file, status, isExact: old.attributes != new.attributes)
    }
    _ = run.metadata.release(new.key, file, status)
    run.metadata.apply(
      new, attributes, to: file, status, isExact: old.attributes != new.attributes)
    if (old.inodeFlags | new.inodeFlags | status.inodeFlags) != 0 {
      run.metadata.setFlags(new.inodeFlags, of: new.key, file)
    }
  }

  /// Replaces or removes what may be immutable; it is so again where it, or another name of it, stays.
  private func releasing(
    _ key: PathKey, _ present: FileStatus, in directory: OpenEntry,
    _ body: () throws(Errno) -> Void
  ) throws(Errno) {
    guard present.inodeFlags & MetadataWriter.immutable != 0,
      present.kind == .file || present.kind == .directory
    else { return try body() }
    let file = try directory.descriptor.openOnSameMount(key.name, [.readOnly, .nonBlocking])
    guard run.metadata.release(key, file, present) else { throw .notPermitted }
    do throws(Errno) { try body() } catch {
      run.metadata.setFlags(present.inodeFlags, of: key, file)
      throw error
    }
    if present.kind == .file, present.links > 1 {
      run.metadata.setFlags(present.inodeFlags, of: key, file)
    }
  }

  /// A file that got further names, or lost some, is as it was.
  private mutating func putBackFlags(_ entry: TreeEntry) {
    do throws(DirectoryObstacle) {
      let directory = try walker.open(entry.key.parent ?? .root)
      do throws(Errno) {
        let file = try directory.descriptor.openOnSameMount(
          entry.key.name, [.readOnly, .nonBlocking])
        run.metadata.setFlags(entry.inodeFlags, of: entry.key, file)
      } catch { throw .system(error) }
    } catch {
      run.problems.add(entry.key, .unsupported, "its inode flags: \(error.detail)")
    }
  }

  private func add(
    _ index: Int, _ temporary: [UInt8], _ name: [UInt8], in directory: OpenEntry
  ) throws(Errno) {
    do throws(Errno) {
      try directory.descriptor.rename(temporary, to: name, .refuse)
    } catch {
      if error == .fileExists { return giveUp(index) }
      // A file system without that rule; nothing was there a moment ago.
      guard error == .invalidArgument else { throw error }
      try directory.descriptor.rename(temporary, to: name)
    }
  }

  private func exchange(
    _ temporary: [UInt8], _ name: [UInt8], in directory: OpenEntry
  ) throws(Errno) {
    do throws(Errno) {
      try directory.descriptor.rename(temporary, to: name, .exchange)
      try directory.descriptor.remove(temporary)
    } catch {
      guard error == .invalidArgument else { throw error }
      try directory.descriptor.remove(name)
      try directory.descriptor.rename(temporary, to: name)
    }
  }

  func removeIfThere(_ name: [UInt8], in directory: OpenEntry) throws(Errno) {
    do throws(Errno) { try directory.descriptor.remove(name) } catch {
      if error != .noSuchFileOrDirectory { throw error }
    }
  }

  /// Leaves what is there; what was built goes at the end.
  func giveUp(_ index: Int) {
    run.skip(index, .changing, RestoreRun.changedDetail)
  }

  /// The directory that holds an item; nil, and the item is given up, where it can't be entered.
  mutating func parent(
    of index: Int, _ operation: String
  ) throws(FolderError) -> OpenEntry? {
    do throws(DirectoryObstacle) {
      return try walker.open(run.plan.items[index].key.parent ?? .root)
    } catch {
      // Gone with its parent, in whose place something else may be: nothing is left to do.
      if run.plan.items[index].new == nil, case .system(let cause) = error,
        cause == .noSuchFileOrDirectory || cause == .notDirectory
      {
        return nil
      }
      try run.skip(index, error, operation)
      return nil
    }
  }

  /// Runs a step, and gives the item up where it fails. The step ends when it is told false at a point:
  /// it is cut off there, as by a crash (tests).
  private func attempt(
    _ index: Int, _ operation: String, _ body: ((RestorePoint) -> Bool) throws(Errno) -> Void
  ) throws(FolderError) {
    var cut: FolderError?
    do throws(Errno) {
      try body { point in
        do throws(FolderError) { try run.reached(point) } catch { cut = error }
        return cut == nil
      }
    } catch { try run.skip(index, .system(error), operation) }
    if let cut { throw cut }
  }
}
