package import DTMSystem
package import SystemPackage

/// `FileOperations` in memory that know what a disk holds after a crash.
///
/// What Linux promises, and no more: bytes are durable after `synchronizeData`, names after
/// `synchronizeDirectory` of their directory; until then each 512-byte sector, each change of a
/// name and each length on the way may have come to the disk or not, in any order. A rename may
/// leave both names. What never came to the disk below the length is zeros: the file systems that we
/// run on show no stale blocks. After a failed `synchronizeData` what it was to write stays in doubt
/// for good, as the kernel then calls the pages clean. Modes bind, as for an owner who is not root;
/// a change of one may be lost.
///
/// Every call is an operation with a number, in a journal; a test may let one fail, stop the world
/// after one, or let a synchronisation or a lock do nothing. May be used from any thread.
package final class SimulatedFileOperations: FileOperations {
  /// What the operations are called in the journal.
  package enum Kind: String, Sendable {
    case open, create, createUnnamed, link, rename, remove, makeDirectory, list
    case synchronizeDirectory, size, read, write, synchronizeData, truncate, setMode, mode
    case lock, lockHolder, identity
  }

  /// One call: what and of which file.
  package struct Operation: Hashable, Sendable, CustomStringConvertible {
    package let kind: Kind
    package let name: String
    package var description: String { "\(kind) \(name)" }
  }

  let state: Monitor<SimulatedState>
  /// For one process of an interleaving.
  let turn: SimulatedTurn?

  /// An empty root directory.
  package init() {
    state = Monitor(SimulatedState())
    turn = nil
  }

  init(_ disk: SimulatedDisk) {
    var state = SimulatedState()
    state.disk = disk
    // Names drawn after a crash are others than those drawn before.
    state.names = SplitMix(seed: UInt64(disk.version) &* 2 &+ 3)
    self.state = Monitor(state)
    turn = nil
  }

  private init(_ state: Monitor<SimulatedState>, _ turn: SimulatedTurn) {
    self.state = state
    self.turn = turn
  }

  /// The same files as one process of an interleaving sees them.
  func view(_ turn: SimulatedTurn) -> SimulatedFileOperations {
    SimulatedFileOperations(state, turn)
  }

  // MARK: FileOperations

  package func open(_ name: String, writable: Bool) throws(Errno) -> any OpenFile {
    try opened(.open, name) { disk throws(Errno) in
      let node = try disk.file(name)
      if !disk.mayOpen(node, writable: writable) { throw .permissionDenied }
      return node
    }
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
    try turn?.pass()
    try state.withLock { state throws(Errno) in
      if let error = state.begin(.synchronizeDirectory, name) { throw error }
      if state.isIgnored(.synchronizeDirectory) { return }
      try state.disk.synchronizeDirectory(name)
    }
  }

  /// One after the other, all of them, as they come to an end at the same time on the kernel.
  package func synchronizeData(_ opened: [any OpenFile]) throws(Errno) {
    var first: Errno?
    for file in opened {
      do throws(Errno) { try file.synchronizeData() } catch { first = first ?? error }
    }
    if let first { throw first }
  }

  /// The same names in each run, so that a seed gives the same states.
  package func uniqueBytes(_ count: Int) -> [UInt8] {
    state.withLock { state in
      var generator = state.names
      let bytes = (0..<count).map { _ in UInt8(generator.below(256)) }
      state.names = generator
      return bytes
    }
  }

  private func opened(
    _ kind: Kind, _ name: String, _ body: (inout SimulatedDisk) throws(Errno) -> Int
  ) throws(Errno) -> any OpenFile {
    try turn?.pass()
    let (node, handle) = try state.withLock { state throws(Errno) in
      if let error = state.begin(kind, name) { throw error }
      let node = try body(&state.disk)
      state.nextHandle += 1
      return (node, state.nextHandle)
    }
    return SimulatedOpenFile(of: self, node: node, handle: handle, name: name)
  }

  func perform<Result>(
    _ kind: Kind, _ name: String, _ body: (inout SimulatedDisk) throws(Errno) -> Result
  ) throws(Errno) -> Result {
    try turn?.pass()
    return try state.withLock { state throws(Errno) in
      if let error = state.begin(kind, name) { throw error }
      return try body(&state.disk)
    }
  }
}
