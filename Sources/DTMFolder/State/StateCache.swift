internal import DTMRepository
package import DTMSystem
internal import SystemPackage

/// Something in the state cache does not read as it was written. Never shown to the user: the
/// cache is emptied, and a scan fills it again.
package struct StateFailure: Error {
  package let message: String
  /// Where it was the repository that could not be read.
  var repository: RepositoryError?
}

/// What a folder looked like at its last snapshot, in `state/<folder id>.sqlite`.
///
/// A cache: it may be deleted, damaged or old at any time, and then costs a scan. Reading sees the
/// cache as it was when `beginReading` was called, whatever is written meanwhile; what is written
/// counts from `commit` on. Belongs to one thread at a time; one writer at a time is what
/// `locks/capture` is for.
package final class StateCache {
  private let path: [UInt8]
  private var reader: SQLiteDatabase?
  private var writer: StateWriter?
  private var isReading = false
  private var isClosed = false

  /// `path`: of the database file; it is made when it is not there. Never fails: a cache that
  /// can't be opened is one that is always empty.
  package init(path: [UInt8]) {
    self.path = path
    reader = Self.open(path)
    if reader == nil { reset() }
  }

  /// Begins to read and returns what the cache stands for; nil when it is empty, of another
  /// version, or not readable.
  package func beginReading() -> StateHeader? {
    endReading()
    do throws(SQLiteError) {
      guard let reader else { return nil }
      try reader.execute("BEGIN")
      isReading = true
      var header: StateHeader?
      try reader.run("SELECT head, sequence, clock, rules, entries FROM header") { row in
        if let head = ObjectID(row.blob(0)), let rules = ObjectID(row.blob(3)) {
          header = StateHeader(
            head: head, sequence: UInt64(bitPattern: row.integer(1)),
            clock: String(decoding: row.blob(2), as: UTF8.self), rules: rules,
            entries: Int(row.integer(4)))
        }
        return false
      }
      return header
    } catch {
      reset()
      return nil
    }
  }

  /// Ends the read transaction, so that a writer need not wait for it.
  package func endReading() {
    if isReading, let reader { try? reader.execute("COMMIT") }
    isReading = false
  }

  /// Closes the file; the cache is empty and keeps nothing from then on.
  package func close() {
    rollBack()
    writer = nil
    reader = nil
    isClosed = true
  }

  /// Throws the whole cache away and begins an empty one.
  package func reset() {
    writer = nil
    reader = nil
    isReading = false
    removeFiles()
    reader = Self.open(path)
  }

  // MARK: - Reading

  /// The record of a path.
  package func record(_ key: PathKey) throws(StateFailure) -> StateRecord? {
    try block(holding: key)?.record(of: key)
  }

  /// The block in whose range a key falls; nil when the key is before all blocks.
  func block(holding key: PathKey) throws(StateFailure) -> StateBlock? {
    try firstBlock("SELECT data FROM blocks WHERE first <= ? ORDER BY first DESC LIMIT 1", key)
  }

  /// The first block that begins after a key.
  package func block(after key: PathKey) throws(StateFailure) -> StateBlock? {
    try firstBlock("SELECT data FROM blocks WHERE first > ? ORDER BY first LIMIT 1", key)
  }

  /// Where a directory was, by its inode.
  package func directory(_ identity: InodeIdentity) throws(StateFailure) -> PathKey? {
    var result: PathKey?
    try reading { reader throws(SQLiteError) in
      try reader.run(
        "SELECT key FROM directories WHERE device = ? AND inode = ?", identity.parameters
      ) { row in
        result = PathKey(bytes: row.blob(0))
        return false
      }
    }
    return result
  }

  /// The known names of a file that has several, in key order.
  package func names(of identity: InodeIdentity) throws(StateFailure) -> [PathKey] {
    var result: [PathKey] = []
    try reading { reader throws(SQLiteError) in
      try reader.run(
        "SELECT key FROM links WHERE device = ? AND inode = ? ORDER BY key", identity.parameters
      ) { row in
        result.append(PathKey(bytes: row.blob(0)))
        return true
      }
    }
    return result
  }

  /// The paths to look at in each snapshot, in key order.
  package func revisits() throws(StateFailure) -> [Revisit] {
    var result: [Revisit] = []
    try reading { reader throws(SQLiteError) in
      try reader.run("SELECT key, whole, reason, ended, took FROM revisits ORDER BY key") { row in
        if let reason = Revisit.Reason(rawValue: row.integer(2)) {
          result.append(
            Revisit(
              PathKey(bytes: row.blob(0)), row.integer(1) == 1 ? .subtree : .entry, reason,
              ended: row.integer(3), took: row.integer(4)))
        }
        return true
      }
    }
    return result
  }

  private func firstBlock(_ text: String, _ key: PathKey) throws(StateFailure) -> StateBlock? {
    var data: [UInt8]?
    try reading { reader throws(SQLiteError) in
      try reader.run(text, [.blob(key.bytes)]) { row in
        data = row.blob(0)
        return false
      }
    }
    guard let data else { return nil }
    guard let block = StateBlock(decoding: data) else {
      throw StateFailure(message: "a block of the state cache is damaged")
    }
    return block
  }

  private func reading(
    _ body: (SQLiteDatabase) throws(SQLiteError) -> Void
  ) throws(StateFailure) {
    guard let reader else { return }
    do throws(SQLiteError) {
      try body(reader)
    } catch {
      throw StateFailure(message: error.message)
    }
  }

  // MARK: - Writing

  /// Makes changes to records, in key order; they count from `commit` on.
  package func apply(_ edits: [StateEdit]) {
    if edits.isEmpty { return }
    writing { writer throws(SQLiteError) in try writer.apply(edits) }
  }

  /// Forgets all records and revisits; counts from `commit` on.
  package func removeAll() {
    writing { writer throws(SQLiteError) in try writer.removeAll() }
  }

  /// Replaces the paths that are looked at in each snapshot; counts from `commit` on.
  package func replaceRevisits(removing old: [PathKey], adding new: [Revisit]) {
    if old.isEmpty && new.isEmpty { return }
    writing { writer throws(SQLiteError) in try writer.replaceRevisits(old, new) }
  }

  /// All names of a file that has several, as written so far.
  func writtenNames(of identity: InodeIdentity) -> [PathKey] {
    var result: [PathKey] = []
    writing { writer throws(SQLiteError) in result = try writer.names(of: identity) }
    return result
  }

  /// Makes what was written count. Not synced: after a power loss the cache may be an older one.
  ///
  /// Returns false, and forgets the changes, when one of them failed (a full disk, say): the cache
  /// then is the old one, and the next snapshot scans.
  @discardableResult
  package func commit(_ header: StateHeader) -> Bool {
    endReading()
    writing { writer throws(SQLiteError) in try writer.commit(header) }
    guard let writer, !writer.hasFailed else {
      rollBack()
      return false
    }
    return true
  }

  /// Forgets what was written since the last `commit`.
  package func rollBack() {
    endReading()
    writer?.rollBack()
  }

  /// Whether there are changes that `commit` would make count.
  var isWriting: Bool { writer?.isOpen ?? false }

  private func writing(_ body: (StateWriter) throws(SQLiteError) -> Void) {
    if writer == nil, !isClosed, let database = Self.open(path) { writer = StateWriter(database) }
    guard let writer else { return }
    writer.attempt(body)
  }

  // MARK: - The file

  private static func open(_ path: [UInt8]) -> SQLiteDatabase? {
    do throws(SQLiteError) {
      let database = try SQLiteDatabase(path: path)
      try database.execute("PRAGMA busy_timeout = 5000")
      try database.execute("PRAGMA page_size = 8192")
      try database.execute("PRAGMA journal_mode = WAL")
      try database.execute("PRAGMA synchronous = NORMAL")
      try database.execute("PRAGMA temp_store = MEMORY")
      try database.execute("PRAGMA cell_size_check = ON")
      let version = try database.value("PRAGMA user_version")
      if version == .integer(StateWriter.schemaVersion) { return database }
      if version != .integer(0) { return nil }
      try StateWriter.makeSchema(database)
      return database
    } catch {
      return nil
    }
  }

  private func removeFiles() {
    let cut = (path.lastIndex(of: UInt8(ascii: "/")) ?? -1) + 1
    let directory = cut == 0 ? [UInt8(ascii: ".")] : Array(path[..<cut])
    let name = String(decoding: path[cut...], as: UTF8.self)
    do throws(Errno) {
      let opened = try Descriptor.open(
        FilePath(String(decoding: directory, as: UTF8.self)), [.readOnly, .directory])
      let files = SystemFileOperations(directory: opened)
      for suffix in ["-wal", "-shm", ""] {
        do throws(Errno) {
          try files.remove(name + suffix)
        } catch  where error != .noSuchFileOrDirectory {
          return
        } catch {
          continue
        }
      }
    } catch {
      // The file can't be removed, and opening it will fail again: a cache that is always empty.
      return
    }
  }
}

extension InodeIdentity {
  var parameters: [SQLiteValue] {
    [.integer(Int64(bitPattern: device)), .integer(Int64(bitPattern: inode))]
  }
}
