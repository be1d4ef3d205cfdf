package import DTMSystem
package import SystemPackage

/// `FileOperations` in memory that know what a disk holds after a crash.
///
/// What Linux promises, and no more: bytes are durable after `synchronizeData`, names after
/// `synchronizeDirectory` of their directory; until then each 512-byte sector and each change of a
/// name may have come to the disk or not, in any order (a rename whole or not at all). After a
/// failed `synchronizeData` what it was to write stays in doubt for good, as the kernel then calls
/// the pages clean. Modes are durable at once: nothing rests on them.
///
/// Every call is an operation with a number, in a journal; a test may let one fail, stop the world
/// after one, or let a synchronisation do nothing. May be used from any thread.
package final class SimulatedFileOperations: FileOperations {
  /// What the operations are called in the journal.
  package enum Kind: String, Sendable {
    case open, create, createUnnamed, link, rename, remove, makeDirectory, list
    case synchronizeDirectory, size, read, write, synchronizeData, truncate, setMode
    case lock, lockHolder, identity
  }

  /// One call: what and of which file.
  package struct Operation: Hashable, Sendable, CustomStringConvertible {
    package let kind: Kind
    package let name: String
    package var description: String { "\(kind) \(name)" }
  }

  private struct State {
    var disk = SimulatedDisk()
    var locks: [Int: (node: Int, kind: FileLock)] = [:]
    var nextHandle = 1
    var journal: [Operation] = []
    var failures: [Int: Errno] = [:]
    var failingKinds: [Kind: Errno] = [:]
    var stop: Int?
    var ignored: [Kind: Set<Int>] = [:]
  }

  private let state: Monitor<State>

  /// An empty root directory.
  package init() {
    state = Monitor(State())
  }

  private init(_ disk: SimulatedDisk) {
    var state = State()
    state.disk = disk
    self.state = Monitor(state)
  }

  // MARK: What tests ask for

  /// All operations so far, those that failed included; number `n` is at index `n - 1`.
  package var journal: [Operation] { state.withLock { $0.journal } }

  /// Lets operation `number` (1 is the first of all) fail; a failing write leaves the first half of
  /// its bytes, a failing synchronisation leaves in doubt what it was to write.
  package func fail(operation number: Int, with error: Errno) {
    state.withLock { $0.failures[number] = error }
  }

  /// Lets every operation of some kinds fail from now on, as on a full disk.
  package func fail(every kinds: Set<Kind>, with error: Errno) {
    state.withLock { state in
      for kind in kinds { state.failingKinds[kind] = error }
    }
  }

  /// Lets all operations after `number` fail without any effect: the machine stops there.
  package func stop(after number: Int) {
    state.withLock { $0.stop = number }
  }

  /// Lets the `number`-th (from 1, over the whole journal) operation of a kind succeed without
  /// doing anything.
  package func ignore(_ kind: Kind, number: Int) {
    state.withLock { _ = $0.ignored[kind, default: []].insert(number) }
  }

  /// Ends all failures that were asked for.
  package func clearFailures() {
    state.withLock {
      $0.failures = [:]
      $0.failingKinds = [:]
      $0.stop = nil
      $0.ignored = [:]
    }
  }

  /// What the next process sees when all processes were killed now: nothing that was written is
  /// lost, no lock is left. A copy with a journal of its own.
  package func afterKill() -> SimulatedFileOperations {
    SimulatedFileOperations(state.withLock { $0.disk })
  }

  /// What a crash of the machine may leave now: all states where the combinations are at most
  /// `limit`, else about `limit` drawn ones (nothing and everything pending written among them).
  /// No two are alike. Each is settled and has a journal of its own.
  package func crashStates(
    limit: Int, using generator: inout SplitMix
  ) -> [SimulatedFileOperations] {
    state.withLock { $0.disk }.crashStates(limit: limit, using: &generator)
      .map { SimulatedFileOperations($0) }
  }

  /// Every path (a directory's ends with `/`) and its bytes, as the running system sees them.
  package func paths() -> [String: [UInt8]] { state.withLock { $0.disk.paths() } }

  /// Puts bytes into a file, durable at once: damage, or a fixture. Makes the file where there is
  /// none; nil removes it.
  package func plant(_ bytes: [UInt8]?, at name: String) throws(Errno) {
    try state.withLock { state throws(Errno) in
      if let node = try? state.disk.file(name) {
        if let bytes {
          state.disk.changeContent(node) { $0 = SimulatedContent(settled: bytes) }
        } else {
          try state.disk.remove(name)
        }
      } else if let bytes {
        let node = state.disk.makeFile(mode: 0o600)
        state.disk.changeContent(node) { $0 = SimulatedContent(settled: bytes) }
        try state.disk.link(node, as: name)
      }
      let directory = name.lastIndex(of: "/").map { String(name[..<$0]) } ?? ""
      try state.disk.synchronizeDirectory(directory)
    }
  }

  // MARK: FileOperations

  package func open(_ name: String, writable: Bool) throws(Errno) -> any OpenFile {
    try opened(.open, name) { disk throws(Errno) in try disk.file(name) }
  }

  package func create(_ name: String, mode: UInt32) throws(Errno) -> any OpenFile {
    try opened(.create, name) { disk throws(Errno) in
      let place = try disk.place(name)
      if disk.names[place] != nil { throw .fileExists }
      let node = disk.makeFile(mode: mode)
      try disk.link(node, as: name)
      return node
    }
  }

  package func createUnnamed(in directory: String, mode: UInt32) throws(Errno) -> any OpenFile {
    try opened(.createUnnamed, directory) { disk throws(Errno) in
      _ = try disk.directory(directory)
      return disk.makeFile(mode: mode)
    }
  }

  package func link(_ file: any OpenFile, as name: String) throws(Errno) {
    guard let file = file as? SimulatedOpenFile else {
      preconditionFailure("a file of another implementation")
    }
    try perform(.link, name) { disk throws(Errno) in try disk.link(file.node, as: name) }
  }

  package func rename(_ name: String, to target: String) throws(Errno) {
    try perform(.rename, name) { disk throws(Errno) in try disk.rename(name, to: target) }
  }

  package func remove(_ name: String) throws(Errno) {
    try perform(.remove, name) { disk throws(Errno) in try disk.remove(name) }
  }

  package func makeDirectory(_ name: String, mode: UInt32) throws(Errno) {
    try perform(.makeDirectory, name) { disk throws(Errno) in try disk.makeDirectory(name) }
  }

  package func list(_ directory: String) throws(Errno) -> [String] {
    try perform(.list, directory) { disk throws(Errno) in try disk.list(directory) }
  }

  package func synchronizeDirectory(_ name: String) throws(Errno) {
    try state.withLock { state throws(Errno) in
      if let error = begin(.synchronizeDirectory, name, &state) { throw error }
      if isIgnored(.synchronizeDirectory, state) { return }
      try state.disk.synchronizeDirectory(name)
    }
  }

  private func opened(
    _ kind: Kind, _ name: String, _ body: (inout SimulatedDisk) throws(Errno) -> Int
  ) throws(Errno) -> any OpenFile {
    let (node, handle) = try state.withLock { state throws(Errno) in
      if let error = begin(kind, name, &state) { throw error }
      let node = try body(&state.disk)
      state.nextHandle += 1
      return (node, state.nextHandle)
    }
    return SimulatedOpenFile(of: self, node: node, handle: handle, name: name)
  }

  private func perform<Result>(
    _ kind: Kind, _ name: String, _ body: (inout SimulatedDisk) throws(Errno) -> Result
  ) throws(Errno) -> Result {
    try state.withLock { state throws(Errno) in
      if let error = begin(kind, name, &state) { throw error }
      return try body(&state.disk)
    }
  }

  /// Counts an operation; returns the error that it is to fail with.
  private func begin(_ kind: Kind, _ name: String, _ state: inout State) -> Errno? {
    state.journal.append(Operation(kind: kind, name: name))
    if let stop = state.stop, state.journal.count > stop { return .ioError }
    return state.failures[state.journal.count] ?? state.failingKinds[kind]
  }

  private func isIgnored(_ kind: Kind, _ state: State) -> Bool {
    guard let numbers = state.ignored[kind] else { return false }
    return numbers.contains(state.journal.count { $0.kind == kind })
  }

  private static func isStopped(_ state: State) -> Bool {
    state.stop.map { state.journal.count > $0 } ?? false
  }
}

