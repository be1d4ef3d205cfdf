internal import DTMSystem

/// How an entry looks now beside how it was captured. What vouched for the capture does not count.
extension StateRecord {
  /// Whether an event should have told the difference. A directory's own times, size and links
  /// follow from what is in it, where ignored names count too.
  func differs(from other: StateRecord) -> Bool {
    if isDirectory, other.isDirectory {
      return identity != other.identity || mode != other.mode || uid != other.uid
        || gid != other.gid
    }
    return !differsInNamesOnly(from: other) || links != other.links || changed != other.changed
  }

  /// Whether nothing differs but, at most, the count of names and the ctime: a name was made or
  /// removed elsewhere, which no event tells here.
  func differsInNamesOnly(from other: StateRecord) -> Bool {
    identity == other.identity && mode == other.mode && uid == other.uid && gid == other.gid
      && size == other.size && modified == other.modified
  }
}

extension FolderRoot {
  /// How an entry of the folder looks; nothing vouches for it.
  func sight(_ status: FileStatus) -> StateRecord {
    StateRecord(status, rootDevice: device, captureClass: .unknown, isRacy: true)
  }
}
