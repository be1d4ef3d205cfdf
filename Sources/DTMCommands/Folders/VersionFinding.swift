internal import DTMFolder
internal import DTMRepository
internal import DTMSystem

/// What a path held for a while.
struct FoundVersion {
  /// The first snapshot that has it.
  let first: KnownSnapshot
  /// The first that has it no more; nil while it is still there.
  var end: KnownSnapshot?
  /// Of a regular file.
  let size: Int?
}

/// Finds the versions of paths along lines of snapshots.
struct VersionFinding {
  private let access: FolderAccess
  private let pattern: IgnorePattern
  private(set) var found: [PathKey: [FoundVersion]] = [:]

  init(_ access: FolderAccess, _ pattern: IgnorePattern) {
    self.access = access
    self.pattern = pattern
  }

  /// Looks at a snapshot and its ancestors, from the oldest on: the first one's tree is read, and of the
  /// others what differs.
  mutating func look(from head: ObjectID) throws {
    var line: [KnownSnapshot] = []
    try access.history.forEachAncestor(of: head) { known in
      line.append(known)
      return true
    }
    var open: [PathKey: FoundVersion] = [:]
    var before: Tree?
    var ended: [(PathKey, FoundVersion)] = []
    for known in line.reversed() {
      let tree = access.tree(of: known)
      let pattern = pattern
      func see(_ old: TreeEntry?, _ new: TreeEntry?) {
        guard let entry = new ?? old, Self.fits(entry, pattern) else { return }
        // Times, modes and owners make no version.
        if let old, let new, old.kind == new.kind, old.content == new.content,
          old.size == new.size || new.kind == .directory
        {
          return
        }
        if var version = open.removeValue(forKey: entry.key) {
          version.end = known
          ended.append((entry.key, version))
        }
        guard let new else { return }
        let size = new.kind == .file ? Int(clamping: new.size) : nil
        open[new.key] = FoundVersion(first: known, size: size)
      }
      if let before {
        try tree.forEachDifference(from: before) { difference in
          see(difference.old, difference.new)
          return true
        }
      } else {
        try tree.forEach { entry in
          see(nil, entry)
          return true
        }
      }
      before = tree
    }
    for (key, version) in ended + open.map({ ($0.key, $0.value) }) { add(version, key) }
  }

  /// Lines share their beginnings.
  private mutating func add(_ version: FoundVersion, _ key: PathKey) {
    if let place = found[key]?.firstIndex(where: { $0.first.id == version.first.id }) {
      // Where it ended in one line only, it is still there in another.
      if version.end == nil { found[key]?[place].end = nil }
      return
    }
    found[key, default: []].append(version)
    found[key]?.sort { $0.first.snapshot.time < $1.first.snapshot.time }
  }

  private static func fits(_ entry: TreeEntry, _ pattern: IgnorePattern) -> Bool {
    !entry.key.isRoot && pattern.fits(entry.key, isDirectory: entry.kind == .directory)
  }
}
