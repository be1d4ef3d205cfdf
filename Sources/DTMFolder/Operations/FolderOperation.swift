package import DTMRepository
package import DTMSystem

/// An operation on a folder that can be undone, as users are told of it.
package struct FolderOperation: Sendable, Hashable {
  /// The record's sequence in the ref log.
  package let id: UInt64
  package let time: Timestamp
  /// `restore`, `checkout`, `branch`, `tag`, `prune` …
  package let kind: String
  package let summary: String
  package let isUndone: Bool
  /// Who did it; a number where the name is not known.
  package let user: String
}

/// What came of an undo or a redo.
package struct UndoOutcome: Sendable {
  /// What was taken back, or brought again.
  package let operation: FolderOperation
  /// The record of the undo itself.
  package let sequence: UInt64?
  /// Where it brought back content; nil where it moved refs alone.
  package let restore: RestoreOutcome?
  /// A restore that was cut off, and finished or taken back first.
  package let recovery: RecoveryOutcome?
}

extension History {
  /// Between when an operation wrote into the folder: from the time of the snapshot that holds the state before
  /// to that of its record. Nil where it wrote nothing there, or that snapshot is gone.
  package func writingSpan(
    of operation: OperationRecord, in folder: PackID
  ) -> (from: Timestamp, to: Timestamp)? {
    guard operation.detail(RestoreDetail.folder) == folder.hex,
      let before = operation.detail(RestoreDetail.before).flatMap(ObjectID.init(hex:))
    else { return nil }
    do throws(FolderError) {
      return (try snapshot(before).snapshot.time, operation.time)
    } catch {
      return nil
    }
  }
}

/// Details of a restore's record in the ref log.
enum RestoreDetail {
  static let folder = "folder"
  static let journal = "journal"
  /// The snapshot that holds the state before.
  static let before = "before"
  static let keepsAdded = "keepsAdded"
  /// A path, followed by `at`; `path64` where it is not UTF-8. Without one: the whole folder.
  static let path = "path"
  static let encodedPath = "path64"
  static let at = "at"

  static func details(
    _ intent: RestoreIntent, folder id: PackID, journal name: String
  ) -> [(String, String)] {
    var details = [(folder, id.hex), (journal, name)]
    if let before = intent.before { details.append((Self.before, before.hex)) }
    if intent.keepsAdded { details.append((keepsAdded, "true")) }
    for target in intent.targets {
      if !target.path.isRoot {
        if let text = String(validating: target.path.path, as: UTF8.self) {
          details.append((path, text))
        } else {
          let encoded = Base64.encode(target.path.path)
          details.append((encodedPath, String(decoding: encoded, as: UTF8.self)))
        }
      }
      details.append((at, target.snapshot.hex))
    }
    return details
  }

  /// What was restored; nil for details that make no sense.
  static func targets(_ details: [(String, String)]) -> [RestoreIntent.Target]? {
    var targets: [RestoreIntent.Target] = []
    var next = PathKey.root
    for (key, value) in details {
      switch key {
      case path:
        guard let decoded = PathKey(value) else { return nil }
        next = decoded
      case encodedPath:
        guard let bytes = Base64.decode(Array(value.utf8)), let decoded = PathKey(path: bytes)
        else { return nil }
        next = decoded
      case at:
        guard let id = ObjectID(hex: value) else { return nil }
        targets.append(RestoreIntent.Target(path: next, snapshot: id))
        next = .root
      default: continue
      }
    }
    return targets.isEmpty ? nil : targets
  }
}
