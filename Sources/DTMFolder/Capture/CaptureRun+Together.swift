internal import DTMRepository
internal import DTMSystem
internal import SystemPackage

/// A database and its log: captured so that they fit together, or said not to.
///
/// In key order the database comes first. What was captured of the two is what stood there when the
/// log was read, as long as the database was not written between: then both are read again.
extension CaptureRun {
  /// What a log's name has more than its database's: SQLite's two modes, DuckDB.
  private static let logSuffixes = ["-wal", "-journal", ".wal"].map { Array($0.utf8) }
  /// How often the two are read.
  static let readingLimit = 3
  /// A database whose reading takes longer is not read again.
  static let slowReading = Duration.seconds(2)

  /// A file that somebody had open for writing when it was captured.
  struct OpenFile {
    let record: StateRecord
    let took: Duration
  }

  func settleGroups() throws(FolderError) {
    guard options.writesState else { return }
    try settleConfiguredGroups()
    for log in openFiles.keys.sorted() {
      for suffix in Self.logSuffixes where log.bytes.count > suffix.count {
        let database = PathKey(bytes: Array(log.bytes.dropLast(suffix.count)))
        if log.bytes.suffix(suffix.count).elementsEqual(suffix), openFiles[database] != nil {
          try settle(database, log)
        }
      }
    }
  }

  private func settle(_ database: PathKey, _ log: PathKey) throws(FolderError) {
    for reading in 1...Self.readingLimit {
      guard let before = openFiles[database], let now = status(of: database) else { return }
      if !now.differs(from: before.record) { return }
      if reading == Self.readingLimit || before.took > Self.slowReading { break }
      // Gone, or not to be read any more: what was captured of it stays, and the next snapshot tells.
      guard try readAgain(database), try readAgain(log) else { return }
    }
    findings.problems.append(
      Snapshot.Problem(
        key: database, kind: .changing,
        detail: "it was written while \(Quoting.path(log.name)) was read: they may not fit together"
      ))
  }

  func status(of key: PathKey) -> StateRecord? {
    guard let parent = key.parent else { return nil }
    do throws(Errno) {
      let directory = try root.openDirectory(parent)
      return try root.status(of: key.name, in: directory).map(root.sight)
    } catch {
      return nil
    }
  }

  /// Captures a file anew and puts that in the place of what was captured before.
  func readAgain(_ key: PathKey) throws(FolderError) -> Bool {
    guard let parent = key.parent else { return false }
    let directory: OpenEntry
    let status: FileStatus
    do throws(Errno) {
      directory = try root.openDirectory(parent)
      guard let found = try root.status(of: key.name, in: directory) else { return false }
      status = found
    } catch {
      return false
    }
    guard case .captured(let captured) = try capture.capture(key, in: directory, status),
      !captured.record.isLinked
    else { return false }
    // One entry of a key in each batch.
    try flush()
    silent.removeAll { $0.entry.key == key }
    let present = try currentEntry(key)
    if present != captured.entry {
      batch.entries.append(captured.entry)
      if present == nil {
        findings.hasChanges = true
        findings.counts.added += 1
        findings.fileDelta += 1
      } else if let present, !Self.isSilent(present, captured.entry), try baseEntry(key) == present
      {
        findings.hasChanges = true
        findings.counts.modified += 1
      }
    }
    findings.problems.removeAll { $0.key == key && $0.kind == .changing }
    note(captured)
    edit(.put(key, captured.record))
    return true
  }
}
