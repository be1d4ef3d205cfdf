package import DTMRepository
package import DTMSystem
internal import SystemPackage

/// The folder as it is now, as a tree over the repository's objects.
package struct WorkingTree {
  /// Pages are in memory; a file's chunks are named and stand in the folder alone.
  package let tree: Tree
  package let objects: any ObjectReader
  /// The branch's newest snapshot; nil before the first.
  package let head: KnownSnapshot?
  package let branch: String
  /// What could not be looked at; its last known content stands in the tree.
  package let problems: [Snapshot.Problem]
  package let uncovered: [PathKey]
  package let hot: [PathKey]
  package let nested: [PathKey]
}

extension Folder {
  /// Looks at the whole folder, reading the files that stat does not vouch for, and writes nothing.
  ///
  /// Needs no lock. `changes`: with the basis `events`, only its paths are looked at.
  package func working(
    _ changes: ChangeSet = ChangeSet(basis: .scan)
  ) throws(FolderError) -> WorkingTree {
    defer { state.endReading() }
    do throws(FolderError) {
      return try workingOnce(changes)
    } catch {
      // Another process may be writing the cache anew; without it everything is read. A damaged tree is
      // no base.
      guard error.code == .stateDamaged || error.code == .corrupt else { throw error }
      return try workingOnce(changes, distrusting: true, isAfresh: error.code == .corrupt)
    }
  }

  private func workingOnce(
    _ changes: ChangeSet, distrusting: Bool = false, isAfresh: Bool = false
  ) throws(FolderError) -> WorkingTree {
    _ = try refreshRoot()
    let objects = WorkingObjects(over: repository.objects, chunker: repository.format.chunker)
    let basis = try basis(objects, isAfresh: isAfresh)
    try check(changes, basis)
    let base = basis.base.map { Tree(root: $0.snapshot.tree, objects: objects) }
    let run = CaptureRun(
      root, environment, ignoring: scope, state: state,
      isTrusted: basis.isTrusted && !distrusting, base: base, store: objects,
      CaptureRun.Options(
        readsAll: changes.basis == .full, ignoresHotLimit: true, writesState: false))
    let revisits = try run.readRevisits()
    if changes.basis == .events {
      try run.lookAt(changes, revisits)
    } else {
      try run.scanAll()
    }
    let tree = try run.finish(isWanted: true)
    return WorkingTree(
      tree: tree, objects: objects, head: basis.parent, branch: basis.branch,
      problems: run.findings.problems, uncovered: run.findings.uncovered, hot: run.findings.hot,
      nested: run.findings.nested)
  }

  /// Calls `body` with the bytes of a file of the folder as they are now, piece by piece.
  package func forEachPiece(
    of key: PathKey, _ body: (Int, [UInt8]) throws(FolderError) -> Void
  ) throws(FolderError) {
    let pieceLength = 1 << 20
    guard let parent = key.parent else {
      throw FolderError(.invalidInput, "the folder itself has no bytes", path: key)
    }
    let file: OpenEntry
    do throws(Errno) {
      let directory = try root.openDirectory(parent)
      file = OpenEntry(
        try directory.descriptor.openOnSameMount(key.name, [.readOnly, .nonBlocking]))
      if try file.descriptor.status().kind != .file { throw .isDirectory }
    } catch { throw FolderError(error, "open", Quoting.path(key.path), path: key) }
    var offset = 0
    while true {
      let piece: [UInt8]
      do throws(Errno) {
        piece = try file.descriptor.read(at: offset, count: pieceLength)
      } catch { throw FolderError(error, "read", Quoting.path(key.path), path: key) }
      if piece.isEmpty { return }
      try body(offset, piece)
      offset += piece.count
    }
  }
}
