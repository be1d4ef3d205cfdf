internal import DTMRepository
internal import DTMSystem

/// The writing side of a state cache: one transaction from the first change to its commit.
final class StateWriter {
  /// Of the tables and of the blocks' encoding; another one is thrown away.
  static let schemaVersion: Int64 = 1
  /// A block with fewer records after a change is joined with the next.
  private static let minimumCount = 32

  private let database: SQLiteDatabase
  /// Whether a transaction has begun.
  var isOpen = false
  /// Whether something failed since; then nothing is committed.
  private(set) var hasFailed = false
  private(set) var entries = 0

  init(_ database: SQLiteDatabase) {
    self.database = database
  }

  static func makeSchema(_ database: SQLiteDatabase) throws(SQLiteError) {
    try database.execute(
      """
      BEGIN IMMEDIATE;
      CREATE TABLE header(id INTEGER PRIMARY KEY, head BLOB, sequence INTEGER, clock BLOB,
        rules BLOB, entries INTEGER);
      CREATE TABLE blocks(id INTEGER PRIMARY KEY, first BLOB NOT NULL UNIQUE, data BLOB NOT NULL);
      CREATE TABLE directories(device INTEGER, inode INTEGER, key BLOB NOT NULL,
        PRIMARY KEY(device, inode)) WITHOUT ROWID;
      CREATE TABLE links(device INTEGER, inode INTEGER, key BLOB,
        PRIMARY KEY(device, inode, key)) WITHOUT ROWID;
      CREATE TABLE revisits(key BLOB PRIMARY KEY, whole INTEGER, reason INTEGER, ended INTEGER,
        took INTEGER) WITHOUT ROWID;
      PRAGMA user_version = 1;
      COMMIT;
      """)
  }

  /// Runs a change inside the transaction; after a failure nothing more is tried.
  func attempt(_ body: (StateWriter) throws(SQLiteError) -> Void) {
    if hasFailed && isOpen { return }
    do throws(SQLiteError) {
      if !isOpen {
        hasFailed = false
        try database.execute("BEGIN IMMEDIATE")
        isOpen = true
        entries = 0
        if case .integer(let count)? = try database.value("SELECT entries FROM header") {
          entries = Int(count)
        }
      }
      try body(self)
    } catch {
      hasFailed = true
      isOpen = true
    }
  }

  func commit(_ header: StateHeader) throws(SQLiteError) {
    try database.run(
      "INSERT OR REPLACE INTO header(id, head, sequence, clock, rules, entries) "
        + "VALUES (1, ?, ?, ?, ?, ?)",
      [
        .blob(header.head.bytes), .integer(Int64(bitPattern: header.sequence)),
        .blob(Array(header.clock.utf8)), .blob(header.rules.bytes),
        .integer(Int64(entries)),
      ])
    try database.execute("COMMIT")
    isOpen = false
  }

  func rollBack() {
    if !isOpen { return }
    isOpen = false
    hasFailed = false
    // Fails where BEGIN itself failed: there is nothing to take back then.
    do throws(SQLiteError) { try database.execute("ROLLBACK") } catch { return }
  }

  func removeAll() throws(SQLiteError) {
    try database.execute(
      "DELETE FROM blocks; DELETE FROM directories; DELETE FROM links; DELETE FROM revisits; "
        + "DELETE FROM header")
    entries = 0
  }

  func replaceRevisits(_ old: [PathKey], _ new: [Revisit]) throws(SQLiteError) {
    for key in old {
      try database.run("DELETE FROM revisits WHERE key = ?", [.blob(key.bytes)])
    }
    for revisit in new {
      try database.run(
        "INSERT OR REPLACE INTO revisits(key, whole, reason, ended, took) VALUES (?, ?, ?, ?, ?)",
        [
          .blob(revisit.key.bytes), .integer(revisit.scope == .subtree ? 1 : 0),
          .integer(revisit.reason.rawValue), .integer(revisit.ended), .integer(revisit.took),
        ])
    }
  }

  func names(of identity: InodeIdentity) throws(SQLiteError) -> [PathKey] {
    var result: [PathKey] = []
    try database.run(
      "SELECT key FROM links WHERE device = ? AND inode = ? ORDER BY key", identity.parameters
    ) { row in
      result.append(PathKey(bytes: row.blob(0)))
      return true
    }
    return result
  }

  // MARK: - Records

