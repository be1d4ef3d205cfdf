internal import DTMSystem
internal import SystemPackage

/// An open file of the simulation; its lock ends with it.
final class SimulatedOpenFile: OpenFile {
  let operations: SimulatedFileOperations
  let node: Int
  let handle: Int
  let name: String

  init(of operations: SimulatedFileOperations, node: Int, handle: Int, name: String) {
    self.operations = operations
    self.node = node
    self.handle = handle
    self.name = name
  }

  deinit {
    operations.unlock(handle)
  }

  func size() throws(Errno) -> Int {
    try operations.look(.size, self) { $0.bytes.count }
  }

  func read(at offset: Int, count: Int) throws(Errno) -> [UInt8] {
    try operations.look(.read, self) { content in
      let start = min(offset, content.bytes.count)
      return Array(content.bytes[start..<min(start + count, content.bytes.count)])
    }
  }

  func write(_ bytes: [UInt8], at offset: Int) throws(Errno) {
    try operations.write(bytes, at: offset, to: self)
  }

  func synchronizeData() throws(Errno) { try operations.synchronize(self) }

  func truncate(to length: Int) throws(Errno) {
    try operations.truncate(self, to: length)
  }

  func setMode(_ mode: UInt32) throws(Errno) { try operations.setMode(mode, of: self) }

  func mode() throws(Errno) -> UInt32 { try operations.mode(of: self) }

  func lock(_ kind: FileLock, wait: Bool) throws(Errno) -> Bool {
    try operations.lock(kind, of: self, wait: wait)
  }

  func lockHolder() throws(Errno) -> Int32? { try operations.lockHolder(of: self) }

  func identity() throws(Errno) -> (inode: UInt64, links: Int) {
    try operations.identity(of: self)
  }
}
