package import DTMRepository
package import DTMSystem

/// What a state cache as a whole stands for.
package struct StateHeader: Hashable, Sendable {
  /// The snapshot whose tree holds the content of the recorded entries.
  package var head: ObjectID
  /// The ref log's sequence when it was written.
  package var sequence: UInt64
  /// The watcher's clock up to which changes are in it; empty where nobody watched.
  package var clock: String
  /// Digest of the configuration's ignore patterns.
  package var rules: ObjectID
  /// Records, the folder's own included: as many as the head's tree has entries. Counted by the
  /// cache itself when it is written.
  package var entries: Int

  package init(
    head: ObjectID, sequence: UInt64, clock: String, rules: ObjectID, entries: Int = 0
  ) {
    self.head = head
    self.sequence = sequence
    self.clock = clock
    self.rules = rules
    self.entries = entries
  }
}

/// A path to look at in each snapshot, whatever the change set says.
package struct Revisit: Hashable, Sendable {
  /// Why a state is not to be trusted.
  package enum Reason: Int64, Sendable {
    /// Its time alone changed, which was no reason for a snapshot.
    case directoryTime = 1
    /// Somebody had it open for writing.
    case hot = 2
    /// It could not be read, or something is mounted over it.
    case uncovered = 3
    /// The file has more names than are known here; a write through another raises no event.
    case linkedElsewhere = 4
  }
  package var key: PathKey
  package var scope: ChangeSet.Scope
  package var reason: Reason
  /// Of a hot file: when its last reading ended (µs since 1970), and how long it took (µs).
  package var ended: Int64
  package var took: Int64

  package init(
    _ key: PathKey, _ scope: ChangeSet.Scope, _ reason: Reason, ended: Int64 = 0, took: Int64 = 0
  ) {
    self.key = key
    self.scope = scope
    self.reason = reason
    self.ended = ended
    self.took = took
  }
}

/// A change to the records of the state cache.
package enum StateEdit: Sendable {
  case put(PathKey, StateRecord)
  case remove(PathKey)

  var key: PathKey {
    switch self {
    case .put(let key, _): key
    case .remove(let key): key
    }
  }
}

extension StateEdit {
  /// In key order; of several for one key the last.
  package static func inOrder(_ edits: [StateEdit]) -> [StateEdit] {
    var isInOrder = true
    for index in edits.indices.dropFirst() where !(edits[index - 1].key < edits[index].key) {
      isInOrder = false
      break
    }
    if isInOrder { return edits }
    let sorted = edits.enumerated().sorted {
      $0.element.key == $1.element.key
        ? $0.offset < $1.offset : $0.element.key < $1.element.key
    }
    var result: [StateEdit] = []
    for (_, edit) in sorted {
      if result.last?.key == edit.key { result.removeLast() }
      result.append(edit)
    }
    return result
  }
}
