package import DTMSystem

/// Something wrong in a repository, and what suffers from it.
package struct Damage: Sendable {
  /// The object that can't be read; nil where no single one is meant.
  package let object: ObjectID?
  /// Relative to the repository's root; empty where it is missing altogether.
  package let file: String
  /// A sentence: what is wrong, where.
  package let message: String
  /// Snapshots that need the object, and the paths in them, as far as they were looked for. Where a
  /// page of a tree is lost, the path is the first one that stood in it.
  package var snapshots: [ObjectID] = []
  package var paths: [PathKey] = []

  package init(object: ObjectID?, file: String, message: String) {
    self.object = object
    self.file = file
    self.message = message
  }
}

/// A path that can't be read back whole, and the snapshots in which it is so.
package struct LostPath: Sendable, Hashable {
  package let path: PathKey
  /// Whether a page of the tree is lost: then this is the first of several paths, as far as the next
  /// page.
  package let isPage: Bool
  /// In the order in which the snapshots were looked at: the newest of a branch first.
  package var snapshots: [ObjectID]
}

/// What a verification found.
package struct Verification: Sendable {
  /// Objects looked at, and bytes unpacked and hashed (0 without reading data).
  package var objects = 0
  package var bytes = 0
  package var snapshots = 0
  package var damage: [Damage] = []
  /// What is lost in the snapshots looked at, in key order.
  package var lostPaths: [LostPath] = []
  /// Snapshots that are lost themselves.
  package var lostSnapshots: [ObjectID] = []

  package var isSound: Bool { damage.isEmpty }
}

extension Repository {
  /// Checks the ref log, all packs, and the trees of the snapshots given (nil: all that a ref reaches).
  ///
  /// Without `readsData` each frame's header, each table and each page is read, but no file content.
  /// `share`: of the frames, picked at random, whose content is read then; from 0 to 1.
  /// `assuming`: chunks that count as there, whatever the packs say (for the plan of a repair). Waits for
  /// nobody; what is there is not collected meanwhile, what is committed meanwhile not looked at. Throws only
  /// what keeps it from going on at all. Memory: one pack's table, some 200 bytes a page of the trees, and what is damaged.
  package func verify(
    _ snapshots: [ObjectID]? = nil, readsData: Bool, share: Double = 1, assuming: Set<ObjectID> = []
  ) throws(RepositoryError) -> Verification {
    // While it is held nothing is deleted that is there now.
    let epoch = EpochLock.forReading(files)
    defer { withExtendedLifetime(epoch) {} }
    if let epoch, packs.catalog.epoch != epoch.name { try packs.listAnew(in: epoch.name) }
    let verifier = Verifier(self, assuming: assuming)
    try verifier.run(snapshots, readsData ? FrameSample(share: share) : .none)
    return verifier.result
  }
}
