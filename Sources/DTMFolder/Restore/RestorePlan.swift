package import DTMRepository
package import DTMSystem

/// Everything that one restore does to a folder, in the order of keys; pure data.
///
/// What has to be built is built under a temporary name beside its target. A directory that is new is
/// built whole, with all beneath it, under the temporary name, and takes its place by one rename.
package struct RestorePlan: Sendable {
  /// What happens to one path.
  package enum Action: UInt8, Sendable {
    /// Nothing: another name of a file that is right already.
    case keep = 0
    /// A file, link or special file goes.
    case remove = 1
    /// A directory goes, if nothing is left in it.
    case removeDirectory = 2
    /// Something new, where nothing is.
    case add = 3
    /// Something but a directory takes the place of something but a directory.
    case replace = 4
    /// A directory takes the place of something else.
    case exchange = 5
    /// Something else takes the place of a directory, which is emptied first.
    case clear = 6
    /// Owner, mode, times or attributes change; the content stays.
    case adjust = 7
    /// Another content is written into a file, where it is.
    case overwrite = 8

    /// Whether something is built for it.
    var builds: Bool {
      switch self {
      case .add, .replace, .exchange, .clear: true
      case .keep, .remove, .removeDirectory, .adjust, .overwrite: false
      }
    }

    /// Whether it gives a path a new content.
    var writes: Bool { builds || self == .overwrite }
  }

  /// Where a hard link's file comes from.
  package enum Link: Sendable, Hashable {
    /// Built for the item with this index.
    case item(Int)
    /// A file of the folder that is right already.
    case existing(PathKey)
  }

  /// One path that the plan touches.
  package struct Item: Sendable {
    package let key: PathKey
    package var action: Action
    /// What is there, as the plan knows it.
    package let old: TreeEntry?
    /// What is wanted there.
    package let new: TreeEntry?
    /// The item whose new directory this one is built in.
    package var container: Int?
    package var link: Link?
    /// Its index when it was planned, where that is another: a journal has not all items.
    var number: Int?
  }

  /// A directory that stays, and what is set on it when all else is done; or an immutable file that
  /// stays, which has to be changeable while it gets further names.
  package struct Settling: Sendable {
    package let key: PathKey
    package let old: TreeEntry?
    /// Nil: only its mode is put back, where it had to be opened up.
    package let new: TreeEntry?
    /// Whether more than its time differs.
    package let isChange: Bool
  }

  /// 16 hex digits; distinguishes the temporary names of two restores.
  package let name: String
  /// Ascending by key.
  package var items: [Item]
  /// Ascending by key.
  package var settlings: [Settling]
  /// What the wanted tree holds and can't be placed.
  package var problems: [Snapshot.Problem]

  /// What all temporary names begin with.
  package static let temporaryPrefix = Array(".dtm-restore-".utf8)

  /// Whether the folder is as it is wanted, but for times of directories.
  package var isEmpty: Bool {
    items.allSatisfy { $0.action == .keep } && !settlings.contains { $0.isChange }
  }

  /// Entries that are created or replaced.
  package var written: Int { items.count { $0.action.writes } }
  package var removed: Int {
    items.count { $0.action == .remove || $0.action == .removeDirectory }
  }
  /// Entries whose metadata alone changes.
  package var adjusted: Int {
    items.count { $0.action == .adjust } + settlings.count { $0.isChange }
  }

  /// The temporary name of an item.
  func temporaryName(_ index: Int) -> [UInt8] {
    Self.temporaryPrefix + Array((name + "-" + String(number(of: index), radix: 16)).utf8)
  }

  /// The index that an item had when it was planned.
  func number(of index: Int) -> Int { items[index].number ?? index }

  /// Where an item is built: its own temporary name, or its place in a new directory.
  func buildKey(_ index: Int) -> PathKey {
    let item = items[index]
    let top = item.container ?? index
    let topKey = items[top].key
    var key = (topKey.parent ?? .root).appending(temporaryName(top))
    key.bytes += item.key.bytes[topKey.bytes.count...]
    return key
  }
}

extension RestorePlan.Item {
  /// Whether a file that is there now is not there afterwards.
  var isFileThatGoes: Bool {
    guard old?.kind == .file else { return false }
    return switch action {
    case .replace, .exchange, .remove: true
    case .keep, .removeDirectory, .add, .clear, .adjust, .overwrite: false
    }
  }
}

extension TreeEntry {
  /// Whether the same stands behind both, names and metadata aside.
  func hasSameContent(as other: TreeEntry) -> Bool {
    kind == other.kind && size == other.size && content == other.content
  }

  /// Whether all that is kept beside the content is the same; names of owners are not compared.
  func hasSameMetadata(as other: TreeEntry) -> Bool {
    hasSameAccess(as: other) && modified == other.modified
  }

  /// Whether owner, mode, attributes and flags are the same.
  func hasSameAccess(as other: TreeEntry) -> Bool {
    (kind == .symlink || permissions == other.permissions)
      && owner.id == other.owner.id && group.id == other.group.id
      && attributes == other.attributes && inodeFlags == other.inodeFlags
  }

  var isDirectoryEntry: Bool { kind == .directory }

  /// Whether inode flags can be set on it: not on what can't be opened.
  var canHaveFlags: Bool { kind == .file || kind == .directory }
}
