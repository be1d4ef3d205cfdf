internal import DTMRepository
internal import DTMSystem

/// The files with several names that a capture met: which names came and went, and what was read,
/// so that one file is read once.
struct LinkGroups {
  /// What changed about the names of one file.
  struct Group {
    let identity: InodeIdentity
    var added: Set<PathKey> = []
    var dropped: Set<PathKey> = []
    /// As it was captured last, under one of its names.
    var latest: TreeEntry?
    /// Names that it has in all, as far as a status was seen.
    var links = 0
  }

  private struct Reading {
    let entry: TreeEntry
    let record: StateRecord
  }

  private var groups: [InodeIdentity: Group] = [:]
  private var readings: [InodeIdentity: Reading] = [:]

  /// All groups that changed, in the order of inodes, so that the same folder is handled alike.
  var changed: [Group] {
    groups.values.sorted {
      ($0.identity.device, $0.identity.inode) < ($1.identity.device, $1.identity.inode)
    }
  }

  var isEmpty: Bool { groups.isEmpty }

  /// What was read under another name of the same file, if it did not change since.
  func captured(
    _ status: FileStatus, rootDevice: UInt64, as key: PathKey
  ) -> (TreeEntry, StateRecord)? {
    if status.links < 2 { return nil }
    let device = status.device == rootDevice ? 0 : status.device
    guard let reading = readings[InodeIdentity(device: device, inode: status.inode)],
      reading.record.changed == status.changed, reading.record.size == status.size,
      reading.record.links == status.links
    else { return nil }
    var entry = reading.entry
    entry.key = key
    return (entry, reading.record)
  }

  /// Remembers what was read of a file with several names.
  mutating func note(_ captured: CapturedEntry) {
    guard captured.record.isLinked else { return }
    let identity = captured.record.identity
    readings[identity] = Reading(entry: captured.entry, record: captured.record)
    groups[identity, default: Group(identity: identity)].latest = captured.entry
  }

  mutating func add(_ key: PathKey, _ record: StateRecord) {
    var group = groups[record.identity] ?? Group(identity: record.identity)
    group.added.insert(key)
    group.dropped.remove(key)
    group.links = Int(record.links)
    groups[record.identity] = group
  }

  mutating func drop(_ key: PathKey, _ record: StateRecord) {
    var group = groups[record.identity] ?? Group(identity: record.identity)
    group.dropped.insert(key)
    group.added.remove(key)
    groups[record.identity] = group
  }
}
