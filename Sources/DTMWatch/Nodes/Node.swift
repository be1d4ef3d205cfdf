/// One directory of the folder: 28 bytes, names are in the table's arena.
struct Node: Sendable {
  /// What stands between a directory and being watched.
  enum State: UInt8, Sendable {
    /// The place is not in use.
    case free
    /// To be watched and listed, or being so: until then everything beneath is unknown.
    case pending
    /// It carries a watch, and was listed after it got it.
    case armed
    /// It cannot be watched; why stands in the coverage.
    case uncovered
  }

  struct Flags: OptionSet, Sendable {
    let rawValue: UInt8
    /// A directory in it carries no node because it is excluded: looked at again after a move.
    static let holdsExcluded = Flags(rawValue: 1)
    /// Its name led to nothing when it was to be armed; the next time it is dropped.
    static let wasMissing = Flags(rawValue: 2)
    /// Its watch ended by itself: the directory is gone, or the watch was lost.
    static let lostWatch = Flags(rawValue: 4)
    /// It could not be watched when it was last tried.
    static let wasUncovered = Flags(rawValue: 8)
  }

  /// None for the root and for a directory on its way from one name to another.
  var parent: NodeIndex = .none
  var firstChild: NodeIndex = .none
  var next: NodeIndex = .none
  var previous: NodeIndex = .none
  /// inotify's number; -1 without a watch.
  var watch: Int32 = -1
  var nameOffset: UInt32 = 0
  var nameLength: UInt8 = 0
  var state: State = .free
  var flags: Flags = []
}
