internal import DTMSystem
internal import SystemPackage

/// A pack by name, opened when it is first read.
final class PackHandle {
  let id: PackID
  let kind: PackKind
  private var opened: PackFile?

  init(_ id: PackID, _ kind: PackKind, opened: PackFile? = nil) {
    self.id = id
    self.kind = kind
    self.opened = opened
  }

  /// The pack's file, wherever it stands by now.
  func file(_ files: any FileOperations) throws(RepositoryError) -> PackFile {
    if let opened { return opened }
    let file: PackFile
    do throws(RepositoryError) { file = try PackFile(sealed: id, kind, files: files) } catch {
      guard error.code == .notFound else { throw error }
      // Condemned since it was listed, and there still.
      do throws(RepositoryError) {
        file = try PackFile(sealed: id, kind, in: CondemnedPacks.directory, files: files)
      } catch _ { throw error }
    }
    opened = file
    return file
  }
}

/// Where a copy of an object stands.
struct ObjectLocation {
  let pack: PackHandle
  let frameOffset: Int
}

/// All packs of a repository, and where each object is: live packs by an index of their front and
/// a hash table of the rest, sealed ones in mapped tables. Not for two threads at once.
final class PackCatalog {
  /// So often the packs are listed while some of them go.
  private static let listings = 5

  let files: any FileOperations
  private var handles: [PackID: PackHandle] = [:]
  var live: [PackID: LivePackObjects] = [:]
  /// Those that were there when this was opened, of packs that are live or were.
  var liveIndexes: [LiveIndexName] = []
  /// Whether a pack was sealed since the indexes of live ones were looked through.
  var hasSealed = false
  var tables: [(handle: PackHandle, table: IDTable)] = []
  var indexes: [(index: MergedIndex, handles: [PackHandle?])] = []
  /// Objects of sealed packs that no table or index names where they are: those of packs whose
  /// trailer is damaged, and what `audit` found.
  private var untabled: [ObjectName: ObjectLocation] = [:]
  /// Packs that count and can't be opened, and why.
  private(set) var unreadable: [PackID: RepositoryError] = [:]
  /// Whether the tables were compared with the frames of all packs that are known now.
  private var isAudited = false
  /// Sealed packs that were found before their sealer had made their names durable.
  var unsettled: [PackFile] = []
  private var sequence: UInt64?
  /// Packs that are left out, as if they were not there.
  private let excluded: Set<PackID>
  /// The newest epoch when, or before, the sealed packs were listed whole.
  var epoch: String?

  init(_ files: any FileOperations, excluding excluded: Set<PackID> = []) {
    self.files = files
    self.excluded = excluded
  }

  /// Takes in what was committed and sealed since the last call.
  ///
  /// `hasSealed`: packs were begun and sealed since, of which no record told.
  func refresh(_ state: RefLogState, hasSealed: Bool = false) throws(RepositoryError) {
    if state.sequence == sequence { return }
    let gone = live.keys.contains { state.livePacks[$0] == nil }
    if sequence == nil || gone || hasSealed { try refreshSealed() }
    if gone { forgetFormerlyLive(state) }
    unreadable = unreadable.filter { id, error in
      error.code != .notFound || state.livePacks[id] != nil
    }
    for pack in state.livePacks.values.sorted(by: { $0.id < $1.id })
    where !excluded.contains(pack.id) {
      try refreshLive(pack.id, pack)
    }
    sequence = state.sequence
  }

  /// Whether a live pack of a state is not there: a newer one may tell that it was sealed and collected since.
  func misses(_ state: RefLogState) -> Bool {
    unreadable.contains { id, error in
      error.code == .notFound && state.livePacks[id] != nil
    }
  }

  /// Forgets packs that were live, are not any more, and do not stand in `packs/`: what they held was
  /// collected since, or they were set aside. That they are still open here must not make them count.
  private func forgetFormerlyLive(_ state: RefLogState) {
    for id in live.keys where state.livePacks[id] == nil {
      live[id] = nil
      handles[id] = nil
      hasSealed = true
    }
  }

  private func refreshLive(_ id: PackID, _ pack: LivePack) throws(RepositoryError) {
    let known: LivePackObjects
    if let there = live[id] {
      known = there
    } else {
      if let handle = handles[id], (try? handle.file(files))?.isSealed == true { return }
      let file: PackFile
      do throws(RepositoryError) {
        file = try PackFile(live: id, pack.kind, length: pack.length, files: files)
      } catch {
        guard error.code == .notFound || error.code == .corrupt else { throw error }
        // Sealed since: it stands in packs/ now.
        if error.code == .notFound { try refreshSealed() }
        // Damaged: what can be read without it is read; verify says so.
        if handles[id] == nil, unreadable[id] == nil { unreadable[id] = error }
        return
      }
      known = LivePackObjects(
        PackHandle(id, pack.kind, opened: file), file, indexes: liveIndexes, files: files)
      live[id] = known
      handles[id] = known.handle
    }
    try known.extend(to: pack.length)
  }

