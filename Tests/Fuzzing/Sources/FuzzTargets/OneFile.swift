internal import DTMSystem
internal import SystemPackage

/// Files of which each has the same bytes; nothing can be written.
final class OneFile: FileOperations, OpenFile {
  private let bytes: [UInt8]

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  func open(_ name: String, writable: Bool) throws(Errno) -> any OpenFile { self }
  func create(_ name: String, mode: UInt32) throws(Errno) -> any OpenFile {
    throw .readOnlyFileSystem
  }
  func createUnnamed(in directory: String, mode: UInt32) throws(Errno) -> any OpenFile {
    throw .readOnlyFileSystem
  }
  func link(_ file: any OpenFile, as name: String) throws(Errno) { throw .readOnlyFileSystem }
  func rename(_ name: String, to target: String) throws(Errno) { throw .readOnlyFileSystem }
  func remove(_ name: String) throws(Errno) { throw .readOnlyFileSystem }
  func makeDirectory(_ name: String, mode: UInt32) throws(Errno) { throw .readOnlyFileSystem }
  func list(_ directory: String) throws(Errno) -> [String] { [] }
  func synchronizeDirectory(_ name: String) throws(Errno) {}

  func size() throws(Errno) -> Int { bytes.count }
  func read(at offset: Int, count: Int) throws(Errno) -> [UInt8] {
    Array(bytes.dropFirst(offset).prefix(count))
  }
  func write(_ bytes: [UInt8], at offset: Int) throws(Errno) { throw .readOnlyFileSystem }
  func synchronizeData() throws(Errno) {}
  func truncate(to length: Int) throws(Errno) { throw .readOnlyFileSystem }
  func setMode(_ mode: UInt32) throws(Errno) { throw .readOnlyFileSystem }
  func mode() throws(Errno) -> UInt32 { 0o444 }
  func lock(_ kind: FileLock, wait: Bool) throws(Errno) -> Bool { true }
  func lockHolder() throws(Errno) -> Int32? { nil }
  func identity() throws(Errno) -> (inode: UInt64, links: Int) { (1, 1) }
}
