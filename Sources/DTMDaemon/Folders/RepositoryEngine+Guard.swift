internal import DTMFolder
internal import DTMRepository
internal import DTMRules
internal import DTMSystem

/// What a guard needs of the repository.
extension RepositoryEngine {
  func evidence(
    from before: String, to after: String
  ) throws(FolderEngineError) -> GuardEvidence {
    do throws(FolderError) {
      let history = try History(repository, folder: id)
      let old = try history.snapshot(Self.id(before)).snapshot
      let new = try history.snapshot(Self.id(after)).snapshot
      var look = GuardLook(repository.objects, from: old.tree, to: new.tree)
      do throws(RepositoryError) {
        return try look.evidence(files: old.counts.files)
      } catch {
        throw FolderError(error)
      }
    } catch {
      throw FolderEngineError(error)
    }
  }

  func raise(
    _ alarm: Guard.Alarm, of policy: GuardPolicy, after former: GuardRecord?
  ) throws(FolderEngineError) -> GuardRecord {
    let now = environment.time.now()
    do throws(FolderError) {
      let history = try History(repository, folder: id)
      var record: GuardRecord
      if let former, alarm.isContinued {
        record = former
      } else {
        record = GuardRecord(
          damaged: try Self.id(alarm.damaged), good: try good(alarm.good, history),
          time: Timestamp(seconds: now.seconds, nanoseconds: 0), until: now,
          holdsRetention: policy.measures.contains(.holdRetention),
          reason: alarm.reasons.joined(separator: "; "))
      }
      let until = now.advanced(by: policy.hold)
      record.until = Timestamp(seconds: until.seconds, nanoseconds: 0)
      try commit(
        history.raising(record, isPinned: policy.measures.contains(.pinPrevious)))
      return record
    } catch {
      throw FolderEngineError(error)
    }
  }

  func releaseGuard() throws(FolderEngineError) {
    do throws(FolderError) {
      guard let draft = try History(repository, folder: id).releasing() else { return }
      try commit(draft)
    } catch {
      throw FolderEngineError(error)
    }
  }

  func guardRecords() throws(FolderEngineError) -> [GuardRecord] {
    do throws(FolderError) {
      return try History(repository, folder: id).guardRecords(at: environment.time.now())
    } catch {
      throw FolderEngineError(error)
    }
  }

  /// The snapshot itself, or the newest before it of which no check says that it is bad.
  private func good(_ text: String, _ history: History) throws(FolderError) -> ObjectID {
    let id = try Self.id(text)
    var found: ObjectID?
    try history.forEachAncestor(of: id) { known throws(FolderError) in
      if try history.isBad(known.id) { return true }
      found = known.id
      return false
    }
    return found ?? id
  }

  private static func id(_ text: String) throws(FolderError) -> ObjectID {
    guard let id = ObjectID(hex: text) else {
      throw FolderError(.invalidInput, "\(text) is no id")
    }
    return id
  }
}
