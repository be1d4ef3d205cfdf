internal import CSQLite
internal import DTMSystem
internal import SystemPackage

/// Why SQLite refused: its result code and its words.
struct SQLiteError: Error {
  let code: Int32
  let message: String
}

/// A value of a column, or for a parameter.
enum SQLiteValue: Hashable {
  case null
  case integer(Int64)
  case blob([UInt8])
}

/// One connection to a database; the only file that touches SQLite. Belongs to one thread at a
/// time.
///
/// Statements are prepared once and kept by their text, which is always a literal.
@safe final class SQLiteDatabase {
  /// A write-ahead log below this many bytes stays as it is when the last connection closes. Copying it into
  /// the database takes four flushes, which a process that comes and goes need not wait for; the next one
  /// reads the log instead, so it has to be short.
  private static let keptLogLength = 256 << 10

  private let path: [UInt8]
  private let handle: OpaquePointer
  private var statements: [String: OpaquePointer] = unsafe [:]

  /// Opens or creates a database file; `path` as bytes, no link in the last place is followed.
  init(path: [UInt8]) throws(SQLiteError) {
    var opened: OpaquePointer?
    let flags =
      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW
    let status: Int32 = unsafe (path + [0]).withUnsafeBufferPointer { bytes in
      unsafe bytes.withMemoryRebound(to: CChar.self) { text in
        guard let base = text.baseAddress else { return SQLITE_CANTOPEN }
        return unsafe sqlite3_open_v2(base, &opened, flags, nil)
      }
    }
    guard status == SQLITE_OK, let connection = unsafe opened else {
      let message = unsafe String(cString: sqlite3_errstr(status))
      unsafe sqlite3_close_v2(opened)
      throw SQLiteError(code: status, message: message)
    }
    self.path = path
    unsafe handle = connection
  }

  deinit {
    unsafe statements.values.forEach { _ = unsafe sqlite3_finalize($0) }
    if isLogShort { unsafe dtm_sqlite_leave_log_at_close(handle) }
    unsafe sqlite3_close_v2(handle)
  }

  /// Runs statements that give no rows, several at once.
  func execute(_ text: String) throws(SQLiteError) {
    let status = unsafe sqlite3_exec(handle, text, nil, nil, nil)
    if status != SQLITE_OK { throw failure(status) }
  }

  /// Runs one statement with its parameters; `row` gets each row's columns and says whether to go
  /// on.
  func run(
    _ text: String, _ parameters: [SQLiteValue] = [],
    row: (SQLiteRow) throws(SQLiteError) -> Bool = { _ throws(SQLiteError) in true }
  ) throws(SQLiteError) {
    let statement = unsafe try prepared(text)
    defer {
      unsafe sqlite3_reset(statement)
      unsafe sqlite3_clear_bindings(statement)
    }
    for index in parameters.indices {
      try unsafe bind(parameters[index], to: statement, at: Int32(index + 1))
    }
    while true {
      let status = unsafe sqlite3_step(statement)
      if status == SQLITE_DONE { return }
      if status != SQLITE_ROW { throw failure(status) }
      if try !row(unsafe SQLiteRow(statement: statement)) { return }
    }
  }

  /// The first row's first column.
  func value(_ text: String, _ parameters: [SQLiteValue] = []) throws(SQLiteError) -> SQLiteValue? {
    var result: SQLiteValue?
    try run(text, parameters) { row throws(SQLiteError) in
      result = row.value(0)
      return false
    }
    return result
  }

  private func prepared(_ text: String) throws(SQLiteError) -> OpaquePointer {
    if let statement = unsafe statements[text] { return unsafe statement }
    var made: OpaquePointer?
    let flags = UInt32(SQLITE_PREPARE_PERSISTENT)
    let status = unsafe sqlite3_prepare_v3(handle, text, -1, flags, &made, nil)
    guard status == SQLITE_OK, let statement = unsafe made else { throw failure(status) }
    unsafe statements[text] = statement
    return unsafe statement
  }

  private func bind(
    _ value: SQLiteValue, to statement: OpaquePointer, at index: Int32
  ) throws(SQLiteError) {
    // SQLITE_TRANSIENT: SQLite copies at once.
    let copies = unsafe unsafeBitCast(-1, to: sqlite3_destructor_type.self)
    let status: Int32 =
      switch value {
      case .null: unsafe sqlite3_bind_null(statement, index)
      case .integer(let number): unsafe sqlite3_bind_int64(statement, index, number)
      case .blob(let bytes):
        if bytes.isEmpty {
          unsafe sqlite3_bind_zeroblob(statement, index, 0)
        } else {
          unsafe bytes.withUnsafeBytes {
            unsafe sqlite3_bind_blob64(
              statement, index, $0.baseAddress, UInt64(bytes.count), copies)
          }
        }
      }
    if status != SQLITE_OK { throw failure(status) }
  }

  private var isLogShort: Bool {
    let name = FilePath(bytes: path + Array("-wal".utf8))
    guard let log = try? Descriptor.open(name, [.readOnly, .noFollow]),
      let length = try? log.status().size
    else { return false }
    return length < Self.keptLogLength
  }

  private func failure(_ status: Int32) -> SQLiteError {
    SQLiteError(code: status, message: unsafe String(cString: sqlite3_errmsg(handle)))
  }
}

/// The row that a statement stands at; valid in the closure that gets it.
@safe struct SQLiteRow {
  private let statement: OpaquePointer

  fileprivate init(statement: OpaquePointer) {
    unsafe self.statement = statement
  }

  func value(_ column: Int32) -> SQLiteValue {
    switch unsafe sqlite3_column_type(statement, column) {
    case SQLITE_INTEGER: .integer(unsafe sqlite3_column_int64(statement, column))
    case SQLITE_BLOB, SQLITE_TEXT: .blob(blob(column))
    default: .null
    }
  }

  /// The column's bytes; none where it is null.
  func blob(_ column: Int32) -> [UInt8] {
    let count = Int(unsafe sqlite3_column_bytes(statement, column))
    guard count > 0, let base = unsafe sqlite3_column_blob(statement, column) else { return [] }
    return unsafe [UInt8](UnsafeRawBufferPointer(start: base, count: count))
  }

  /// The column as a number; 0 where it is none.
  func integer(_ column: Int32) -> Int64 {
    unsafe sqlite3_column_int64(statement, column)
  }
}
