package import DTMRepository
package import DTMSystem

/// What differs between two trees, as users are told it.
package struct Differences: Sendable {
  /// One difference between two trees.
  package struct Change: Sendable, Hashable {
    /// What happened to a path.
    package enum Kind: String, Sendable {
      case added, modified, removed, renamed
      /// Mode, owner, times or attributes alone.
      case metadata
      /// A file became a directory, say.
      case type
    }
    package let kind: Kind
    /// As it is now; of what was removed, as it was.
    package let key: PathKey
    /// Of what was renamed.
    package let oldKey: PathKey?
    package let old: TreeEntry?
    package let new: TreeEntry?
  }

  /// In the order of `key`.
  package private(set) var changes: [Change] = []

  /// Compares; a directory whose time alone changed is no difference.
  ///
  /// `scopes`: only these paths and what is beneath them; empty: everything. A removed and an added
  /// file of equal content, not empty, are one renamed file; of several the first in key order,
  /// those with the same name before. Memory is bounded by the differences.
  package init(
    from old: Tree, to new: Tree, within scopes: [PathKey] = []
  ) throws(RepositoryError) {
    var removed: [TreeEntry] = []
    var added: [TreeEntry] = []
    try new.forEachDifference(from: old) { difference in
      let key = difference.new?.key ?? difference.old?.key ?? .root
      guard scopes.isEmpty || scopes.contains(where: { $0 == key || key.isBeneath($0) }) else {
        return true
      }
      switch (difference.old, difference.new) {
      case (.some(let old), nil): removed.append(old)
      case (nil, .some(let new)): added.append(new)
      case (.some(let old), .some(let new)):
        if let kind = Self.kind(old, new) {
          changes.append(Change(kind: kind, key: new.key, oldKey: nil, old: old, new: new))
        }
      case (nil, nil): break
      }
      return true
    }
    pair(removed, added)
    changes.sort { $0.key < $1.key }
  }

  /// How many changes there are of a kind; `modified` counts changed metadata and types too.
  package func count(_ kind: Change.Kind) -> Int {
    changes.count { change in
      switch change.kind {
      case .metadata, .type: kind == .modified || kind == change.kind
      default: kind == change.kind
      }
    }
  }

  private static func kind(_ old: TreeEntry, _ new: TreeEntry) -> Change.Kind? {
    if old.kind != new.kind { return .type }
    if old.content != new.content || old.size != new.size { return .modified }
    var same = new
    same.isHot = old.isHot
    same.isSparse = old.isSparse
    same.linkGroup = old.linkGroup
    if new.kind == .directory { same.modified = old.modified }
    return same == old ? nil : .metadata
  }

  private mutating func pair(_ removed: [TreeEntry], _ added: [TreeEntry]) {
    var candidates: [Content: [TreeEntry]] = [:]
    for entry in removed.reversed() where Self.canBeRenamed(entry) {
      candidates[entry.content, default: []].append(entry)
    }
    var renamed: Set<PathKey> = []
    for entry in added {
      var old: TreeEntry?
      if Self.canBeRenamed(entry), var rest = candidates[entry.content], !rest.isEmpty {
        let index = rest.lastIndex { $0.key.name == entry.key.name } ?? rest.count - 1
        old = rest.remove(at: index)
        candidates[entry.content] = rest
      }
      if let old { renamed.insert(old.key) }
      changes.append(
        Change(
          kind: old == nil ? .added : .renamed, key: entry.key, oldKey: old?.key, old: old,
          new: entry))
    }
    for entry in removed where !renamed.contains(entry.key) {
      changes.append(
        Change(kind: .removed, key: entry.key, oldKey: nil, old: entry, new: nil))
    }
  }

  private static func canBeRenamed(_ entry: TreeEntry) -> Bool {
    entry.kind == .file && entry.size > 0
  }
}
