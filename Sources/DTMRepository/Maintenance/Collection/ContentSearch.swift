internal import DTMSystem

extension Repository {
  /// Which of some objects stand in any pack: sealed, live or condemned. Looks at the header of every frame,
  /// not at any table.
  package func stored(among ids: Set<ObjectID>) throws(RepositoryError) -> Set<ObjectID> {
    _ = try refresh()
    var found: Set<ObjectID> = []
    var packs: [PackFile] = try CondemnedPacks(files).packs()
    for handle in self.packs.catalog.allPacks() { packs.append(try handle.file(files)) }
    for pack in packs {
      try pack.forEachFrame { _, header in
        for row in header.rows where ids.contains(row.id) { found.insert(row.id) }
      }
    }
    return found
  }
}
