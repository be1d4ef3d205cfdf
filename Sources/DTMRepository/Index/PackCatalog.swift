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
    let file = try PackFile(sealed: id, kind, files: files)
    opened = file
    return file
  }
}

/// Where a copy of an object stands.
struct ObjectLocation {
  let pack: PackHandle
  let frameOffset: Int
}

/// All packs of a repository, and where each object is: live packs in a hash table, sealed ones in
/// mapped tables. Not for two threads at once.
final class PackCatalog {
  /// A live pack's committed part.
  private final class Live {
    let handle: PackHandle
    let file: PackFile
    var objects = LiveRows()
    var end: Int

    init(_ handle: PackHandle, _ file: PackFile) {
      self.handle = handle
      self.file = file
      end = file.framesStart
    }
  }

  /// So many small tables are looked through before they are merged into one.
  private static let tableLimit = 8

  private let files: any FileOperations
  private var handles: [PackID: PackHandle] = [:]
  private var live: [PackID: Live] = [:]
  private var tables: [(handle: PackHandle, table: IDTable)] = []
  private var indexes: [(index: MergedIndex, handles: [PackHandle?])] = []
  /// Sealed packs whose trailer is damaged: found by their frames, at last.
  private var untabled: [PackHandle] = []
  /// Sealed packs that were found before their sealer had made their names durable.
  private var unsettled: [PackFile] = []
  private var sequence: UInt64?

  init(_ files: any FileOperations) {
    self.files = files
  }

  /// Takes in what was committed and sealed since the last call.
  func refresh(_ state: RefLogState) throws(RepositoryError) {
    if state.sequence == sequence { return }
    let gone = live.keys.contains { state.livePacks[$0] == nil }
    if sequence == nil || gone { try refreshSealed() }
    for (id, pack) in state.livePacks { try refreshLive(id, pack) }
    sequence = state.sequence
  }

  private func refreshLive(_ id: PackID, _ pack: LivePack) throws(RepositoryError) {
    let known: Live
    if let there = live[id] {
      known = there
    } else {
      if let handle = handles[id], (try? handle.file(files))?.isSealed == true { return }
      let file: PackFile
      do throws(RepositoryError) {
        file = try PackFile(live: id, pack.kind, length: pack.length, files: files)
      } catch {
        // Sealed since: it stands in packs/ now.
        if error.code == .notFound { return try refreshSealed() }
        // Damaged: what can be read without it is read; verify says so.
        if error.code == .corrupt { return }
        throw error
      }
      known = Live(PackHandle(id, pack.kind, opened: file), file)
      live[id] = known
      handles[id] = known.handle
    }
    known.file.extend(to: pack.length)
    do throws(RepositoryError) {
      try known.file.forEachFrame(from: known.end) { offset, header in
        for row in PackRow.rows(of: header, at: offset) { known.objects.append(row) }
        known.end = offset + header.frameLength
      }
    } catch {
      // The frames before the damage are known; a reader of the others is told.
      if error.code != .corrupt { throw error }
    }
  }

  /// A live pack's committed length and rows, for the writer that adopts it; nil where it is not
  /// whole.
  func adoptable(_ id: PackID) -> (length: Int, pack: PackFile, rows: [PackRow])? {
    guard let known = live[id], known.end == known.file.framesEnd else { return nil }
    return (known.end, known.file, known.objects.rows)
  }

  private func refreshSealed() throws(RepositoryError) {
    let names = try onFile("packs", "list") { () throws(Errno) in try files.list("packs") }
    var present: [PackID: PackKind] = [:]
    for name in names {
      if let (id, kind) = PackFile.parse(name) { present[id] = kind }
    }
    if sequence == nil { loadIndexes(present) }
    var covered: Set<PackID> = []
    for (index, _) in indexes { covered.formUnion(index.packs.map(\.id)) }
    covered.formUnion(tables.map(\.handle.id))
    for (id, kind) in present where !covered.contains(id) {
      let file: PackFile
      do throws(RepositoryError) {
        file = try PackFile(sealed: id, kind, files: files)
      } catch {
        if error.code == .notFound || error.code == .corrupt { continue }
        throw error
      }
      let handle = PackHandle(id, kind, opened: file)
      handles[id] = handle
      if !file.isSettled { unsettled.append(file) }
      if let table = file.table { tables.append((handle, table)) } else { untabled.append(handle) }
      live[id] = nil
    }
  }

