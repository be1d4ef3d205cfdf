/// What the events read so far leave open; settled at the end of an epoch.
///
/// An epoch is one draining of the queue: at its end, every event that was queued at its beginning
/// has been handled. Directories are armed between epochs, by name; an event about the name that
/// was queued before and handled after says that it then meant another directory. The crawler sees
/// to it that no such event is still on its way (see `Descriptor.awaitChangesOfNames`).
struct Unsettled: Sendable {
  /// One half of a rename.
  struct Departure: Sendable {
    /// The directory; none for a file, and for a directory without a node.
    let node: NodeIndex
    /// Where it was.
    let parent: NodeIndex
    let name: [UInt8]
    let epoch: UInt64
    /// When it was last written, for a hot file.
    let hotSince: UInt64?
  }

  /// A name in a directory.
  struct Place: Sendable, Hashable {
    let parent: NodeIndex
    let name: [UInt8]
  }

  var epoch: UInt64 = 0
  /// By the cookie of `IN_MOVED_FROM`, until the other half comes.
  var departures: [UInt32: Departure] = [:]
  /// Names under which it is not sure which directory is there: armed anew.
  var suspects: Set<Place> = []
  /// Names that a directory left, and under which none came since: armed if there is one.
  var vacated: Set<Place> = []
  /// Directories that were armed since the last epoch's beginning.
  var armed: Set<NodeIndex> = []
  /// A file was written in a directory that was on its way from one name to another.
  var hasWritesInTransit = false
  /// Directories whose watch ended by itself.
  var orphans: [NodeIndex] = []
  /// Directories that could not be found.
  var missing: [NodeIndex] = []

  /// In this epoch the directory above one to be armed was not where it should be.
  var hasStalled = false
  /// So many epochs have stalled since a directory was armed.
  var stalledEpochs = 0
  /// At 5 ms each, a second or more; nothing under way takes so long. Epochs count, not directories:
  /// any number of them may wait for one that is on its way.
  static let stallLimit = 400

  /// Whether another epoch is needed though no event may come.
  var isEmpty: Bool {
    departures.isEmpty && suspects.isEmpty && vacated.isEmpty && orphans.isEmpty && missing.isEmpty
  }
}
