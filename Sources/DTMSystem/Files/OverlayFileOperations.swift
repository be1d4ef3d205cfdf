internal import Synchronization
package import SystemPackage

/// File operations that change nothing: what is written stays in memory, over files that are only read.
///
/// For a dry run, which then does what the real one would do. Locks are those of the files beneath.
/// Memory: everything that is written, and each file that is changed in part.
package final class OverlayFileOperations: FileOperations {
  /// What stands behind a name that was changed.
  private enum Entry {
    /// A file beneath, under another name.
    case base(String)
    case memory(MemoryFile)
    case removed
  }

  private struct State {
    var entries: [String: Entry] = [:]
    var directories: Set<String> = []
  }

  private let base: any FileOperations
  private let state = Mutex(State())

  package init(over base: any FileOperations) {
    self.base = base
  }

  private func entry(_ name: String) -> Entry? { state.withLock { $0.entries[name] } }

  private func set(_ entry: Entry, for name: String) {
    state.withLock { $0.entries[name] = entry }
  }

  // MARK: - Opening

  package func open(_ name: String, writable: Bool) throws(Errno) -> any OpenFile {
    switch entry(name) {
    case .removed: throw .noSuchFileOrDirectory
    case .memory(let file): return file
    case .base(let other): return try opened(other, as: name, writable: writable)
    case nil: return try opened(name, as: name, writable: writable)
    }
  }

  private func opened(
    _ baseName: String, as name: String, writable: Bool
  ) throws(Errno) -> any OpenFile {
    let file = try base.open(baseName, writable: writable)
    return OverlayFile(file) { [self] copy in set(.memory(copy), for: name) }
  }

  package func create(_ name: String, mode: UInt32) throws(Errno) -> any OpenFile {
    if try exists(name) { throw .fileExists }
    let file = MemoryFile([])
    set(.memory(file), for: name)
    return file
  }

  package func createUnnamed(in directory: String, mode: UInt32) throws(Errno) -> any OpenFile {
    MemoryFile([])
  }

  private func exists(_ name: String) throws(Errno) -> Bool {
    switch entry(name) {
    case .removed: return false
    case .base, .memory: return true
    case nil: return try list(Self.directory(of: name)).contains(Self.last(of: name))
    }
  }

  // MARK: - Names

  package func link(_ file: any OpenFile, as name: String) throws(Errno) {
    guard let file = file as? MemoryFile else {
      preconditionFailure("a file of another implementation")
    }
    if try exists(name) { throw .fileExists }
    set(.memory(file), for: name)
  }

  package func rename(_ name: String, to target: String) throws(Errno) {
    guard try exists(name) else { throw .noSuchFileOrDirectory }
    let moved = entry(name) ?? .base(name)
    set(moved, for: target)
    set(.removed, for: name)
  }

  package func remove(_ name: String) throws(Errno) {
    guard try exists(name) else { throw .noSuchFileOrDirectory }
    set(.removed, for: name)
  }

  package func makeDirectory(_ name: String, mode: UInt32) throws(Errno) {
    if try exists(name) { throw .fileExists }
    state.withLock { _ = $0.directories.insert(name) }
  }

  package func list(_ directory: String) throws(Errno) -> [String] {
    let (changed, made) = state.withLock { ($0.entries, $0.directories) }
    var names: Set<String> = []
    if !made.contains(directory) { names = Set(try base.list(directory)) }
    for (name, entry) in changed where Self.directory(of: name) == directory {
      if case .removed = entry {
        names.remove(Self.last(of: name))
      } else {
        names.insert(Self.last(of: name))
      }
    }
    for name in made where Self.directory(of: name) == directory {
      names.insert(Self.last(of: name))
    }
    return names.sorted()
  }

  private static func directory(of name: String) -> String {
    name.lastIndex(of: "/").map { String(name[..<$0]) } ?? ""
  }

  private static func last(of name: String) -> String {
    name.lastIndex(of: "/").map { String(name[name.index(after: $0)...]) } ?? name
  }

  // MARK: - Nothing to be done

  package func synchronizeDirectory(_ name: String) throws(Errno) {}

  package func synchronizeData(_ opened: [any OpenFile]) throws(Errno) {}

  package func uniqueBytes(_ count: Int) -> [UInt8] { base.uniqueBytes(count) }

  package func map(_ name: String) throws(Errno) -> MappedFile? {
    switch entry(name) {
    case .removed: throw .noSuchFileOrDirectory
    case .memory: return nil
    case .base(let other): return try base.map(other)
    case nil: return try base.map(name)
    }
  }
}

