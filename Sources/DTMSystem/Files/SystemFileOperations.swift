internal import CLinux
internal import Glibc
package import SystemPackage

/// `FileOperations` on the kernel, beneath one directory that is opened once.
package final class SystemFileOperations: FileOperations {
  private let root: Descriptor

  /// Works beneath `directory`, whatever its path becomes.
  package init(directory: consuming Descriptor) {
    root = directory
  }

  /// Opens the directory; a link in the last place is not followed.
  package convenience init(path: FilePath) throws(Errno) {
    self.init(directory: try Descriptor.open(path, [.readOnly, .directory, .noFollow]))
  }

  package func open(_ name: String, writable: Bool) throws(Errno) -> any OpenFile {
    SystemOpenFile(
      try root.open(Array(name.utf8), [writable ? .readWrite : .readOnly, .noFollow]))
  }

  package func create(_ name: String, mode: UInt32) throws(Errno) -> any OpenFile {
    SystemOpenFile(
      try root.open(
        Array(name.utf8), [.readWrite, .create, .exclusive, .noFollow], mode: mode))
  }

  package func createUnnamed(in directory: String, mode: UInt32) throws(Errno) -> any OpenFile {
    SystemOpenFile(
      try root.open(
        Array((directory.isEmpty ? "." : directory).utf8), [.readWrite, .unnamed], mode: mode))
  }

  package func link(_ file: any OpenFile, as name: String) throws(Errno) {
    guard let file = file as? SystemOpenFile else {
      preconditionFailure("a file of another implementation")
    }
    let directory = root.rawValue
    // linkat(2): AT_EMPTY_PATH needs CAP_DAC_READ_SEARCH, the /proc form does not.
    let source = Array("/proc/self/fd/\(file.descriptor.rawValue)".utf8)
    try unsafe withCString(of: source) { from throws(Errno) in
      try unsafe withCString(of: Array(name.utf8)) { to throws(Errno) in
        if unsafe linkat(
          CLINUX_AT_FDCWD, from, directory, to, CLINUX_AT_SYMLINK_FOLLOW) != 0
        {
          throw .current
        }
      }
    }
  }

  package func rename(_ name: String, to target: String) throws(Errno) {
    let directory = root.rawValue
    try unsafe withCString(of: Array(name.utf8)) { from throws(Errno) in
      try unsafe withCString(of: Array(target.utf8)) { to throws(Errno) in
        if unsafe renameat(directory, from, directory, to) != 0 { throw .current }
      }
    }
  }

  package func remove(_ name: String) throws(Errno) {
    let directory = root.rawValue
    try unsafe withCString(of: Array(name.utf8)) { pointer throws(Errno) in
      if unsafe unlinkat(directory, pointer, 0) != 0 { throw .current }
    }
  }

  package func makeDirectory(_ name: String, mode: UInt32) throws(Errno) {
    let directory = root.rawValue
    try unsafe withCString(of: Array(name.utf8)) { pointer throws(Errno) in
      if unsafe mkdirat(directory, pointer, mode) != 0 { throw .current }
    }
  }

  package func list(_ directory: String) throws(Errno) -> [String] {
    let opened = try root.open(
      Array((directory.isEmpty ? "." : directory).utf8), [.readOnly, .directory, .noFollow])
    var names: [String] = []
    try opened.forEachEntry { entry throws(Errno) in
      names.append(String(decoding: entry.name, as: UTF8.self))
    }
    return names
  }

  package func synchronizeDirectory(_ name: String) throws(Errno) {
    let opened = try root.open(
      Array((name.isEmpty ? "." : name).utf8), [.readOnly, .directory, .noFollow])
    try opened.synchronize()
  }

  package func synchronizeData(_ opened: [any OpenFile]) throws(Errno) {
    for case let error? in ParallelSynchronization.synchronizeData(opened) { throw error }
  }

  package func map(_ name: String) throws(Errno) -> MappedFile? {
    try MappedFile(try root.open(Array(name.utf8), [.readOnly, .noFollow]))
  }
}

/// A file on the kernel.
private final class SystemOpenFile: OpenFile {
  let descriptor: Descriptor

  init(_ descriptor: consuming Descriptor) {
    self.descriptor = descriptor
  }

  func size() throws(Errno) -> Int { Int(try descriptor.status().size) }

  func read(at offset: Int, count: Int) throws(Errno) -> [UInt8] {
    try descriptor.read(at: offset, count: count)
  }

  func write(_ bytes: [UInt8], at offset: Int) throws(Errno) {
    try descriptor.write(bytes, at: offset)
  }

  func synchronizeData() throws(Errno) { try descriptor.synchronizeData() }

  func truncate(to length: Int) throws(Errno) { try descriptor.truncate(to: length) }

  func setMode(_ mode: UInt32) throws(Errno) { try descriptor.setMode(mode) }

  func mode() throws(Errno) -> UInt32 { try descriptor.status().permissions }

  func lock(_ kind: FileLock, wait: Bool) throws(Errno) -> Bool {
    try descriptor.lock(kind, wait: wait)
  }

  func lockHolder() throws(Errno) -> Int32? { try descriptor.lockHolder() }

  func identity() throws(Errno) -> (inode: UInt64, links: Int) {
    let status = try descriptor.status()
    return (status.inode, Int(status.links))
  }
}
