/// What a repair of a repository did, or would do.
package struct RepairReport: Sendable {
  /// A file that was damaged, and what became of it.
  package struct DamagedFile: Sendable {
    /// Relative to the repository's root, as the others.
    package let file: String
    /// What was wrong with it.
    package let reasons: [String]
    /// Where it was moved to; nil where there was nothing to move.
    package var movedTo: String?
    /// The pack that holds what was sound in it; nil where nothing was, or nothing had to be saved.
    package var salvagedTo: String?
    package var salvagedObjects = 0
  }

  /// A ref that is not what the log said, or that the log did not say.
  package struct RefChange: Sendable {
    package let ref: String
    package let old: RefValue?
    package let new: RefValue?
    /// A sentence: how it was found.
    package let reason: String
  }

  package var damagedFiles: [DamagedFile] = []
  /// Copies of the ref log that were written anew from the other one.
  package var mended: [String] = []
  /// Whether the ref log was begun anew, as no copy had all of it.
  package var isLogRebuilt = false
  package var refs: [RefChange] = []
  /// Snapshots at the end of a branch that are lost: the branch was taken back to before them.
  package var lostSnapshots: [ObjectID] = []
  /// Cache files that were deleted; they make themselves again.
  package var droppedCaches = 0
  /// What else there is to say: what is written anew, what can't be had back.
  package var remarks: [String] = []

  /// Whether there was nothing to do but for the caches.
  package var isClean: Bool {
    damagedFiles.isEmpty && mended.isEmpty && !isLogRebuilt && refs.isEmpty && remarks.isEmpty
  }

  init() {}
}
