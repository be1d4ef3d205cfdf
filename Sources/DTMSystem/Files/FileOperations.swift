package import SystemPackage

/// The seam through which a repository writes and reads its truth.
///
/// All names are relative to the repository's root, ASCII, with `/` between components. There are
/// two implementations: `SystemFileOperations` on the kernel, and the crash-simulating one in
/// Tests/DTMTestSupport. Every method is one system call in meaning; durability is what Linux
/// promises: data after `synchronizeData`, a name after `synchronizeDirectory`.
package protocol FileOperations: Sendable {
  /// Opens an existing file. Throws `.noSuchFileOrDirectory`.
  func open(_ name: String, writable: Bool) throws(Errno) -> any OpenFile
  /// Creates a file that must not exist (`O_EXCL`), open for reading and writing.
  func create(_ name: String, mode: UInt32) throws(Errno) -> any OpenFile
  /// Creates a file without a name (`O_TMPFILE`) on the directory's file system.
  func createUnnamed(in directory: String, mode: UInt32) throws(Errno) -> any OpenFile
  /// Gives an unnamed file its name. Throws `.fileExists`.
  func link(_ file: any OpenFile, as name: String) throws(Errno)
  /// rename(2): replaces `target` atomically.
  func rename(_ name: String, to target: String) throws(Errno)
  func remove(_ name: String) throws(Errno)
  /// mkdir(2). Throws `.fileExists`.
  func makeDirectory(_ name: String, mode: UInt32) throws(Errno)
  /// The names in a directory, in no order, without `.` and `..`.
  func list(_ directory: String) throws(Errno) -> [String]
  /// fsync(2) of a directory: the names in it are durable after return. "" is the root.
  func synchronizeDirectory(_ name: String) throws(Errno)
  /// fdatasync(2) of several files at once, so that they share one flush of the device; returns when
  /// all are durable. Throws the first failure, after which none of them can be trusted.
  func synchronizeData(_ opened: [any OpenFile]) throws(Errno)
  /// Maps a file that is never cut nor changed; nil where these files can't be mapped (then it is
  /// read instead).
  func map(_ name: String) throws(Errno) -> MappedFile?
  /// So many bytes (at most 256) that nobody has drawn before, to name new files by.
  func uniqueBytes(_ count: Int) -> [UInt8]
}

extension FileOperations {
  /// One after the other; a file system that gains by it does them at once.
  package func synchronizeData(_ opened: [any OpenFile]) throws(Errno) {
    for file in opened { try file.synchronizeData() }
  }

  /// Nil: read it instead.
  package func map(_ name: String) throws(Errno) -> MappedFile? { nil }

  package func uniqueBytes(_ count: Int) -> [UInt8] { SecureRandom.bytes(count) }
}

/// A file opened through `FileOperations`; closed when the last reference goes.
package protocol OpenFile: AnyObject, Sendable {
  /// Length in bytes.
  func size() throws(Errno) -> Int
  /// The bytes `offset ..< offset + count`, fewer where the file ends before.
  func read(at offset: Int, count: Int) throws(Errno) -> [UInt8]
  /// Writes all bytes at `offset` (pwrite(2), until done).
  func write(_ bytes: [UInt8], at offset: Int) throws(Errno)
  /// fdatasync(2); after a failure nothing written through this file can be trusted.
  func synchronizeData() throws(Errno)
  func truncate(to length: Int) throws(Errno)
  func setMode(_ mode: UInt32) throws(Errno)
  /// The permission bits.
  func mode() throws(Errno) -> UInt32
  /// Takes, converts or drops this open file description's lock on the whole file.
  ///
  /// Returns false when another holds a lock that conflicts and `wait` is false. The lock ends
  /// with the last descriptor of this open file, at the latest with the process.
  func lock(_ kind: FileLock, wait: Bool) throws(Errno) -> Bool
  /// The process that holds a lock which an exclusive one would conflict with; 0 where unknown
  /// (open-file-description locks of other processes show no pid), nil when there is none.
  func lockHolder() throws(Errno) -> Int32?
  /// The inode behind the open file, and how many names it has now.
  func identity() throws(Errno) -> (inode: UInt64, links: Int)
}

/// Open-file-description locks, as fcntl(2) has them: they end with the last descriptor.
package enum FileLock: Sendable {
  case shared
  case exclusive
  case none
}