  private func loadIndexes(_ present: [PackID: PackKind]) {
    // No index is better than a wrong error: it is a cache.
    let names = (try? files.list("index")) ?? []
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

  /// Where copies of an object may stand; the reader checks. None for a miss.
  func locations(of id: ObjectID, _ kind: ObjectKind) -> [ObjectLocation] {
    var found: [ObjectLocation] = []
    for known in live.values {
      for offset in known.objects.frameOffsets(of: id, kind) {
        found.append(ObjectLocation(pack: known.handle, frameOffset: offset))
      }
    }
    for (handle, table) in tables {
      guard var row = table.firstRow(of: id) else { continue }
      while row < table.count, table.id(row) == id {
        let offset = table.bytes.littleEndianWord(at: table.rowOffset(row) + ObjectID.length)
        if offset < 1 << 40 {
          found.append(ObjectLocation(pack: handle, frameOffset: Int(offset)))
        }
        row += 1
      }
    }
    for (index, handles) in indexes {
      guard var row = index.table.firstRow(of: id) else { continue }
      while row < index.table.count, index.table.id(row) == id {
        if let (pack, frameOffset) = index.location(row), let handle = handles[pack] {
          found.append(ObjectLocation(pack: handle, frameOffset: frameOffset))
        }
        row += 1
      }
    }
    return found
  }

  /// Calls `body` with each id that tables name between two ids, in no order, some more than once.
  func forEachID(from first: ObjectID, through last: ObjectID, _ body: (ObjectID) -> Void) {
    for known in live.values {
      for row in known.objects.rows where row.id >= first && row.id <= last { body(row.id) }
    }
    for table in tables.map(\.table) + indexes.map(\.index.table) {
      var row = table.lowerBound(first)
      while row < table.count {
        let id = table.id(row)
        if id > last { break }
        body(id)
        row += 1
      }
    }
  }

  /// The last resort for an object that no table names: reads the frames' headers of all sealed
  /// packs. What it finds shows that a table or an index is damaged.
  func search(_ id: ObjectID) -> [ObjectLocation] {
    var found: [ObjectLocation] = []
    for handle in handles.values {
      guard let file = try? handle.file(files), file.isSealed else { continue }
      // A damaged pack is read as far as it goes.
      try? file.forEachFrame { offset, header in
        if header.rows.contains(where: { $0.id == id }) {
          found.append(ObjectLocation(pack: handle, frameOffset: offset))
        }
      }
    }
    return found
  }

  /// Deletes all merged indexes, because one of them was wrong; the next commit writes new ones.
  func distrustIndexes() {
    for (index, _) in indexes { try? files.remove(index.name) }
    indexes = []
    sequence = nil
    tables = []
  }

  /// Makes sure that no crash takes a sealed pack back out of `packs/`, before something is committed
  /// that deduplication found in it: its sealer may be at work still, or was killed.
  func settle() throws(RepositoryError) {
    if unsettled.isEmpty { return }
    try onFile("packs", "fsync") { () throws(Errno) in try files.synchronizeDirectory("packs") }
    for file in unsettled { file.settle() }
    unsettled = []
  }

  /// Merges the tables of single packs, and smaller indexes, into one once there are many. A cache:
  /// that it can't be written is no failure.
  func mergeTables() {
    // Packs that an index names are not looked at one by one any more.
    guard tables.count >= Self.tableLimit, unsettled.isEmpty else { return }
    do throws(RepositoryError) { try writeMerged() } catch { return }
  }

  private func writeMerged() throws(RepositoryError) {
    var rows = tables.reduce(0) { $0 + $1.table.count }
    var absorbed: [(index: MergedIndex, handles: [PackHandle?])] = []
    // An index at most as large as what joins it: each row is rewritten O(log n) times.
    for entry in indexes.sorted(by: { $0.index.table.count < $1.index.table.count })
    where entry.index.table.count <= rows {
      absorbed.append(entry)
      rows += entry.index.table.count
    }
    var packs: [PackHandle] = []
    var sources: [MergedIndex.Source] = []
    for (handle, table) in tables {
      let pack = packs.count
      packs.append(handle)
      sources.append(
        MergedIndex.Source(table: table) { row in
          let word = table.bytes.littleEndianWord(at: table.rowOffset(row) + ObjectID.length)
          return word < 1 << 40 ? (pack, Int(word)) : nil
        })
    }
    for (index, handles) in absorbed {
      let base = packs.count
      // A pack that is gone keeps its number, and its rows are left out.
      packs += index.packs.enumerated().map { position, pack in
        handles[position] ?? PackHandle(pack.id, pack.kind)
      }
      sources.append(
        MergedIndex.Source(table: index.table) { row in
          guard let (pack, frameOffset) = index.location(row), handles[pack] != nil else {
            return nil
          }
          return (base + pack, frameOffset)
        })
    }
    let name = try MergedIndex.write(
      sources, packs: packs.map { ($0.id, $0.kind) }, files: files)
    guard let merged = MergedIndex(name, files: files) else { return }
    for (index, _) in absorbed { try? files.remove(index.name) }
    let names = Set(absorbed.map(\.index.name))
    indexes.removeAll { names.contains($0.index.name) }
    indexes.append((merged, packs))
    tables = []
  }

  /// All packs that count: sealed ones and the committed part of live ones.
  func allPacks() -> [PackHandle] {
    handles.values.sorted { $0.id < $1.id }
  }
}
