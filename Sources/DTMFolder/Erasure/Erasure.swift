package import DTMRepository
package import DTMSystem
internal import SystemPackage

/// Takes the content of paths out of all history, and proves that it is gone.
package struct Erasure {
  package let history: HistoryRewriting.Outcome
  package let collection: CollectionReport
  /// Content of the erased paths, and pages that hold them, which stand in the repository still: other paths
  /// or other folders have the same, or somebody who began earlier is still writing.
  package let left: Set<ObjectID>
  /// Files that a repair has set aside, and that may hold it.
  package let setAside: [String]

  /// Erases. The caller holds the capture lock.
  ///
  /// `grace`: what else was pruned, or can be undone, stays for so long.
  /// The history is rewritten by one record: cut off before it, nothing has happened; after it, the content
  /// is freed by the next erasure or collection. Throws what these throw.
  package init(
    _ repository: Repository, folder: PackID, pattern: String,
    matching matches: @escaping (PathKey, _ isDirectory: Bool) -> Bool, grace: Duration,
    uid: UInt32,
    at time: Timestamp, waits: @escaping () -> Bool
  ) throws(FolderError) {
    try onRepository { () throws(RepositoryError) in
      try RepositoryCollection.checkRestores(repository.files)
    }
    let rewriting = try HistoryRewriting(repository, folder: folder, matching: matches)
    history = try rewriting.rewrite(pattern: pattern, uid: uid, at: time)
    let contents = history.contents.union(history.pages)
    (collection, left, setAside) = try onRepository { () throws(RepositoryError) in
      try Self.dropCaches(of: folder, repository.files)
      let report = try RepositoryCollection(
        repository, .erasure(grace: grace),
        RepositoryRepair.Context(time: time, pid: ProcessSignals.processID, uid: uid), waits: waits
      ).run()
      let names = (try? repository.files.list("trash")) ?? []
      return (
        report, try repository.stored(among: contents),
        names.filter { $0.hasPrefix("damaged-") }.sorted().map { "trash/" + $0 }
      )
    }
  }

  /// What the folder looked like: free pages of a database may hold anything that once was in it.
  private static func dropCaches(
    of folder: PackID, _ files: any FileOperations
  ) throws(RepositoryError) {
    do throws(Errno) {
      for name in try files.list("state") where name.hasPrefix(folder.hex) {
        try files.remove("state/" + name)
      }
    } catch {
      if error != .noSuchFileOrDirectory { throw RepositoryError(error, "empty", file: "state") }
    }
  }
}
