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
  private var keys: [PathKey] = []
  private var records: [StateRecord] = []
  private var index = 0
  /// The next entry; nil at the end.
  package private(set) var current: Known?

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
        let key = keys[index]
        if let beneath, !key.isBeneath(beneath) {
          if key > beneath {
            keys = []
            current = nil
            return
          }
          index += 1
          continue
        }
        current = Known(key: key, record: records[index])
        return
      }
      guard let last = keys.last else {
        current = nil
        return
      }
      switch source {
      case .state(let state):
        keys = []
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
    keys = []
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
    if let found = find(key) { return found }
    if let first = block.keys.first, let last = block.keys.last, first < key, key < last {
      return nil
    }
    guard let holding = try state.block(holding: key) else { return nil }
    block = holding
    return find(key)
  }

  private func find(_ key: PathKey) -> StateRecord? {
    var low = 0
    var high = block.count
    while low < high {
      let middle = (low + high) / 2
      if block.keys[middle] == key { return block.records[middle] }
      if block.keys[middle] < key { low = middle + 1 } else { high = middle }
    }
    return nil
  }
}
