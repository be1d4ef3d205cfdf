internal import DTMSystem

/// Writing indexes, which are caches.
extension PackCatalog {
  /// So many small tables are looked through before they are merged into one.
  private static let tableLimit = 8

  /// Indexes what has become much: live packs that got many frames, and many tables of single packs,
  /// which with smaller indexes are merged into one. Caches: that they can't be written is no failure.
  func writeIndexes(_ limits: PackLimits) {
    for known in live.values { known.writeIndex(leastFrames: limits.unindexedFrames) }
    if hasSealed { removeLiveIndexes() }
    // Packs that an index names are not looked at one by one any more.
    guard tables.count >= Self.tableLimit, unsettled.isEmpty else { return }
    do throws(RepositoryError) { try writeMerged() } catch { return }
  }

  /// Writes the indexes anew that have rows of packs which are gone. A cache, as above.
  func dropGoneRows() {
    guard unsettled.isEmpty, indexes.contains(where: { $0.handles.contains { $0 == nil } }) else {
      return
    }
    do throws(RepositoryError) { try writeMerged(absorbsGone: true) } catch { return }
  }

  /// `absorbsGone`: takes in the indexes too that have rows of packs which are gone.
  private func writeMerged(absorbsGone: Bool = false) throws(RepositoryError) {
    var rows = tables.reduce(0) { $0 + $1.table.count }
    var absorbed: [(index: MergedIndex, handles: [PackHandle?])] = []
    // An index at most as large as what joins it: each row is rewritten O(log n) times.
    for entry in indexes.sorted(by: { $0.index.table.count < $1.index.table.count })
    where entry.index.table.count <= rows
      || absorbsGone && entry.handles.contains(where: { $0 == nil })
    {
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
      // The packs that are gone are left out, with their rows.
      var numbers: [Int?] = []
      for handle in handles {
        numbers.append(handle == nil ? nil : packs.count)
        if let handle { packs.append(handle) }
      }
      sources.append(
        MergedIndex.Source(table: index.table) { row in
          guard let (pack, frameOffset) = index.location(row), let number = numbers[pack] else {
            return nil
          }
          return (number, frameOffset)
        })
    }
    let name = PackID.random(files).hex + ".index"
    try MergedIndex.write(
      sources, packs: packs.map { ($0.id, $0.kind) }, as: name, files: files)
    guard let merged = MergedIndex(name, files: files) else { return }
    for (index, _) in absorbed { try? files.remove(index.name) }
    let names = Set(absorbed.map(\.index.name))
    indexes.removeAll { names.contains($0.index.name) }
    indexes.append((merged, packs))
    tables = []
  }

  /// Those of packs that are not live any more.
  private func removeLiveIndexes() {
    hasSealed = false
    for name in (try? files.list("index")) ?? [] {
      guard let index = LiveIndexName(name), live[index.pack] == nil else { continue }
      try? files.remove("index/" + name)
    }
  }
}
