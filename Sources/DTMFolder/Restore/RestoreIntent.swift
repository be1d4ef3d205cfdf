package import DTMRepository
package import DTMSystem

/// What a restore is recorded as when it is done; stands in its journal, so that whoever finishes it
/// records the same.
package struct RestoreIntent: Sendable, Hashable {
  /// A path and the snapshot that has it as it is wanted.
  package struct Target: Sendable, Hashable {
    package let path: PathKey
    package let snapshot: ObjectID

    package init(path: PathKey, snapshot: ObjectID) {
      self.path = path
      self.snapshot = snapshot
    }
  }

  /// `restore`, `checkout`, `undo`, `redo`: the operation's kind and the snapshot's trigger.
  package var kind: String
  /// A line for people.
  package var summary: String
  /// The branch that is current afterwards, when it is another one.
  package var branch: String?
  /// Where that branch begins, when it is new.
  package var newBranchFrom: ObjectID?
  /// The operation that is taken back or brought again.
  package var undoes: UInt64?
  /// The folder's content as it was before, for taking it back: the safety snapshot, or the head.
  package var before: ObjectID?
  /// Which state each path was brought to; the root's for the whole folder.
  package var targets: [Target]
  /// Whether what was added since was kept.
  package var keepsAdded: Bool
  package var host: String
  package var user: String
  package var writerVersion: String

  package init(
    kind: String, summary: String, branch: String? = nil, newBranchFrom: ObjectID? = nil,
    undoes: UInt64? = nil, before: ObjectID? = nil, targets: [Target] = [],
    keepsAdded: Bool = false, host: String = "", user: String = "", writerVersion: String = ""
  ) {
    self.kind = kind
    self.summary = summary
    self.branch = branch
    self.newBranchFrom = newBranchFrom
    self.undoes = undoes
    self.before = before
    self.targets = targets
    self.keepsAdded = keepsAdded
    self.host = host
    self.user = user
    self.writerVersion = writerVersion
  }
}