  /// A live pack's committed length and number of objects, for the writer that adopts it; nil where it
  /// is not whole.
  func adoptable(_ id: PackID) -> (length: Int, pack: PackFile, count: Int)? {
    guard let known = live[id], known.isWhole else { return nil }
    return (known.end, known.file, known.count)
  }

  /// A live pack turned out to be damaged where its index says that it is not.
  func distrust(_ id: PackID) {
    // What fails here fails again, and is said, where the pack is read.
    _ = try? live[id]?.audit()
  }

  private func refreshSealed(usingIndexes: Bool = true) throws(RepositoryError) {
    // One that goes before it is opened was collected: what is needed of it stands in another, which may not
    // have been listed.
    for _ in 0..<Self.listings where try openListed(usingIndexes: usingIndexes) { return }
  }

  /// Returns false where a pack that was listed is gone.
  private func openListed(usingIndexes: Bool) throws(RepositoryError) -> Bool {
    var isWhole = true
    let names = try onFile("packs", "list") { () throws(Errno) in try files.list("packs") }
    var present: [PackID: PackKind] = [:]
    present.reserveCapacity(names.count)
    for name in names {
      if let (id, kind) = PackFile.parse(name), !excluded.contains(id) { present[id] = kind }
    }
    if sequence == nil && usingIndexes && indexes.isEmpty {
      handles.reserveCapacity(names.count)
      loadIndexes(present)
    }
    // Those that no index and no table of ours covers.
    let new = present.filter { handles[$0.key] == nil || live[$0.key] != nil }
    // In order, as everything that a seed of the crash tests has to repeat.
    for (id, kind) in new.sorted(by: { $0.key < $1.key }) {
      let file: PackFile
      do throws(RepositoryError) {
        file = try PackFile(sealed: id, kind, files: files)
      } catch {
        guard error.code == .notFound || error.code == .corrupt else { throw error }
        if error.code == .corrupt { unreadable[id] = error } else { isWhole = false }
        continue
      }
      let handle = PackHandle(id, kind, opened: file)
      handles[id] = handle
      unreadable[id] = nil
      isAudited = false
      if !file.isSettled { unsettled.append(file) }
      if let table = file.table {
        tables.append((handle, table))
      } else {
        try readFrames(of: handle)
      }
      if live.removeValue(forKey: id) != nil { hasSealed = true }
    }
    return isWhole
  }

  /// Takes in what the frames of a sealed pack say, as far as they can be read.
  ///
  /// `isNews`: which of the objects are wanted. Returns whether there were any.
  @discardableResult
  private func readFrames(
    of handle: PackHandle, where isNews: (ObjectName, Int) -> Bool = { _, _ in true }
  ) throws(RepositoryError) -> Bool {
    var found = false
    do throws(RepositoryError) {
      try handle.file(files).forEachFrame { offset, header in
        for row in header.rows {
          let name = ObjectName(id: row.id, kind: row.kind)
          guard isNews(name, offset) else { continue }
          untabled[name] = ObjectLocation(pack: handle, frameOffset: offset)
          found = true
        }
      }
    } catch {
      guard error.code == .notFound || error.code == .corrupt else { throw error }
    }
    return found
  }

  private func loadIndexes(_ present: [PackID: PackKind]) {
    // No index is better than a wrong error: it is a cache.
    let names = (try? files.list("index")) ?? []
    liveIndexes = names.sorted().compactMap { LiveIndexName($0) }
    for name in names.sorted() where name.hasSuffix(".index") {
      guard let index = MergedIndex(name, files: files) else { continue }
      let handles = index.packs.map { pack -> PackHandle? in
        guard present[pack.id] != nil else { return nil }
        if let known = self.handles[pack.id] { return known }
        let handle = PackHandle(pack.id, pack.kind)
        self.handles[pack.id] = handle
        return handle
      }
      indexes.append((index, handles))
    }
  }

  /// Lists the sealed packs anew, and forgets those that are not there any more: a collection has
  /// condemned or deleted them. Returns them.
  func forgetGone() throws(RepositoryError) -> Set<PackID> {
    let names = try onFile("packs", "list") { () throws(Errno) in try files.list("packs") }
    let present = Set(names.compactMap { PackFile.parse($0)?.0 })
    let gone = Set(handles.keys.filter { live[$0] == nil && !present.contains($0) })
    for id in gone {
      handles[id] = nil
      unreadable[id] = nil
    }
    tables.removeAll { gone.contains($0.handle.id) }
    untabled = untabled.filter { !gone.contains($0.value.pack.id) }
    unsettled.removeAll { gone.contains($0.id) }
    for index in indexes.indices {
      for (position, handle) in indexes[index].handles.enumerated() {
        if let handle, gone.contains(handle.id) { indexes[index].handles[position] = nil }
      }
    }
    try refreshSealed()
    return gone
  }

