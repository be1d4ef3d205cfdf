internal import DTMRepository
internal import DTMSystem

/// The entries of an archive that is read: in memory, but for content and long attributes.
struct ArchiveTree {
  /// Directories that an archive takes for granted have this mode.
  private static let impliedMode: UInt32 = 0o755

  private let store: any CaptureStore
  private let progress: WorkProgress
  private let owner: (user: Owner, group: Owner)
  private var entries: [PathKey: TreeEntry] = [:]
  /// Which file a name of several stands for.
  private var groups: [PathKey: Int] = [:]
  private var problems: [Snapshot.Problem] = []

  /// `owner`: of directories that the archive has no member for.
  init(
    _ store: any CaptureStore, progress: WorkProgress, owner: (user: Owner, group: Owner)
  ) {
    self.store = store
    self.progress = progress
    self.owner = owner
  }

  /// Reads all members. A later one of the same name takes the place of an earlier one.
  mutating func read(_ source: ArchiveSource) throws(FolderError) {
    let reader = TarReader(source)
    while let member = try reader.next() {
      let key = try key(member.name, source)
      if key.components.contains(repositoryName) { continue }
      progress.add(entries: 1, bytes: member.size)
      try take(key, member, reader, source)
    }
  }

  /// The tree of what was read.
  mutating func finish() throws(FolderError) -> (tree: Tree, problems: [Snapshot.Problem]) {
    addParents()
    joinLinks()
    let sorted = entries.values.sorted { $0.key < $1.key }
    var builder = TreeBuilder(writer: store)
    let tree = try onRepository { () throws(RepositoryError) in
      for entry in sorted { try builder.append(entry) }
      return try builder.finish()
    }
    return (tree, problems.sorted { $0.key < $1.key })
  }

  // MARK: - Members

  /// A name in the folder: without `./` and leading `/`. One that leaves the folder is damage.
  private func key(_ name: [UInt8], _ source: ArchiveSource) throws(FolderError) -> PathKey {
    guard let key = PathKey(path: name) else {
      throw source.damage("\(Quoting.path(name)) is no path beneath a folder")
    }
    if key.bytes.count >= CaptureRun.keyLimit { throw source.damage("a path is too long") }
    return key
  }

  private mutating func take(
    _ key: PathKey, _ member: TarMember, _ reader: TarReader, _ source: ArchiveSource
  ) throws(FolderError) {
    if member.kind == .link { return try link(key, to: try self.key(member.target, source)) }
    guard let kind = Self.kind(member.kind) else { throw source.damage("a member of no kind") }
    if key.isRoot, kind != .directory {
      throw source.damage("a member without a name")
    }
    var entry = TreeEntry(
      key: key, kind: kind, permissions: kind == .symlink ? 0o777 : member.permissions,
      owner: member.owner, group: member.group, modified: member.modified,
      inodeFlags: kind == .file || kind == .directory ? member.inodeFlags : 0,
      attributes: try store.stored(member.attributes))
    switch kind {
    case .symlink:
      if member.target.isEmpty { throw source.damage("a symbolic link without a target") }
      entry.content = .target(member.target)
      entry.size = UInt64(member.target.count)
    case .characterDevice, .blockDevice:
      entry.content = .device(major: member.major, minor: member.minor)
    case .file: try readContent(member, reader, &entry)
    case .directory, .fifo, .socket: break
    }
    put(entry)
  }

  private static func kind(_ kind: TarHeader.Kind) -> FileKind? {
    switch kind {
    case .file, .contiguous, .sparse: .file
    case .symlink: .symlink
    case .characterDevice: .characterDevice
    case .blockDevice: .blockDevice
    case .directory: .directory
    case .fifo: .fifo
    case .link, .extended, .global, .longName, .longTarget: nil
    }
  }

  private func readContent(
    _ member: TarMember, _ reader: TarReader, _ entry: inout TreeEntry
  ) throws(FolderError) {
    var builder = ContentBuilder(store)
    try reader.forEachPiece(of: member) { bytes throws(FolderError) in
      try onRepository { () throws(RepositoryError) in try builder.append(bytes) }
    } hole: { length throws(FolderError) in
      try onRepository { () throws(RepositoryError) in try builder.appendHole(length) }
    }
    entry.content = try onRepository { () throws(RepositoryError) in try builder.finish() }
    entry.size = UInt64(builder.size)
    entry.isSparse = builder.isSparse
  }

  private mutating func link(_ key: PathKey, to target: PathKey) throws(FolderError) {
    guard var entry = entries[target], entry.kind != .directory, !key.isRoot else {
      problems.append(
        Snapshot.Problem(
          key: key, kind: .unreadable,
          detail: "a link to \(Quoting.path(target.path)), which the archive does not hold"))
      return
    }
    let group = groups[target] ?? groups.count
    entry.key = key
    put(entry)
    groups[target] = group
    groups[key] = group
  }

  private mutating func put(_ entry: TreeEntry) {
    let key = entry.key
    groups[key] = nil
    // What was beneath a directory goes with it.
    if let old = entries[key], old.kind == .directory, entry.kind != .directory {
      for beneath in entries.keys.filter({ $0.isBeneath(key) }) {
        entries[beneath] = nil
        groups[beneath] = nil
      }
    }
    entries[key] = entry
  }

  // MARK: - The whole

  private mutating func addParents() {
    if entries.isEmpty { return }
    for entry in entries.values.sorted(by: { $0.key < $1.key }) {
      var parent = entry.key.parent
      while let key = parent, entries[key]?.kind != .directory {
        if let obstacle = entries[key] {
          problems.append(
            Snapshot.Problem(
              key: key, kind: .unsupported,
              detail: "it is no directory, and the archive has members beneath it"))
          groups[obstacle.key] = nil
        }
        entries[key] = TreeEntry(
          key: key, kind: .directory, permissions: Self.impliedMode, owner: owner.user,
          group: owner.group, modified: entry.modified)
        parent = key.parent
      }
    }
  }

  private mutating func joinLinks() {
    var names: [Int: [PathKey]] = [:]
    for (key, group) in groups { names[group, default: []].append(key) }
    for members in names.values where members.count > 1 {
      let first = members.min()
      for key in members { entries[key]?.linkGroup = first }
    }
  }
}
