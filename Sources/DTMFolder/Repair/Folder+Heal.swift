package import DTMRepository
internal import DTMSystem

/// What came of looking for lost content in the folder.
package struct HealingOutcome: Sendable {
  /// Lost objects that were found in the folder and are stored again (or would be).
  package var healed: [ObjectID] = []
  /// What is lost afterwards, of all snapshots.
  package var verification: Verification

  package init(verification: Verification) {
    self.verification = verification
  }
}

extension Folder {
  /// How often the folder is read: what a page brings to light may be lost too.
  private static let roundLimit = 4

  /// Looks for what the snapshots have lost in the folder as it is now, and stores what has a lost id
  /// again.
  ///
  /// A page of a tree comes back where the part of the folder that it describes is as it was. Reads the
  /// whole folder, and only where something is lost. `isDryRun`: content is told, not stored. Blocks.
  package func heal(
    with repair: RepositoryRepair, isDryRun: Bool
  ) throws(FolderError) -> HealingOutcome {
    hold(repair.captureLock)
    defer { release() }
    var healed: Set<ObjectID> = []
    var tried: Set<ObjectID> = []
    var outcome = HealingOutcome(verification: try Self.verification(repair.repository))
    for _ in 0..<Self.roundLimit {
      let lost = Set(outcome.verification.damage.compactMap(\.object))
      if lost.isSubset(of: tried) { break }
      tried.formUnion(lost)
      let found = try heal(lost, with: repair, isDryRun: isDryRun)
      if found.isEmpty { break }
      healed.formUnion(found)
      outcome.verification = try Self.verification(
        repair.repository, assuming: isDryRun ? healed : [])
    }
    outcome.healed = healed.sorted()
    return outcome
  }

  /// All that is lost, of all snapshots.
  package static func verification(
    _ repository: Repository, assuming: Set<ObjectID> = []
  ) throws(FolderError) -> Verification {
    try onRepository { () throws(RepositoryError) in
      try repository.verify(readsData: false, assuming: assuming)
    }
  }

  private func heal(
    _ lost: Set<ObjectID>, with repair: RepositoryRepair, isDryRun: Bool
  ) throws(FolderError) -> Set<ObjectID> {
    _ = try refreshRoot()
    let session = try onRepository { () throws(RepositoryError) in try repair.beginSession() }
    let store = HealingStore(lost, session, storesContent: !isDryRun)
    let run = CaptureRun(
      root, environment, ignoring: scope, state: state, isTrusted: false, base: nil, store: store,
      CaptureRun.Options(readsAll: true, ignoresHotLimit: true, writesState: false))
    try run.scanAll()
    _ = try run.finish(isWanted: true)
    if store.found.isEmpty { return [] }
    var draft = RecordDraft(
      kind: "repair", summary: "\(store.found.count) lost objects were found in the folder")
    draft.pid = ProcessSignals.processID
    draft.uid = ThreadIdentity.current.uid
    try onRepository { () throws(RepositoryError) in
      _ = try session.commit(draft, at: environment.time.now())
    }
    return store.found
  }
}
