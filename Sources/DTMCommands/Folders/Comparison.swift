internal import DTMFolder
internal import DTMRepository
internal import DTMSystem

/// A state of the folder: a snapshot, or as it is now.
enum FolderState {
  case snapshot(KnownSnapshot)
  case working

  /// What stands for the folder as it is now where a snapshot may stand.
  static let workingName = "WORKING"

  /// For people: `7f3a9c2e`, or `the folder`.
  var words: String {
    switch self {
    case .snapshot(let known): Words.short(known.id)
    case .working: "the folder"
    }
  }

  /// The id, or `WORKING`.
  var name: String {
    switch self {
    case .snapshot(let known): known.id.hex
    case .working: Self.workingName
    }
  }
}

/// What differs between two states of a folder.
struct Comparison {
  /// Nil: from nothing, before the first snapshot.
  let from: KnownSnapshot?
  let to: FolderState
  let differences: Differences

  /// In key order. That the folder itself came with the first snapshot is no news.
  var changes: [Differences.Change] {
    from == nil ? differences.changes.filter { !$0.key.isRoot } : differences.changes
  }

  /// `beneath`: only these paths and what is beneath them; none: all.
  init(
    _ access: FolderAccess, from: KnownSnapshot?, to: FolderState, beneath: [PathKey] = []
  ) throws {
    self.from = from
    self.to = to
    let new = try access.tree(of: to)
    let old = try from.map(access.tree) ?? Tree.empty(MemoryObjects())
    differences = try Differences(from: old, to: new, within: beneath)
  }

  func count(_ kinds: Differences.Change.Kind...) -> Int {
    changes.count { kinds.contains($0.kind) }
  }

  /// Writes the members of the object that stands for it. `modified` counts a change of kind or of
  /// mode, owner and times too: all that is there before and after under one name.
  func write(_ writer: inout JSONWriter) {
    writer.field("from", from?.id.hex)
    writer.field("to", to.name)
    writer.field("added", count(.added))
    writer.field("modified", count(.modified, .metadata, .type))
    writer.field("removed", count(.removed))
    writer.field("renamed", count(.renamed))
    writer.array("changes") { writer in
      for change in changes {
        writer.object { writer in
          writer.field("path", path: change.key)
          writer.field("change", change.kind.rawValue)
          writer.field("oldPath", path: change.oldKey)
          writer.field("oldSize", change.oldSize)
          writer.field("newSize", change.newSize)
          writer.field("kind", change.entryKind.word)
        }
      }
    }
  }
}

extension Differences.Change {
  /// What kind of thing it is now; of what was removed, what it was.
  var entryKind: FileKind { new?.kind ?? old?.kind ?? .file }
  /// Bytes of a file before; nil where there was none.
  var oldSize: Int? { Self.size(old) }
  /// Bytes of a file now; nil where there is none.
  var newSize: Int? { Self.size(new) }

  private static func size(_ entry: TreeEntry?) -> Int? {
    guard let entry, entry.kind == .file else { return nil }
    return Int(clamping: entry.size)
  }
}
