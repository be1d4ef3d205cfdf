package import DTMSystem

/// Files that raised MODIFY and no CLOSE_WRITE since: they may still be open for writing.
///
/// Bounded: beyond the limit the directory of a further file is kept instead, and everything
/// beneath it is looked at in each set until the watcher begins anew.
package struct HotFiles: Sendable {
  package static let standardLimit = 4096

  private var files: [PathKey: UInt64] = [:]
  /// Directories that stand for files beyond the limit.
  package private(set) var directories: Set<PathKey> = []
  private let limit: Int

  /// Keeps at most `limit` files.
  package init(limit: Int = HotFiles.standardLimit) {
    self.limit = limit
  }

  var count: Int { files.count }
  var isEmpty: Bool { files.isEmpty }
  /// The files, sorted.
  package var sorted: [PathKey] { files.keys.sorted() }

  /// A file was written at this place in the sequence of events.
  package mutating func insert(_ key: PathKey, at sequence: UInt64) {
    if files[key] != nil || files.count < limit {
      files[key] = sequence
    } else {
      insertDirectory(key.parent ?? .root)
    }
  }

  mutating func remove(_ key: PathKey) {
    files.removeValue(forKey: key)
  }

  /// Takes a file out under its old name, to be put in under its new one.
  mutating func take(_ key: PathKey) -> UInt64? {
    files.removeValue(forKey: key)
  }

  /// Removes a file that was captured clean, unless it was written after that sequence.
  mutating func remove(_ key: PathKey, writtenUpTo sequence: UInt64) {
    if let last = files[key], last <= sequence { files.removeValue(forKey: key) }
  }

  /// Something beneath a directory was written, and it is not known what.
  mutating func insertDirectory(_ key: PathKey) {
    directories.insert(directories.count < limit ? key : .root)
  }

  /// Watching begins anew: the marks say everything anyway.
  mutating func forgetDirectories() {
    directories = []
  }

  /// A directory is gone; returns whether a hot file was beneath it.
  @discardableResult
  package mutating func removeAll(beneath directory: PathKey) -> Bool {
    if files.isEmpty { return false }
    let before = files.count
    files = files.filter { !$0.key.isBeneath(directory) }
    return files.count < before
  }

  /// A directory has another path.
  package mutating func move(_ old: PathKey, to new: PathKey) {
    if files.isEmpty { return }
    for (key, sequence) in files where key.isBeneath(old) {
      files.removeValue(forKey: key)
      let start = old.bytes.isEmpty ? 0 : old.bytes.count + 1
      var moved = new
      if !moved.bytes.isEmpty { moved.bytes.append(0) }
      moved.bytes += key.bytes[start...]
      files[moved] = sequence
    }
  }
}