  /// Where copies of an object may stand in packs that are condemned and not deleted yet: who began
  /// before may build on them still, so they can be read, but nothing new may be built on them.
  func condemnedLocations(
    of id: ObjectID, _ kind: ObjectKind
  ) throws(RepositoryError) -> [ObjectLocation] {
    var found: [ObjectLocation] = []
    for pack in try CondemnedPacks(files).packs() {
      guard let table = pack.table else { continue }
      let handle = PackHandle(pack.id, pack.kind, opened: pack)
      for row in table.rows(of: id) {
        let offset = table.bytes.littleEndianWord(at: table.rowOffset(row) + ObjectID.length)
        if offset < 1 << 40 {
          found.append(ObjectLocation(pack: handle, frameOffset: Int(offset)))
        }
      }
    }
    return found
  }

  /// Where copies of an object may stand; the reader checks. None for a miss.
  func locations(of id: ObjectID, _ kind: ObjectKind) -> [ObjectLocation] {
    var found: [ObjectLocation] = []
    for known in live.values {
      for offset in known.frameOffsets(of: id, kind) {
        found.append(ObjectLocation(pack: known.handle, frameOffset: offset))
      }
    }
    let name = ObjectName(id: id, kind: kind)
    if let location = untabled[name] { found.append(location) }
    for (handle, table) in tables {
      for row in table.rows(of: id) {
        let offset = table.bytes.littleEndianWord(at: table.rowOffset(row) + ObjectID.length)
        if offset < 1 << 40 {
          found.append(ObjectLocation(pack: handle, frameOffset: Int(offset)))
        }
      }
    }
    for (index, handles) in indexes {
      for row in index.table.rows(of: id) {
        if let (pack, frameOffset) = index.location(row), let handle = handles[pack] {
          found.append(ObjectLocation(pack: handle, frameOffset: frameOffset))
        }
      }
    }
    return found
  }

  /// Calls `body` with each id that tables name between two ids, in no order, some more than once.
  func forEachID(from first: ObjectID, through last: ObjectID, _ body: (ObjectID) -> Void) {
    for known in live.values { known.forEachID(from: first, through: last, body) }
    for name in untabled.keys where name.id >= first && name.id <= last { body(name.id) }
    for table in tables.map(\.table) + indexes.map(\.index.table) {
      table.forEachID(from: first, through: last, body)
    }
  }

  /// The last resort for an object that no table names, or names wrongly: compares all tables with
  /// the frames, once for the packs that are known.
  ///
  /// Merged indexes that are wrong are deleted: they are caches, the next commit writes new ones. What
  /// a pack's own trailer does not name is kept in memory. Returns whether anything came to light.
  /// Cost: the headers of all frames, and a lookup for each object.
  func audit() throws(RepositoryError) -> Bool {
    if isAudited { return false }
    try refreshSealed()
    defer { isAudited = true }
    var isNew = false
    for known in live.values { isNew = try known.audit() || isNew }
    guard try auditFrames() || isNew else { return false }
    if indexes.isEmpty { return true }
    for (index, _) in indexes {
      // Another process may have done the same.
      try? files.remove(index.name)
    }
    (indexes, tables, untabled) = ([], [], [:])
    handles = live.mapValues(\.handle)
    try refreshSealed(usingIndexes: false)
    _ = try auditFrames()
    return true
  }

  private func auditFrames() throws(RepositoryError) -> Bool {
    var isNew = false
    for handle in allPacks() where live[handle.id] == nil {
      let found = try readFrames(of: handle) { [self] name, offset in
        !locations(of: name.id, name.kind).contains {
          $0.pack === handle && $0.frameOffset == offset
        }
      }
      isNew = isNew || found
    }
    return isNew
  }

  /// Makes sure that no crash takes a sealed pack back out of `packs/`, before something is committed
  /// that deduplication found in it: its sealer may be at work still, or was killed.
  func settle() throws(RepositoryError) {
    if unsettled.isEmpty { return }
    try onFile("packs", "fsync") { () throws(Errno) in try files.synchronizeDirectory("packs") }
    for file in unsettled { file.settle() }
    unsettled = []
  }

  /// The packs that count.
  var packs: Set<PackID> { Set(handles.keys) }

  /// A pack that counts; nil where none of the id does.
  func handle(_ id: PackID) -> PackHandle? { handles[id] }

  /// All packs that count: sealed ones and the committed part of live ones.
  func allPacks() -> [PackHandle] {
    handles.values.sorted { $0.id < $1.id }
  }
}
