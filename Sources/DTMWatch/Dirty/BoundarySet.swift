package import DTMSystem

/// What was seen that may be a boundary: a hint of where to look, for a rule is about what is there.
///
/// Bounded: beyond a limit everything has to be looked at, as where watching begins anew.
package struct BoundarySet: Sendable {
  /// Of paths, and of directories.
  static let limit = 65_536

  /// Files that were closed, linked or renamed to their name, or whose attributes changed; and whether one
  /// was renamed.
  package private(set) var files: [PathKey: Bool] = [:]
  /// Directories that were renamed to their name.
  package private(set) var arrivals: Set<PathKey> = []
  /// Directories of which the files were not told by events: listed after the watch was there.
  package private(set) var listed: Set<PathKey> = []
  /// Directories of which nothing beneath was told.
  package private(set) var moved: Set<PathKey> = []
  /// More was seen than is kept, or events may be lost: everything has to be looked at.
  package private(set) var isEverything = false

  package init() {}

  package var isEmpty: Bool {
    files.isEmpty && arrivals.isEmpty && listed.isEmpty && moved.isEmpty && !isEverything
  }

  mutating func insert(file key: PathKey, isArrival: Bool) {
    if makesRoom() { files[key] = isArrival || files[key] ?? false }
  }

  mutating func insert(arrival key: PathKey) {
    if makesRoom() { arrivals.insert(key) }
  }

  mutating func insert(listed key: PathKey) {
    if makesRoom() { listed.insert(key) }
  }

  mutating func insert(moved key: PathKey) {
    if makesRoom() { moved.insert(key) }
  }

  private mutating func makesRoom() -> Bool {
    if isEverything { return false }
    if files.count + arrivals.count + listed.count + moved.count < Self.limit { return true }
    insertEverything()
    return false
  }

  /// Everything has to be looked at.
  mutating func insertEverything() {
    self = BoundarySet()
    isEverything = true
  }
}