// MARK: - What open files call

extension SimulatedFileOperations {
  func file<Result>(
    _ kind: Kind, _ file: SimulatedOpenFile, _ body: (inout SimulatedContent) -> Result
  ) throws(Errno) -> Result {
    try perform(kind, file.name) { disk in disk.changeContent(file.node, body) }
  }

  func write(_ bytes: [UInt8], at offset: Int, to file: SimulatedOpenFile) throws(Errno) {
    try state.withLock { state throws(Errno) in
      guard let error = begin(.write, file.name, &state) else {
        state.disk.changeContent(file.node) { $0.write(bytes[...], at: offset) }
        return
      }
      if !Self.isStopped(state) {
        let half = bytes[..<(bytes.count / 2)]
        state.disk.changeContent(file.node) { $0.write(half, at: offset) }
      }
      throw error
    }
  }

  func synchronize(_ file: SimulatedOpenFile) throws(Errno) {
    try state.withLock { state throws(Errno) in
      if let error = begin(.synchronizeData, file.name, &state) {
        if !Self.isStopped(state) {
          state.disk.changeContent(file.node) { $0.failSynchronizing() }
        }
        throw error
      }
      if isIgnored(.synchronizeData, state) { return }
      state.disk.changeContent(file.node) { $0.synchronize() }
    }
  }

  func setMode(_ mode: UInt32, of file: SimulatedOpenFile) throws(Errno) {
    try perform(.setMode, file.name) { disk in disk.setMode(file.node, mode) }
  }

  func identity(of file: SimulatedOpenFile) throws(Errno) -> (inode: UInt64, links: Int) {
    try perform(.identity, file.name) { disk in (UInt64(file.node), disk.links(file.node)) }
  }

  func lock(_ kind: FileLock, of file: SimulatedOpenFile, wait: Bool) throws(Errno) -> Bool {
    let error = state.withLock { begin(.lock, file.name, &$0) }
    if let error { throw error }
    if kind == .none {
      unlock(file.handle)
      return true
    }
    func take(_ state: inout State) -> Bool? {
      if Self.conflicts(kind, file, state) { return wait ? nil : false }
      state.locks[file.handle] = (file.node, kind)
      return true
    }
    return state.wait(for: take) ?? false
  }

  func lockHolder(of file: SimulatedOpenFile) throws(Errno) -> Int32? {
    let error = state.withLock { begin(.lockHolder, file.name, &$0) }
    if let error { throw error }
    return state.withLock { Self.conflicts(.exclusive, file, $0) ? 0 : nil }
  }

  /// Drops the lock of an open file, as closing it does.
  func unlock(_ handle: Int) {
    state.update { $0.locks[handle] = nil }
  }

  private static func conflicts(
    _ kind: FileLock, _ file: SimulatedOpenFile, _ state: State
  ) -> Bool {
    state.locks.contains { handle, lock in
      handle != file.handle && lock.node == file.node
        && (kind == .exclusive || lock.kind == .exclusive)
    }
  }
}
