internal import DTMRepository
internal import DTMSystem
internal import SystemPackage

extension Folder {
  /// What is there before a capture: the branch, its head, and what the state cache describes.
  struct Basis {
    let branch: String
    /// Whether the folder's HEAD is there.
    let hasHead: Bool
    /// The branch's newest snapshot.
    let parent: KnownSnapshot?
    /// The snapshot whose tree is the one to start from.
    let base: KnownSnapshot?
    /// The state cache's, where it describes the base.
    let header: StateHeader?

    /// Whether the state can be compared with what stat tells.
    var isTrusted: Bool { header != nil }
  }

  /// Reads the refs and begins to read the state.
  ///
  /// The state may be older than the head (a crash came between, or another program moved the
  /// branch): what it says is as true as ever, of the snapshot that it names.
  ///
  /// `isAfresh`: from nothing that is there, for a tree that is damaged.
  func basis(
    _ objects: any ObjectReader, isAfresh: Bool = false
  ) throws(FolderError) -> Basis {
    let history = try History(repository, folder: id)
    let branch = history.currentBranch
    let hasHead = history.state.refs[refs.head] != nil
    var parent: KnownSnapshot?
    if let head = history.head { parent = try history.snapshot(head) }
    if isAfresh {
      return Basis(branch: branch, hasHead: hasHead, parent: parent, base: nil, header: nil)
    }
    if let header = state.beginReading(), let base = try described(header, history, objects) {
      return Basis(branch: branch, hasHead: hasHead, parent: parent, base: base, header: header)
    }
    return Basis(branch: branch, hasHead: hasHead, parent: parent, base: parent, header: nil)
  }

  /// The snapshot that a state describes, when it is still there and its tree has as many entries.
  private func described(
    _ header: StateHeader, _ history: History, _ objects: any ObjectReader
  ) throws(FolderError) -> KnownSnapshot? {
    do throws(FolderError) {
      let known = try history.snapshot(header.head)
      let tree = Tree(root: known.snapshot.tree, objects: objects)
      let totals = try onRepository { () throws(RepositoryError) in try tree.totals(of: .root) }
      if known.snapshot.folder != id || totals.entries + 1 != header.entries { return nil }
      return known
    } catch {
      // Pruned, collected or damaged: a scan that reads everything does not need it.
      if error.code == .notFound || error.code == .corrupt { return nil }
      throw error
    }
  }

  /// Throws `.refused` where a change set can't be captured by itself.
  func check(_ changes: ChangeSet, _ basis: Basis) throws(FolderError) {
    if changes.basis != .events { return }
    guard let header = basis.header else {
      throw FolderError(.refused, "there is no state to apply changes to: scan the folder")
    }
    if header.head != basis.parent?.id {
      throw FolderError(.refused, "the state is not the branch's head: scan the folder")
    }
    if header.clock != changes.baseClock || changes.baseClock.isEmpty {
      throw FolderError(
        .refused,
        "the changes begin at \(changes.baseClock), the state ends at \(header.clock): scan the folder"
      )
    }
    if header.rules != rules {
      throw FolderError(.refused, "the ignore patterns have changed: scan the folder")
    }
  }

  /// Throws `.refused` for events on another directory than the one they were seen in, and
  /// `.held` where an empty one has taken the place of a folder that was not empty: an unmounted
  /// disk's mount point, say.
  func checkRoot(
    _ request: SnapshotRequest, _ basis: Basis, isReplaced: Bool
  ) throws(FolderError) {
    if isReplaced && request.changes.basis == .events {
      throw FolderError(.refused, "the folder at \(path) was replaced: scan it")
    }
    guard let base = basis.base, base.snapshot.counts.entries > 0, request.trigger != "manual"
    else { return }
    let before: StateRecord?
    do throws(StateFailure) {
      before = basis.isTrusted ? try state.record(.root) : nil
    } catch { throw FolderError(.stateDamaged, error.message) }
    if let before, before.inode == root.status.inode, !isReplaced { return }
    do throws(Errno) {
      if try !root.isEmpty() { return }
    } catch { throw FolderError(error, "list", path.string) }
    throw FolderError(
      .held, "the folder at \(path) is another directory now, and empty: nothing is recorded",
      hint: "dtm snapshot records it as it is")
  }
}
