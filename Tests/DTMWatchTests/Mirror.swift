import DTMSystem
import DTMWatch
import SystemPackage

/// What a state cache would know: updated by looking at nothing but what the sets say.
struct Mirror {
  /// What has to be right.
  struct Fact: Equatable {
    var inode: UInt64
    var mode: UInt32
    var links: UInt32 = 0
    var size: UInt64 = 0
    var modified = FileTime(seconds: 0, nanoseconds: 0)
    var changed = FileTime(seconds: 0, nanoseconds: 0)

    /// A directory's own times and size follow from what is in it: not a change.
    init(_ status: FileStatus) {
      inode = status.inode
      mode = status.mode
      guard status.kind != .directory else { return }
      links = status.links
      size = status.size
      modified = status.modified
      changed = status.changed
    }

    var isDirectory: Bool { FileKind(mode: mode) == .directory }
  }

  let folder: FilePath
  let isExcluded: (PathKey, Bool) -> Bool
  private(set) var facts: [PathKey: Fact] = [:]

  init(of folder: FilePath, isExcluded: @escaping (PathKey, Bool) -> Bool = { _, _ in false }) {
    self.folder = folder
    self.isExcluded = isExcluded
  }

  /// A full scan.
  static func scan(
    _ folder: FilePath, isExcluded: @escaping (PathKey, Bool) -> Bool = { _, _ in false }
  ) throws -> Mirror {
    var mirror = Mirror(of: folder, isExcluded: isExcluded)
    try mirror.rescan(.root)
    return mirror
  }

  /// Looks at what a set says.
  mutating func apply(_ set: DirtySet) throws {
    if set.basis == .scan { try rescan(.root) }
    for mark in set.marks { try look(mark.key, mark.scope) }
    for key in set.hot { try look(key, .entry) }
    try lookAtLinks()
  }

  private mutating func look(_ key: PathKey, _ scope: DirtySet.Scope) throws {
    if scope == .subtree { return try rescan(key) }
    let fact = try fact(key)
    if facts[key]?.isDirectory == true, fact?.isDirectory != true { removeBeneath(key) }
    facts[key] = fact
  }

  /// A write through one name of a file changes what the others say, and no event tells.
  private mutating func lookAtLinks() throws {
    let linked = Set(facts.values.filter { $0.links > 1 }.map(\.inode))
    for (key, fact) in facts where linked.contains(fact.inode) && !fact.isDirectory {
      facts[key] = try self.fact(key)
    }
  }

  private mutating func rescan(_ key: PathKey) throws {
    removeBeneath(key)
    facts[key] = try fact(key)
    guard facts[key]?.isDirectory == true else { return }
    var stack = [key]
    while let directory = stack.popLast() {
      for (child, fact) in try children(of: directory) {
        facts[child] = fact
        if fact.isDirectory { stack.append(child) }
      }
    }
  }

  private mutating func removeBeneath(_ key: PathKey) {
    if key.isRoot {
      facts = [:]
    } else {
      facts = facts.filter { !$0.key.isBeneath(key) }
    }
  }

  private func fact(_ key: PathKey) throws -> Fact? {
    if key.isRoot { return Fact(try Descriptor.open(folder, [.path]).status()) }
    return try unlessMissing {
      let status = try open(key.parent ?? .root).status(of: key.name)
      return isExcluded(key, status.kind == .directory) ? nil : Fact(status)
    } ?? nil
  }

  private func children(of key: PathKey) throws -> [(PathKey, Fact)] {
    var result: [(PathKey, Fact)] = []
    _ = try unlessMissing {
      let directory = try open(key)
      var names: [[UInt8]] = []
      try directory.forEachEntry { names.append($0.name) }
      for name in names {
        guard let status = try unlessMissing({ try directory.status(of: name) }) else { continue }
        let child = key.appending(name)
        if isExcluded(child, status.kind == .directory) { continue }
        result.append((child, Fact(status)))
      }
    }
    return result
  }

  private func open(_ key: PathKey) throws -> Descriptor {
    try Descriptor.open(folder, [.path, .directory]).openDirectory(beneath: key.path)
  }

  /// What others remove meanwhile is not there.
  private func unlessMissing<Result>(_ body: () throws -> Result) throws -> Result? {
    do {
      return try body()
    } catch let error as Errno {
      let missing: [Errno] = [
        .noSuchFileOrDirectory, .notDirectory, .tooManySymbolicLinkLevels, .improperLink,
      ]
      if missing.contains(error) { return nil }
      throw error
    }
  }

  /// The paths at which two states differ.
  func differences(from other: Mirror) -> [PathKey] {
    var keys: [PathKey] = []
    for (key, fact) in facts where other.facts[key] != fact { keys.append(key) }
    for key in other.facts.keys where facts[key] == nil { keys.append(key) }
    return keys.sorted()
  }
}
