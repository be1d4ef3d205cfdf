internal import DTMRepository
package import DTMSystem

/// The audit: finding what no event told.
///
/// A part is compared with the state by stat. What differs is a suspect: an event of it may be on
/// its way, or in the dirty set. Some seconds later `confirm` looks again; what is still the same,
/// still differs, and is not in the dirty set after a barrier, no event told.
extension Folder {
  /// Compares a part of the folder with what is known of it.
  ///
  /// `cursor`: where the part before ended; nil from the beginning. `clock`: where the watcher's next
  /// set begins; `.refused` where the state ends elsewhere. Writes nothing. Cost: one statx(2) an
  /// entry and one listing a directory; a directory is listed in one go, so that a part may have as
  /// many entries more than `limit` as the largest directory has names.
  package func audit(
    after cursor: PathKey?, clock: String, limit: Int
  ) throws(FolderError) -> AuditPart {
    let began = ProcessClock.threadTime
    var part = try auditing(clock) { run throws(StateFailure) in
      try run.run(after: cursor, limit: limit)
      return run.part
    }
    part.cost = ProcessClock.threadTime - began
    return part
  }

  /// Looks again at what was suspect; see `audit`.
  package func confirm(
    _ suspects: [AuditSuspect], clock: String
  ) throws(FolderError) -> AuditVerdict {
    try auditing(clock) { run throws(StateFailure) in try run.confirm(suspects) }
  }

  private func auditing<Result>(
    _ clock: String, _ body: (inout AuditRun) throws(StateFailure) -> Result
  ) throws(FolderError) -> Result {
    try confirmRoot()
    guard let header = state.beginReading(), header.clock == clock, header.rules == rules else {
      throw FolderError(.refused, "the state does not end where the watcher's next set begins")
    }
    defer { state.endReading() }
    do throws(StateFailure) {
      var run = try AuditRun(root, state, ignoring: scope)
      return try body(&run)
    } catch {
      throw FolderError(.stateDamaged, "the state cache is damaged: \(error.message)")
    }
  }
}
