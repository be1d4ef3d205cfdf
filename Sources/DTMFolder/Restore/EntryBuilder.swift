internal import DTMRepository
internal import DTMSystem
internal import SystemPackage

/// Builds single entries under their temporary names; one for each thread.
struct EntryBuilder {
  /// Present files below this are not worth looking into for equal ranges.
  private static let smallestSource: UInt64 = 32 << 10

  private let run: RestoreRun
  private let objects: any ObjectReader
  private let content: FileBuilder
  private let identity: (uid: UInt32, gid: UInt32)
  /// Where things are built, and where their targets are: each near in key order.
  private var walker: DirectoryWalker
  private var targetWalker: DirectoryWalker
  /// The directory that was asked last whether what is made in it inherits an ACL.
  private var inheritance: (key: PathKey, inherits: Bool)?

  init(_ run: RestoreRun, _ objects: any ObjectReader) {
    self.run = run
    self.objects = objects
    content = FileBuilder(objects, sharesBlocks: run.root.fileSystem.sharesBlocks)
    identity = ThreadIdentity.current
    walker = DirectoryWalker(run.root)
    targetWalker = DirectoryWalker(run.root)
  }

  /// What is at a key of the folder now.
  mutating func target(of key: PathKey) throws(DirectoryObstacle) -> FileStatus? {
    let directory: OpenEntry
    do throws(DirectoryObstacle) {
      directory = try targetWalker.open(key.parent ?? .root)
    } catch {
      // A parent that is not there yet, or not any more.
      if case .system(.noSuchFileOrDirectory) = error { return nil }
      throw error
    }
    do throws(Errno) { return try run.root.status(of: key.name, in: directory) } catch {
      throw .system(error)
    }
  }

  /// Whether somebody has a file of the folder open for writing; false where that can't be told.
  mutating func hasWriter(_ key: PathKey) -> Bool {
    do throws(DirectoryObstacle) {
      let directory = try targetWalker.open(key.parent ?? .root)
      do throws(Errno) {
        let file = try directory.descriptor.openOnSameMount(key.name, [.readOnly, .nonBlocking])
        return try file.hasNoWriter() == false
      } catch { throw .system(error) }
    } catch { return false }
  }

  /// Makes the directory of an item, open for its owner alone.
  mutating func makeDirectory(_ index: Int) throws(FolderError) {
    let key = run.plan.buildKey(index)
    try attempt(index, key, "make") { [run] builder, directory throws(Errno) in
      try run.writable(directory, key.parent ?? .root) { () throws(Errno) in
        try directory.descriptor.makeDirectory(key.name, mode: 0o700)
      }
      if builder.inherits(directory, key.parent ?? .root) {
        let made = try directory.descriptor.openOnSameMount(key.name, [.readOnly, .directory])
        try made.removeAttributeIfPresent(MetadataWriter.defaultList)
      }
    }
    try run.hasBuilt(index)
  }

  /// Builds a file, link or special file.
  mutating func build(_ index: Int) throws(FolderError) {
    let item = run.plan.items[index]
    guard let entry = item.new else { return }
    switch entry.kind {
    case .file: try buildFile(index, entry, item.old)
    case .directory: return
    case .symlink, .fifo, .socket, .characterDevice, .blockDevice: try buildOther(index, entry)
    }
    try run.hasBuilt(index)
  }

  // MARK: - Files

