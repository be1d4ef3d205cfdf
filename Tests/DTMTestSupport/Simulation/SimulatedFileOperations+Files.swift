internal import DTMSystem
internal import SystemPackage

/// What open files call.
extension SimulatedFileOperations {
  func look<Result>(
    _ kind: Kind, _ file: SimulatedOpenFile, _ body: (SimulatedContent) -> Result
  ) throws(Errno) -> Result {
    try perform(kind, file.name) { disk in body(disk.content(file.node)) }
  }

  func truncate(_ file: SimulatedOpenFile, to length: Int) throws(Errno) {
    try perform(.truncate, file.name) { disk in
      disk.changeContent(file.node) { $0.truncate(to: length) }
    }
  }

  func write(_ bytes: [UInt8], at offset: Int, to file: SimulatedOpenFile) throws(Errno) {
    try turn?.pass()
    try state.withLock { state throws(Errno) in
      guard let error = state.begin(.write, file.name) else {
        state.disk.changeContent(file.node) { $0.write(bytes[...], at: offset) }
        return
      }
      if !state.isStopped {
        let half = bytes[..<(bytes.count / 2)]
        state.disk.changeContent(file.node) { $0.write(half, at: offset) }
      }
      throw error
    }
  }

  func synchronize(_ file: SimulatedOpenFile) throws(Errno) {
    try turn?.pass()
    try state.withLock { state throws(Errno) in
      if state.failedFlushes.contains(file.handle) { state.repeatedFlushes?.append(file.name) }
      if let error = state.begin(.synchronizeData, file.name) {
        state.failedFlushes.insert(file.handle)
        if !state.isStopped {
          let reverting = state.revertsFailedFlushes
          state.disk.changeContent(file.node) { $0.failSynchronizing(reverting: reverting) }
        }
        throw error
      }
      if state.isIgnored(.synchronizeData) { return }
      state.disk.changeContent(file.node) { $0.synchronize() }
    }
  }

  func setMode(_ mode: UInt32, of file: SimulatedOpenFile) throws(Errno) {
    try perform(.setMode, file.name) { disk in disk.setMode(file.node, mode) }
  }

  func mode(of file: SimulatedOpenFile) throws(Errno) -> UInt32 {
    try perform(.mode, file.name) { disk in disk.mode(file.node) }
  }

  func identity(of file: SimulatedOpenFile) throws(Errno) -> (inode: UInt64, links: Int) {
    try perform(.identity, file.name) { disk in (UInt64(file.node), disk.links(file.node)) }
  }

  func lock(_ kind: FileLock, of file: SimulatedOpenFile, wait: Bool) throws(Errno) -> Bool {
    try turn?.pass()
    let isFree = try state.withLock { state throws(Errno) in
      if let error = state.begin(.lock, file.name) { throw error }
      return state.isFree?(file.name) ?? false
    }
    if isFree { return true }
    if kind == .none {
      unlock(file.handle)
      return true
    }
    func take(_ state: inout SimulatedState) -> Bool {
      if state.conflicts(kind, file) { return false }
      state.locks[file.handle] = (file.node, kind)
      return true
    }
    guard let turn else {
      return state.wait { state in take(&state) ? true : wait ? nil : false } ?? false
    }
    while !state.withLock(take) {
      if !wait { return false }
      if !turn.block() { throw .deadlock }
    }
    return true
  }

  func lockHolder(of file: SimulatedOpenFile) throws(Errno) -> Int32? {
    try turn?.pass()
    return try state.withLock { state throws(Errno) in
      if let error = state.begin(.lockHolder, file.name) { throw error }
      return state.conflicts(.exclusive, file) ? 0 : nil
    }
  }

  /// Drops the lock of an open file, as closing it does.
  func unlock(_ handle: Int) {
    let had = state.update { $0.locks.removeValue(forKey: handle) != nil }
    if had { turn?.unblock() }
  }
}
