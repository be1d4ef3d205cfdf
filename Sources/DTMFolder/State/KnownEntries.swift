package import DTMRepository
package import DTMSystem

/// What is known of the folder from before, in key order: the records of the state cache, or,
/// where that can't be trusted, the keys of the tree, with records that nothing matches.
package struct KnownEntries {
  /// One known entry.
  package struct Known: Sendable {
    package let key: PathKey
    package let record: StateRecord
  }

  private enum Source {
    case state(StateCache)
    case tree(Tree)
  }

  /// Entries of the tree that are read in one go.
  private static let treePiece = 512

  private let source: Source
  /// Only what is beneath; nil: everything.
  private let beneath: PathKey?
  private var keys = KeyRun()
  private var records: [StateRecord] = []
  /// Of the next entry; where there is none, all are used up.
  private var index = 0

  /// The next entry; nil at the end.
  package var current: Known? {
    index < keys.count ? Known(key: keys[index], record: records[index]) : nil
  }

  /// How the next entry's key compares with another: negative where it comes before, 0 where it is the same;
  /// positive also at the end.
  func comparison(with key: PathKey) -> Int {
    index < keys.count ? keys.comparison(index, with: key) : 1
  }

  /// The next entry, of which it is known that it has this key.
  func current(as key: PathKey) -> Known { Known(key: key, record: records[index]) }

  /// All records of the cache as it was when reading began, or those beneath a directory.
  package init(_ state: StateCache, beneath: PathKey?) throws(StateFailure) {
    source = .state(state)
    self.beneath = beneath
    if let block = try state.block(holding: beneath ?? .root) {
      take(block)
    } else if let block = try state.block(after: beneath ?? .root) {
      take(block)
    }
    try settle()
  }

  /// The records of the cache that come after a key; all of them where it is nil.
  package init(_ state: StateCache, after key: PathKey?) throws(StateFailure) {
    source = .state(state)
    beneath = nil
    if let block = try state.block(holding: key ?? .root) {
      take(block)
    } else if let block = try state.block(after: key ?? .root) {
      take(block)
    }
    try settle()
    guard let key else { return }
    while let next = current, next.key <= key { try advance() }
  }

  /// All entries of a tree, or those beneath a directory.
  package init(_ tree: Tree, beneath: PathKey?) throws(StateFailure) {
    source = .tree(tree)
    self.beneath = beneath
    try readTree(from: beneath ?? .root, including: beneath == nil)
    try settle()
  }

  /// Goes to the next entry.
  package mutating func advance() throws(StateFailure) {
    index += 1
    try settle()
  }

  /// Finds the entry at `index`, reading on where a piece is used up.
  private mutating func settle() throws(StateFailure) {
    while true {
      while index < keys.count {
        if let beneath, !keys.isBeneath(index, beneath) {
          if keys.comparison(index, with: beneath) > 0 {
            keys = KeyRun()
            return
          }
          index += 1
          continue
        }
        return
      }
      guard let last = keys.last else { return }
      switch source {
      case .state(let state):
        keys = KeyRun()
        if let block = try state.block(after: last) { take(block) }
      case .tree:
        try readTree(from: last, including: false)
      }
      index = 0
    }
  }

  private mutating func take(_ block: StateBlock) {
    keys = block.keys
    records = block.records
  }

  private mutating func readTree(from key: PathKey, including: Bool) throws(StateFailure) {
    guard case .tree(let tree) = source else { return }
    keys = KeyRun()
    records = []
    var found: [(PathKey, FileKind)] = []
    do throws(RepositoryError) {
      try tree.forEach(beneath: beneath, from: key) { entry throws(RepositoryError) in
        if including || entry.key != key { found.append((entry.key, entry.kind)) }
        return found.count < Self.treePiece
      }
    } catch {
      throw StateFailure(message: error.message, repository: error)
    }
    for (key, kind) in found {
      keys.append(key)
      records.append(.unseen(kind))
    }
  }
}

extension FileKind {
  /// The type bits of `st_mode`.
  var modeBits: UInt32 {
    switch self {
    case .file: 0o100000
    case .directory: 0o040000
    case .symlink: 0o120000
    case .fifo: 0o010000
    case .socket: 0o140000
    case .characterDevice: 0o020000
    case .blockDevice: 0o060000
    }
  }
}

/// Looks up single records; keeps the last block.
struct KnownLookup {
  private let state: StateCache
  private var block = StateBlock()

  init(_ state: StateCache) {
    self.state = state
  }

  mutating func record(_ key: PathKey) throws(StateFailure) -> StateRecord? {
    if let found = block.record(of: key) { return found }
    if block.count > 0, block.keys.comparison(0, with: key) < 0,
      block.keys.comparison(block.count - 1, with: key) > 0
    {
      return nil
    }
    guard let holding = try state.block(holding: key) else { return nil }
    block = holding
    return block.record(of: key)
  }
}