  private mutating func buildFile(
    _ index: Int, _ entry: TreeEntry, _ old: TreeEntry?
  ) throws(FolderError) {
    let key = run.plan.buildKey(index)
    guard let directory = try parent(index, key) else { return }
    // Nobody else may open it before it has its owner.
    let isOwn = entry.owner.id == identity.uid && entry.group.id == identity.gid
    let mode = entry.permissions & (isOwn ? 0o777 : 0o700)
    let file: OpenEntry
    do throws(Errno) {
      file = try run.writable(directory, key.parent ?? .root) { () throws(Errno) in
        OpenEntry(
          try directory.descriptor.open(
            key.name, [.readWrite, .create, .exclusive, .noFollow], mode: mode))
      }
    } catch { return try run.skip(index, error, "create") }
    do throws(FolderError) {
      if let old, let source = source(old, for: entry) {
        run.addBytes(
          try content.fill(file.descriptor, with: entry, from: source.descriptor, old))
      } else {
        run.addBytes(try content.fill(file.descriptor, with: entry))
      }
    } catch {
      // The others can be brought back all the same.
      return try run.skip(index, damage: error)
    }
    let attributes = try run.attributes(of: entry, objects) ?? []
    let status = try onPath(entry.key, "stat") { () throws(Errno) in try file.descriptor.status() }
    run.metadata.apply(
      entry, attributes, to: file.descriptor, status,
      isExact: inherits(directory, key.parent ?? .root))
    run.metadata.setFirstFlags(entry, file.descriptor, status)
  }

  /// The present file, where it may have ranges that are wanted.
  private mutating func source(_ old: TreeEntry, for entry: TreeEntry) -> OpenEntry? {
    guard old.size >= Self.smallestSource, entry.size >= Self.smallestSource else { return nil }
    switch old.content {
    case .chunk, .list: break
    // Nothing is known of what is there.
    case .none, .inline, .target, .device: return nil
    }
    do throws(DirectoryObstacle) {
      let directory = try targetWalker.open(old.key.parent ?? .root)
      do throws(Errno) {
        return OpenEntry(
          try directory.descriptor.openOnSameMount(old.key.name, [.readOnly, .nonBlocking]))
      } catch {
        // All of it comes from chunks then.
        return nil
      }
    } catch {
      return nil
    }
  }

  /// Reads what writing in place needs, and what taking it back does. Throws `.corrupt`.
  func checkOverwriting(_ old: TreeEntry, _ new: TreeEntry) throws(FolderError) {
    try InPlaceWriter(objects).check(old, new)
    _ = try new.attributes.decoded(objects)
  }

  // MARK: - Others

  private mutating func buildOther(_ index: Int, _ entry: TreeEntry) throws(FolderError) {
    let key = run.plan.buildKey(index)
    let attributes = try run.attributes(of: entry, objects) ?? []
    try attempt(index, key, "create") { [run] builder, directory throws(Errno) in
      try run.writable(directory, key.parent ?? .root) { () throws(Errno) in
        switch entry.content {
        case .target(let target): try directory.descriptor.makeLink(key.name, to: target)
        case .device(let major, let minor):
          try directory.descriptor.makeSpecial(
            key.name, entry.kind, major: major, minor: minor)
        case .none, .inline, .chunk, .list:
          try directory.descriptor.makeSpecial(key.name, entry.kind)
        }
      }
      let made = try directory.descriptor.openOnSameMount(key.name, [.path])
      if entry.kind != .symlink, builder.inherits(directory, key.parent ?? .root) {
        try made.removeAttributeIfPresent(MetadataWriter.accessList)
      }
      run.metadata.apply(entry, attributes, to: made, try made.status(), isExact: false)
    }
  }

