package import DTMSystem

/// A path that is not as it was captured, by what stat tells. Whether an event told of it is the
/// watcher's to say.
package struct AuditSuspect: Sendable, Hashable {
  package let key: PathKey
  /// `subtree`: a directory that came or went, with all beneath it.
  package let scope: ChangeSet.Scope
  /// How it looked; nil when it was not there.
  let sight: StateRecord?
  /// How often it was another one at each look.
  var looks = 0
}

/// What came of auditing one part of a folder.
package struct AuditPart: Sendable {
  /// Where the next part begins; nil when the folder's end was reached.
  package var end: PathKey?
  /// Entries that were looked at.
  package var entries = 0
  package var suspects: [AuditSuspect] = []
  /// CPU time that it took.
  package var cost = Duration.zero

  package init() {}
}

/// What is left of suspects after a second look.
package struct AuditVerdict: Sendable {
  /// A path that differs, as it did at the first look.
  package struct Finding: Sendable, Hashable {
    package let key: PathKey
    package let scope: ChangeSet.Scope
    /// No event can have told it: somebody has the file open for writing, or it has other names.
    package let isLate: Bool

    package init(key: PathKey, scope: ChangeSet.Scope, isLate: Bool) {
      self.key = key
      self.scope = scope
      self.isLate = isLate
    }
  }

  package var findings: [Finding] = []
  /// Those that were another one again: to be looked at once more.
  package var again: [AuditSuspect] = []

  package init() {}
}
