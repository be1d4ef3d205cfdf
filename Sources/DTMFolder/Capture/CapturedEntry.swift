internal import DTMRepository
internal import DTMSystem
internal import SystemPackage

/// What became of the attempt to capture an entry.
enum CaptureOutcome {
  case captured(CapturedEntry)
  /// It is not there any more.
  case vanished
  case unreadable(Errno)

  /// Whether what was a directory is one in the tree; `known`: what was there before, which is carried
  /// forward where it can't be read now.
  func leavesDirectory(_ known: StateRecord?) -> Bool {
    switch self {
    case .captured(let captured): captured.entry.kind == .directory
    case .vanished: false
    case .unreadable: known?.isDirectory ?? false
    }
  }
}

/// An entry as it was read.
struct CapturedEntry {
  var entry: TreeEntry
  var record: StateRecord
  var problems: [Snapshot.Problem] = []
  /// How long reading its content took.
  var took = Duration.zero
  /// It was changed so shortly before it was read that a write after that would show in no time, and
  /// no lease could be had that excludes one.
  var isYoung = false
}