  /// Gives a file that is there, or was built, its further name.
  mutating func makeLink(_ index: Int) throws(FolderError) {
    let key = run.plan.buildKey(index)
    guard let link = run.plan.items[index].link, let entry = run.plan.items[index].new else {
      return
    }
    let sourceKey: PathKey
    switch link {
    case .existing(let existing): sourceKey = existing
    case .item(let leader):
      if run.isSkipped(leader) { return run.skip(index, .changing, "its file was not restored") }
      sourceKey = run.plan.buildKey(leader)
    }
    let source: OpenEntry
    do throws(DirectoryObstacle) {
      source = try targetWalker.open(sourceKey.parent ?? .root)
    } catch { return try run.skip(index, error, "open") }
    try attempt(index, key, "link") { [run] builder, directory throws(Errno) in
      let file = try source.descriptor.openOnSameMount(sourceKey.name, [.path])
      // Somebody may have put another file there.
      let status = try file.status()
      if !RestoreRun.matches(status, entry) { throw .noSuchFileOrDirectory }
      // Such a file can't be given a name. The plan has a settling that makes it immutable again.
      if status.kind == .file, status.inodeFlags & MetadataWriter.immutable != 0 {
        let opened = try source.descriptor.openOnSameMount(
          sourceKey.name, [.readOnly, .nonBlocking])
        _ = run.metadata.release(sourceKey, opened, status)
      }
      try run.writable(directory, key.parent ?? .root) { () throws(Errno) in
        try directory.descriptor.link(file, as: key.name)
      }
    }
    try run.hasBuilt(index)
  }

  mutating func finishDirectory(_ index: Int) throws(FolderError) {
    guard let entry = run.plan.items[index].new else { return }
    let key = run.plan.buildKey(index)
    let attributes = try run.attributes(of: entry, objects) ?? []
    do throws(DirectoryObstacle) {
      let directory = try walker.open(key)
      do throws(Errno) {
        let status = try directory.descriptor.status()
        run.metadata.apply(
          entry, attributes, to: directory.descriptor, status, isExact: true)
        run.metadata.setFirstFlags(entry, directory.descriptor, status)
      } catch { throw .system(error) }
    } catch { try run.skip(index, error, "open") }
  }

  // MARK: - Durability

  /// fsync(2) of built items and of the directories that name them; false where one can't be opened.
  mutating func synchronize(_ indices: [Int]) throws(FolderError) -> Bool {
    var parents: Set<PathKey> = []
    var files: [(key: PathKey, file: OpenEntry)] = []
    for index in indices {
      let item = run.plan.items[index]
      let key = run.plan.buildKey(index)
      parents.insert(key.parent ?? .root)
      guard item.link == nil, item.new?.kind == .file || item.new?.kind == .directory else {
        continue
      }
      guard let directory = try parent(index, key) else { return false }
      do throws(Errno) {
        let file = OpenEntry(
          try directory.descriptor.openOnSameMount(key.name, [.readOnly, .nonBlocking]))
        if item.new?.kind == .file { file.descriptor.startWriting() }
        files.append((item.key, file))
      } catch { return false }
    }
    for (key, file) in files {
      try onPath(key, "fsync") { () throws(Errno) in try file.descriptor.synchronize() }
    }
    return try run.synchronize(parents)
  }

  // MARK: - Directories

  private mutating func attempt(
    _ index: Int, _ key: PathKey, _ operation: String,
    _ body: (inout EntryBuilder, OpenEntry) throws(Errno) -> Void
  ) throws(FolderError) {
    guard let directory = try parent(index, key) else { return }
    do throws(Errno) { try body(&self, directory) } catch {
      try run.skip(index, error, operation)
    }
  }

  /// The directory that an item is built in; nil, and the item is given up, where there is none.
  private mutating func parent(_ index: Int, _ key: PathKey) throws(FolderError) -> OpenEntry? {
    do throws(DirectoryObstacle) { return try walker.open(key.parent ?? .root) } catch {
      try run.skip(index, error, "open")
      return nil
    }
  }

  /// Whether what is made in a directory gets an ACL from it.
  private mutating func inherits(_ directory: OpenEntry, _ key: PathKey) -> Bool {
    if let inheritance, inheritance.key == key { return inheritance.inherits }
    let inherits = directory.descriptor.hasAttribute(MetadataWriter.defaultList)
    inheritance = (key, inherits)
    return inherits
  }
}

extension FileSystemType {
  /// Whether copies within the file system share blocks.
  var sharesBlocks: Bool { self == .btrfs || self == .xfs }
}
