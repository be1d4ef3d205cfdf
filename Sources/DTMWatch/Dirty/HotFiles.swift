package import DTMSystem

/// Files that raised MODIFY and no CLOSE_WRITE since: they may still be open for writing.
///
/// Bounded: beyond the limit the directory of a further file is kept instead, and everything
/// beneath it is looked at in each set until a capture finds nothing open there.
package struct HotFiles: Sendable {
  package static let standardLimit = 4096

  private var files: [PathKey: UInt64] = [:]
  /// Directories that stand for files beyond the limit, and when one was last written.
  package private(set) var directories: [PathKey: UInt64] = [:]
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
      insertDirectory(key.parent ?? .root, at: sequence)
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
  mutating func insertDirectory(_ key: PathKey, at sequence: UInt64) {
    let isKept = directories[key] != nil || directories.count < limit
    directories[isKept ? key : .root] = sequence
  }

  /// Removes the directories beneath which nothing was found open for writing, unless something
  /// was written after that sequence.
  mutating func removeDirectories(withoutAny open: [PathKey], writtenUpTo sequence: UInt64) {
    if directories.isEmpty { return }
    directories = directories.filter { directory, last in
      last > sequence || open.contains { $0.isBeneath(directory) }
    }
  }

  /// The files that were written after that sequence; nil when they are too many, or not known.
  func files(writtenAfter sequence: UInt64, atMost limit: Int) -> [PathKey]? {
    if directories.values.contains(where: { $0 > sequence }) { return nil }
    let found = files.filter { $0.value > sequence }.map(\.key)
    return found.count > limit ? nil : found
  }

  /// Whether anything was written after that sequence and not closed since.
  func hasAny(writtenAfter sequence: UInt64) -> Bool {
    files.values.contains { $0 > sequence } || directories.values.contains { $0 > sequence }
  }

  /// Watching begins anew: the marks say everything anyway.
  mutating func forgetDirectories() {
    directories = [:]
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