  /// `edits`: in key order, each key once.
  func apply(_ edits: [StateEdit]) throws(SQLiteError) {
    var start = 0
    while start < edits.count {
      var rows: [Int64] = []
      var block = StateBlock()
      var next: PathKey?
      if let found = try row(atOrBefore: edits[start].key) {
        rows.append(found.id)
        block = found.block
        next = try firstKey(after: found.first)
      } else {
        next = try firstKey(after: nil)
      }
      var end = start
      while end < edits.count, next.map({ edits[end].key < $0 }) ?? true { end += 1 }
      var merged = try merge(block, edits[start..<end])
      if merged.count < Self.minimumCount, let first = next, let found = try row(atOrBefore: first)
      {
        rows.append(found.id)
        for index in 0..<found.block.count {
          merged.append(found.block.keys[index], found.block.records[index])
        }
        // What falls into the joined block comes with the next turn.
      }
      try replace(rows, with: merged)
      start = end
    }
  }

  private func merge(
    _ block: StateBlock, _ edits: ArraySlice<StateEdit>
  ) throws(SQLiteError) -> StateBlock {
    var result = StateBlock()
    var index = 0
    for edit in edits {
      let key = edit.key
      while index < block.count, block.keys.comparison(index, with: key) < 0 {
        result.append(block.keys[index], block.records[index])
        index += 1
      }
      var old: StateRecord?
      if index < block.count, block.keys.comparison(index, with: key) == 0 {
        old = block.records[index]
        index += 1
      }
      switch edit {
      case .put(_, let record):
        result.append(key, record)
        try note(key, old: old, new: record)
        if old == nil { entries += 1 }
      case .remove:
        try note(key, old: old, new: nil)
        if old != nil { entries -= 1 }
      }
    }
    while index < block.count {
      result.append(block.keys[index], block.records[index])
      index += 1
    }
    return result
  }

  /// Keeps the tables by inode in step with a record's change.
  private func note(
    _ key: PathKey, old: StateRecord?, new: StateRecord?
  ) throws(SQLiteError) {
    if let old, old.isDirectory || old.isLinked,
      old.identity != new?.identity || old.isDirectory != new?.isDirectory
        || old.isLinked != new?.isLinked
    {
      let table = old.isDirectory ? "directories" : "links"
      try database.run(
        "DELETE FROM \(table) WHERE device = ? AND inode = ? AND key = ?",
        old.identity.parameters + [.blob(key.bytes)])
    }
    if let new, new.isDirectory || new.isLinked,
      old?.identity != new.identity
        || old?.isDirectory != new.isDirectory || old?.isLinked != new.isLinked
    {
      let table = new.isDirectory ? "directories" : "links"
      try database.run(
        "INSERT OR REPLACE INTO \(table)(device, inode, key) VALUES (?, ?, ?)",
        new.identity.parameters + [.blob(key.bytes)])
    }
  }

  private func replace(_ rows: [Int64], with block: StateBlock) throws(SQLiteError) {
    for row in rows { try database.run("DELETE FROM blocks WHERE id = ?", [.integer(row)]) }
    if block.count == 0 { return }
    let pieces =
      block.count <= StateBlock.maximumCount
      ? 1 : (block.count + StateBlock.usualCount - 1) / StateBlock.usualCount
    for piece in 0..<pieces {
      let range = block.count * piece / pieces..<block.count * (piece + 1) / pieces
      try database.run(
        "INSERT INTO blocks(first, data) VALUES (?, ?)",
        [.blob(block.keys[range.lowerBound].bytes), .blob(block.encoded(range))])
    }
  }

  private func row(
    atOrBefore key: PathKey
  ) throws(SQLiteError) -> (id: Int64, first: PathKey, block: StateBlock)? {
    var result: (Int64, PathKey, [UInt8])?
    try database.run(
      "SELECT id, first, data FROM blocks WHERE first <= ? ORDER BY first DESC LIMIT 1",
      [.blob(key.bytes)]
    ) { row in
      result = (row.integer(0), PathKey(bytes: row.blob(1)), row.blob(2))
      return false
    }
    guard let (id, first, data) = result else { return nil }
    guard let block = StateBlock(decoding: data) else {
      throw SQLiteError(code: 11, message: "a block is damaged")
    }
    return (id, first, block)
  }

  private func firstKey(after key: PathKey?) throws(SQLiteError) -> PathKey? {
    var result: PathKey?
    let take: (SQLiteRow) throws(SQLiteError) -> Bool = { row in
      result = PathKey(bytes: row.blob(0))
      return false
    }
    if let key {
      try database.run(
        "SELECT first FROM blocks WHERE first > ? ORDER BY first LIMIT 1", [.blob(key.bytes)],
        row: take)
    } else {
      try database.run("SELECT first FROM blocks ORDER BY first LIMIT 1", [], row: take)
    }
    return result
  }
}