/// A file that is in memory alone.
private final class MemoryFile: OpenFile {
  private let bytes: Mutex<[UInt8]>
  private let permissions = Mutex<UInt32>(0o600)

  init(_ bytes: [UInt8]) {
    self.bytes = Mutex(bytes)
  }

  func size() throws(Errno) -> Int { bytes.withLock { $0.count } }

  func read(at offset: Int, count: Int) throws(Errno) -> [UInt8] {
    bytes.withLock { bytes in
      let start = min(offset, bytes.count)
      return Array(bytes[start..<(start + min(count, bytes.count - start))])
    }
  }

  func write(_ new: [UInt8], at offset: Int) throws(Errno) {
    bytes.withLock { bytes in
      let end = offset + new.count
      if bytes.count < end { bytes += [UInt8](repeating: 0, count: end - bytes.count) }
      bytes.replaceSubrange(offset..<end, with: new)
    }
  }

  func truncate(to length: Int) throws(Errno) {
    bytes.withLock { bytes in
      if length < bytes.count {
        bytes.removeLast(bytes.count - length)
      } else {
        bytes += [UInt8](repeating: 0, count: length - bytes.count)
      }
    }
  }

  func synchronizeData() throws(Errno) {}

  func setMode(_ mode: UInt32) throws(Errno) { permissions.withLock { $0 = mode } }

  func mode() throws(Errno) -> UInt32 { permissions.withLock { $0 } }

  /// Nobody else has it.
  func lock(_ kind: FileLock, wait: Bool) throws(Errno) -> Bool { true }

  func lockHolder() throws(Errno) -> Int32? { nil }

  func identity() throws(Errno) -> (inode: UInt64, links: Int) {
    (UInt64(UInt(bitPattern: ObjectIdentifier(self).hashValue)), 1)
  }
}

/// A file beneath the overlay, which becomes one in memory when it is first written.
private final class OverlayFile: OpenFile {
  private let base: any OpenFile
  private let changed = Mutex<MemoryFile?>(nil)
  private let note: @Sendable (MemoryFile) -> Void

  /// `note`: told of the copy that takes the file's place.
  init(_ base: any OpenFile, note: @escaping @Sendable (MemoryFile) -> Void) {
    self.base = base
    self.note = note
  }

  private var current: any OpenFile { changed.withLock { $0 } ?? base }

  private func copy() throws(Errno) -> MemoryFile {
    if let copy = changed.withLock({ $0 }) { return copy }
    let copy = MemoryFile(try base.read(at: 0, count: try base.size()))
    changed.withLock { $0 = copy }
    note(copy)
    return copy
  }

  func size() throws(Errno) -> Int { try current.size() }

  func read(at offset: Int, count: Int) throws(Errno) -> [UInt8] {
    try current.read(at: offset, count: count)
  }

  func write(_ bytes: [UInt8], at offset: Int) throws(Errno) {
    try copy().write(bytes, at: offset)
  }

  func truncate(to length: Int) throws(Errno) { try copy().truncate(to: length) }

  func synchronizeData() throws(Errno) {}

  func setMode(_ mode: UInt32) throws(Errno) { try copy().setMode(mode) }

  func mode() throws(Errno) -> UInt32 { try current.mode() }

  func lock(_ kind: FileLock, wait: Bool) throws(Errno) -> Bool {
    try base.lock(kind, wait: wait)
  }

  func lockHolder() throws(Errno) -> Int32? { try base.lockHolder() }

  func identity() throws(Errno) -> (inode: UInt64, links: Int) { try base.identity() }
}
