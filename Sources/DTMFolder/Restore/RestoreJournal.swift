internal import DTMRepository
internal import DTMSystem
internal import SystemPackage

/// The journal of one restore, in the repository's `journal/`: there from before anything is touched
/// until the result is recorded.
///
/// Whoever holds the restore lock of the folder may write it.
final class RestoreJournal {
  private static let directory = "journal"
  private static let unfinishedSuffix = ".new"

  let name: String
  private let files: any FileOperations
  private let file: any OpenFile
  private var length: Int

  private init(_ name: String, _ files: any FileOperations, _ file: any OpenFile, length: Int) {
    self.name = name
    self.files = files
    self.file = file
    self.length = length
  }

  /// Writes a plan down. After return it is on disk, its name too.
  static func begin(
    _ plan: RestorePlan, _ intent: RestoreIntent, folder: PackID, files: any FileOperations
  ) throws(FolderError) -> RestoreJournal {
    let name = "\(directory)/\(folder.hex)-\(plan.name)"
    let bytes = JournalEncoding.magic + JournalEncoding.record(JournalEncoding.body(plan, intent))
    return try onJournal("write", name) { () throws(Errno) in
      let file = try files.create(name + unfinishedSuffix, mode: 0o600)
      try file.write(bytes, at: 0)
      try file.synchronizeData()
      try files.rename(name + unfinishedSuffix, to: name)
      try files.synchronizeDirectory(directory)
      return RestoreJournal(name, files, file, length: bytes.count)
    }
  }

  /// Says that everything is built but `skipped`. After return that is on disk.
  func markBuilt(skipped: Set<Int>) throws(FolderError) {
    let bytes = JournalEncoding.record(JournalEncoding.body(built: skipped))
    try onJournal("write", name) { () throws(Errno) in
      try file.write(bytes, at: length)
      try file.synchronizeData()
    }
    length += bytes.count
  }

  /// Ends it: the restore is recorded, or taken back.
  func close() throws(FolderError) {
    try onJournal("remove", name) { () throws(Errno) in
      try files.remove(name)
      try files.synchronizeDirectory(Self.directory)
    }
  }

  // MARK: - Finding those that were cut off

  /// The names of a folder's journals, in order; removes what was never finished when `sweeps`.
  static func names(
    of folder: PackID, files: any FileOperations, sweeps: Bool
  ) throws(FolderError) -> [String] {
    let all: [String]
    do throws(Errno) { all = try files.list(directory) } catch {
      // A work directory that is lost holds nothing.
      if error == .noSuchFileOrDirectory { return [] }
      throw FolderError(error, "list", directory)
    }
    var names: [String] = []
    for name in all.sorted() where name.hasPrefix(folder.hex + "-") {
      if !name.hasSuffix(unfinishedSuffix) {
        names.append("\(directory)/\(name)")
      } else if sweeps {
        try onJournal("remove", name) { () throws(Errno) in
          try files.remove("\(directory)/\(name)")
        }
      }
    }
    return names
  }

  /// Opens a journal that was left. Throws `.corrupt` for one that does not decode.
  static func open(
    _ name: String, files: any FileOperations
  ) throws(FolderError) -> (RestoreJournal, JournalEncoding.Contents) {
    let (file, bytes) = try onJournal("read", name) { () throws(Errno) in
      let file = try files.open(name, writable: true)
      return (file, try file.read(at: 0, count: try file.size()))
    }
    do throws(DecodingFailure) {
      let contents = try JournalEncoding.decode(bytes)
      return (RestoreJournal(name, files, file, length: bytes.count), contents)
    } catch {
      throw FolderError(
        .corrupt, "\(name): \(error.message) (at byte \(error.offset))",
        hint: "look at the folder, then remove that file of the repository")
    }
  }
}

private func onJournal<Result>(
  _ operation: String, _ name: String, _ body: () throws(Errno) -> Result
) throws(FolderError) -> Result {
  do throws(Errno) { return try body() } catch { throw FolderError(error, operation, name) }
}
